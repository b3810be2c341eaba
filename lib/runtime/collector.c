/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0 only: records each answer once and drops a second one. */
#include <limits.h>
#include <stdlib.h>

#include "answer_layout.h"
#include "ee/agree.h"
#include "pending.h"

#define COLLECTOR_SLOTS 16  // receives posted ahead; more answers wait in MPI's own buffers

struct ee_collector {
  const ee_wire     *wire;
  ee_collector_setup setup;
  unsigned char     *answered;  // shape [ceil(n_samples / 8)], one bit per id
  int64_t            n_answered, n_duplicates, n_overtaken;
  ee_pending         pending;  // answers that wait for latency limits
  int64_t            latest;   // arrival of the last answer [ns]
  int                head;     // the slot posted before all others, so that order is kept
  ee_posted          receive[COLLECTOR_SLOTS];
  unsigned char     *buffer;  // shape [COLLECTOR_SLOTS, slot_bytes]
  size_t             slot_bytes;
};

static void post(ee_collector *c, int slot) {
  EE_MPI(MPI_Irecv(c->buffer + (size_t)slot * c->slot_bytes, (int)c->slot_bytes, MPI_BYTE,
                   MPI_ANY_SOURCE, EE_TAG_ANSWER, c->wire->results, &c->receive[slot].request));
}

ee_status ee_collector_open(const ee_wire *wire, const ee_collector_setup *setup,
                            ee_collector **collector) {
  *collector        = NULL;
  size_t        one = ee_answer_bytes(setup->batch_limit, setup->n_classes, setup->with_logits);
  ee_collector *c   = calloc(1, sizeof *c);
  if (c != NULL) {
    *c = (ee_collector){.wire       = wire,
                        .setup      = *setup,
                        .answered   = calloc(1, (size_t)(setup->n_samples / 8) + 1),
                        .buffer     = calloc(COLLECTOR_SLOTS, one),
                        .slot_bytes = one,
                        .pending    = {.n_classes = setup->with_logits ? setup->n_classes : 0}};
    for (int i = 0; i < COLLECTOR_SLOTS; i++) c->receive[i].request = MPI_REQUEST_NULL;
  }
  if (c == NULL || c->answered == NULL || c->buffer == NULL) {
    ee_collector_close(&c);
    return EE_FAIL(EE_ERR_NOMEM, "for the answers of %llu samples",
                   (unsigned long long)setup->n_samples);
  }
  for (int i = 0; i < COLLECTOR_SLOTS; i++) post(c, i);
  *collector = c;
  return EE_OK;
}

static ee_status check_record(const ee_collector *c, const ee_answer_record *r, int peer) {
  if (r->id < c->setup.n_samples && r->exit >= 0 && r->exit < c->setup.n_exits &&
      r->prediction >= 0 && r->prediction < c->setup.n_classes) {
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_PEER,
                 "rank %d answered sample %llu with class %d at exit %d; there are %llu samples, "
                 "%d classes and %d exits",
                 peer, (unsigned long long)r->id, r->prediction, r->exit,
                 (unsigned long long)c->setup.n_samples, c->setup.n_classes, c->setup.n_exits);
}

/* The answer as the trace keeps it. */
static ee_answer as_answer(const ee_collector *c, const ee_answer_record *r, int peer,
                           int64_t arrived) {
  return (ee_answer){.id         = r->id,
                     .label      = c->setup.label != NULL ? c->setup.label[r->id] : -1,
                     .prediction = r->prediction,
                     .exit       = r->exit,
                     .plan_epoch = r->plan_epoch,
                     .confidence = r->confidence,
                     .decided_at = r->decided_at,
                     .way        = r->way == EE_ANSWER_WAITS ? EE_WAY_LIMIT : r->way,
                     .arm        = r->arm,
                     .reward     = r->reward,
                     .absent     = r->absent,
                     .device     = peer,
                     .admitted   = r->admitted,
                     .answered   = arrived};
}

static bool is_answered(const ee_collector *c, uint64_t id) {
  return c->answered[id / 8] & (1u << (id % 8));
}

/* The answer of a sample that has none. */
static void record(ee_collector *c, const ee_answer_record *r, const float *logits, int peer,
                   int64_t arrived) {
  c->answered[r->id / 8] |= (unsigned char)(1u << (r->id % 8));
  c->n_answered++;
  if (arrived > c->latest) c->latest = arrived;
  const ee_trace_sink *sink = c->setup.sink;
  if (sink != NULL && sink->answer != NULL) {
    ee_answer answer = as_answer(c, r, peer, arrived);
    sink->answer(sink->self, &answer, logits, c->setup.n_classes);
  }
}

/* What waited for the limit of its sample is the answer. */
static void record_pending(ee_collector *c, ee_pending_answer *p, int64_t now) {
  record(c, &p->record, p->logits, p->peer, p->counts > now ? p->counts : now);
  ee_pending_remove(&c->pending, p);
}

/* Keep an answer for when the limit is over. */
static ee_status wait_for_limit(ee_collector *c, const ee_answer_record *r, const float *logits,
                                int peer, int64_t arrived) {
  int64_t           due    = ee_deadline_of(&c->setup.deadline, r->id, r->admitted);
  ee_pending_answer answer = {.record = *r, .peer = peer, .counts = due > arrived ? due : arrived};
  return is_answered(c, r->id) ? EE_OK : ee_pending_put(&c->pending, answer, logits, arrived);
}

static ee_status take_record(ee_collector *c, const ee_answer_record *r, const float *logits,
                             int peer, int64_t arrived) {
  EE_TRY(check_record(c, r, peer));
  if (r->way == EE_ANSWER_WAITS) return wait_for_limit(c, r, logits, peer, arrived);
  ee_pending_answer *waits = ee_pending_of(&c->pending, r->id);
  if (waits != NULL && waits->counts < arrived) {
    record_pending(c, waits, 0);
  } else if (waits != NULL) {
    ee_pending_remove(&c->pending, waits);
  }
  if (!is_answered(c, r->id)) {
    record(c, r, logits, peer, arrived);
  } else if (c->setup.deadline.limit > 0.0) {
    c->n_overtaken++;
  } else {
    c->n_duplicates++;
  }
  return EE_OK;
}

static ee_status take_message(ee_collector *c, ee_answer_head *head, size_t bytes, int peer,
                              int64_t now) {
  bool logits = c->setup.with_logits;
  if (bytes < sizeof *head || head->n < 0 || head->n > c->setup.batch_limit ||
      bytes != ee_answer_bytes(head->n, c->setup.n_classes, logits)) {
    return EE_FAIL(EE_ERR_PEER, "rank %d sent %zu bytes that are no answers", peer, bytes);
  }
  int64_t due     = ee_pacer_arrival(c->setup.pacer, peer, head->sent, bytes, NULL);
  int64_t arrived = due > now ? due : now;
  for (int i = 0; i < head->n; i++) {
    const float *z =
        logits ? ee_answer_logits(head, head->n) + (size_t)i * c->setup.n_classes : NULL;
    EE_TRY(take_record(c, ee_answer_records(head) + i, z, peer, arrived));
  }
  return EE_OK;
}

ee_status ee_collector_poll(ee_collector *c, int64_t now, bool *busy) {
  size_t bytes;
  int    peer;
  while (ee_wire_received(&c->receive[c->head], c->slot_bytes, &peer, &bytes)) {
    ee_answer_head *head = (ee_answer_head *)(void *)(c->buffer + (size_t)c->head * c->slot_bytes);
    ee_status       status = take_message(c, head, bytes, peer, now);
    post(c, c->head);
    c->head = (c->head + 1) % COLLECTOR_SLOTS;
    *busy   = true;
    EE_TRY(status);
  }
  for (ee_pending_answer *p = NULL; (p = ee_pending_first(&c->pending)) != NULL;) {
    if (p->counts > now) break;
    record_pending(c, p, now);
    *busy = true;
  }
  return EE_OK;
}

void ee_collector_await(ee_collector *c, int64_t now, ee_waiter *waiter) {
  ee_posted *head = &c->receive[c->head];
  ee_waiter_add(waiter, &head->request, &head->status);
  if (c->latest > now) ee_waiter_until(waiter, c->latest);
  const ee_pending_answer *first = ee_pending_first(&c->pending);
  if (first != NULL) ee_waiter_until(waiter, first->counts);
}

int64_t ee_collector_latest(const ee_collector *collector) {
  return collector->latest;
}

int64_t ee_collector_answered(const ee_collector *collector) {
  return collector->n_answered;
}

int64_t ee_collector_duplicates(const ee_collector *collector) {
  return collector->n_duplicates;
}

int64_t ee_collector_overtaken(const ee_collector *collector) {
  return collector->n_overtaken;
}

void ee_collector_close(ee_collector **collector) {
  ee_collector *c = *collector;
  if (c == NULL) return;
  for (int i = 0; i < COLLECTOR_SLOTS; i++) ee_wire_cancel(&c->receive[i].request);
  ee_pending_clear(&c->pending);
  free(c->answered);
  free(c->buffer);
  free(c);
  *collector = NULL;
}
