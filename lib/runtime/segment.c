/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a segment, gathering its batches and passing the watermark on. */
#include "segment.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"

static ee_status check_sizes(const ee_segment *s) {
  const ee_run_setup *setup = s->context->setup;
  int                 in    = ee_message_most(&s->in);
  int                 out   = s->end < setup->model->n_layers ? ee_message_most(&s->out) : INT_MAX;
  int                 most  = in < out ? in : out;
  if (setup->batch_limit <= most) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "a message can hold %d samples at cut %d, but the batch limit is %d",
                 most, in < out ? s->begin : s->end, setup->batch_limit);
}

static ee_status allocate(ee_segment *s) {
  size_t n    = (size_t)s->context->setup->batch_limit;
  s->id       = malloc(n * sizeof *s->id);
  s->admitted = malloc(n * sizeof *s->admitted);
  s->state    = malloc(n * (s->in.state_bytes > 0 ? s->in.state_bytes : 1));
  s->keep     = malloc(n * sizeof *s->keep);
  if (s->id == NULL || s->admitted == NULL || s->state == NULL || s->keep == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for batches of %zu samples", n);
  }
  return EE_OK;
}

static void progress(void *context) {
  int flag;  // any call into MPI lets messages move
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, ((const ee_wire *)context)->control, &flag,
             MPI_STATUS_IGNORE);
}

static ee_status count_bytes(ee_segment *s) {
  const ee_run_setup *setup = s->context->setup;
  int                 n     = setup->batch_limit;
  EE_TRY(ee_exec_arena_bytes(setup->model, setup->backend, s->begin, s->end, n, &s->bytes));
  s->bytes += ee_outbox_bytes(setup->slots, ee_message_bytes(&s->in, n));
  if (s->outbox != NULL) s->bytes += ee_outbox_bytes(setup->slots, ee_message_bytes(&s->out, n));
  return EE_OK;
}

static void tell_sent(void *context, int peer, const void *message, size_t bytes) {
  const ee_segment *s = context;
  (void)peer;  // which the segment knows
  ee_message_tell(&s->out_end, message, bytes, ee_clock_ns() - s->context->origin);
}

/* Both ends tell the trace, if there is one. */
static void listen(ee_segment *s, int from, int to) {
  const ee_trace_sink *sink = s->context->setup->sink;
  int                  rank = s->context->wire->rank;
  s->in_end                 = (ee_message_end){sink, EE_EVENT_RECEIVE, rank, from, s->begin};
  s->out_end                = (ee_message_end){sink, EE_EVENT_SEND, rank, to, s->end};
  if (sink != NULL && s->outbox != NULL) ee_outbox_listen(s->outbox, tell_sent, s);
}

static ee_status open_parts(ee_segment *s, int from, int to) {
  const ee_segment_context *c     = s->context;
  const ee_run_setup       *setup = c->setup;
  EE_TRY(check_sizes(s));
  EE_TRY(allocate(s));
  EE_TRY(ee_exec_create(c->resident, s->begin, s->end, setup->batch_limit, &s->exec));
  ee_exec_set_progress(s->exec, progress, (void *)(uintptr_t)c->wire);
  EE_TRY(ee_inbox_open(c->wire, from, s->plan_epoch, setup->slots,
                       ee_message_bytes(&s->in, setup->batch_limit), c->pacer, &s->inbox));
  if (to >= 0) {
    EE_TRY(ee_outbox_open(c->wire, to, s->plan_epoch, setup->slots,
                          ee_message_bytes(&s->out, setup->batch_limit), &s->outbox));
  }
  listen(s, from, to);
  return count_bytes(s);
}

ee_status ee_segment_open(const ee_segment_context *context, const ee_plan *plan, int plan_epoch,
                          ee_segment **segment) {
  *segment  = NULL;
  int stage = ee_plan_stage_of_device(plan, context->wire->rank);
  if (stage < 0) return EE_OK;

  const ee_run_setup *setup = context->setup;
  const ee_stage     *own   = &plan->stage[stage];
  size_t              state = setup->policy->ops->state_bytes;
  ee_segment         *s     = calloc(1, sizeof *s);
  if (s == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a segment");
  *s = (ee_segment){.context    = context,
                    .plan_epoch = plan_epoch,
                    .begin      = own->begin,
                    .end        = own->end,
                    .in         = ee_message_layout_of(setup->model, plan_epoch, own->begin, state),
                    .out        = ee_message_layout_of(setup->model, plan_epoch, own->end, state),
                    .passed     = UINT64_MAX};

  int       from   = stage > 0 ? plan->stage[stage - 1].device : 0;  // rank 0 is the source
  int       to     = stage + 1 < plan->n_stages ? plan->stage[stage + 1].device : -1;
  ee_status status = open_parts(s, from, to);
  if (status != EE_OK) ee_segment_close(&s);
  *segment = s;
  return status;
}

/* Copy `n` samples of the message, from its `taken`th on, behind those already in the batch. */
static void take_samples(ee_segment *s, const ee_message *m, int n) {
  const ee_model *model = s->context->setup->model;
  size_t          at = (size_t)s->filled, from = (size_t)s->taken, count = (size_t)n;
  memcpy(s->id + at, m->id + from, count * sizeof *s->id);
  memcpy(s->admitted + at, m->admitted + from, count * sizeof *s->admitted);
  memcpy(s->state + at * s->in.state_bytes, m->state + from * s->in.state_bytes,
         count * s->in.state_bytes);

  const unsigned char *values = m->values;
  for (int i = 0; i < s->in.n_values; i++) {
    size_t one = (size_t)ee_model_value_elements(model, s->in.value[i]) * sizeof(float);
    float *to  = ee_exec_value(s->exec, s->in.value[i]) + at * (one / sizeof(float));
    memcpy(to, values + from * one, count * one);
    values += (size_t)m->header->n * one;
  }
  s->filled += n;
  s->taken += n;
}

/* Ids rise, from those that came in before up to the message's watermark. */
static ee_status check_ids(const ee_segment *s, const ee_message *m) {
  const ee_message_header *h    = m->header;
  uint64_t                 next = s->watermark;
  int                      i    = 0;
  for (; i < h->n && m->id[i] >= next; i++) next = m->id[i] + 1;
  if (i == h->n && next <= h->watermark && h->watermark <= s->context->setup->n_samples) {
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_PEER,
                 "rank %d sent sample %llu of %d under watermark %llu after watermark %llu, in a "
                 "stream of %llu",
                 ee_inbox_peer(s->inbox), (unsigned long long)(i < h->n ? m->id[i] : next - 1),
                 h->n, (unsigned long long)h->watermark, (unsigned long long)s->watermark,
                 (unsigned long long)s->context->setup->n_samples);
}

/* First look at a message: check it and count it. */
static ee_status meet_message(ee_segment *s, const ee_arrival *arrival, int64_t now) {
  EE_TRY(ee_message_check(&s->in, arrival->buffer, arrival->bytes, s->context->setup->batch_limit,
                          ee_inbox_peer(s->inbox)));
  const ee_message_header *h = arrival->buffer;
  ee_message               m = ee_message_view(&s->in, arrival->buffer, h->n);
  EE_TRY(check_ids(s, &m));
  uint64_t         newest = h->watermark - (h->watermark > 0);
  ee_epoch_counts *counts = ee_counters_of(s->context->counters, newest);
  counts->received_bytes += (int64_t)arrival->bytes;
  counts->link_ns += arrival->occupied;
  s->context->totals->bytes_received += (int64_t)arrival->bytes;
  ee_message_tell(&s->in_end, arrival->buffer, arrival->bytes, now);
  return EE_OK;
}

ee_status ee_segment_gather(ee_segment *s, int64_t now, bool *busy) {
  int        limit = s->context->setup->batch_limit;
  ee_arrival arrival;
  ee_inbox_poll(s->inbox);
  while (s->filled < limit && !s->input_ended && ee_inbox_head(s->inbox, now, &arrival)) {
    if (s->taken == 0) EE_TRY(meet_message(s, &arrival, now));
    int        n = ((const ee_message_header *)arrival.buffer)->n;
    ee_message m = ee_message_view(&s->in, arrival.buffer, n);
    if (s->filled == 0) s->first_taken = now;

    int room = limit - s->filled, left = n - s->taken;
    take_samples(s, &m, left < room ? left : room);
    *busy = true;
    if (s->taken < n) {
      s->watermark = m.id[s->taken];  // the rest stays for the next batch
    } else {
      s->watermark   = m.header->watermark;
      s->input_ended = m.header->last != 0;
      s->taken       = 0;
      ee_inbox_release(s->inbox);
    }
  }
  return EE_OK;
}

bool ee_segment_ready(const ee_segment *s, int64_t now) {
  const ee_run_setup *setup = s->context->setup;
  if (s->filled == 0) return false;
  if (!ee_lessons_ready(s->context->lessons, s->id[s->filled - 1])) return false;
  if (s->filled == setup->batch_limit || s->input_ended) return true;
  return (double)(now - s->first_taken) >= setup->merge_wait * 1e9;
}

bool ee_segment_can_send(const ee_segment *s) {
  ee_answer_batch batch;
  return ee_answer_box_slot(s->context->answers, &batch) &&
         (s->outbox == NULL || ee_outbox_slot(s->outbox) != NULL);
}

/* An empty message: the watermark, and whether it is the last word. */
static bool send_watermark(ee_segment *s, int last, int64_t now) {
  void *slot = ee_outbox_slot(s->outbox);
  if (slot == NULL) return false;
  ee_message_begin(&s->out, slot, 0, s->watermark, last);
  ((ee_message_header *)slot)->sent = now;
  ee_outbox_post(s->outbox, ee_message_bytes(&s->out, 0));
  s->context->totals->bytes_sent += (int64_t)ee_message_bytes(&s->out, 0);
  return true;
}

bool ee_segment_pass_on(ee_segment *s, int64_t now) {
  bool news = s->watermark > s->passed || (s->input_ended && !s->ended);
  if (s->filled > 0 || !news) return false;
  if (s->outbox != NULL && !send_watermark(s, s->input_ended, now)) return false;
  s->passed = s->watermark;
  s->ended  = s->input_ended;
  return true;
}

bool ee_segment_settled(ee_segment *s) {
  return s->ended && ee_inbox_poll(s->inbox) && (s->outbox == NULL || ee_outbox_settled(s->outbox));
}

void ee_segment_close(ee_segment **segment) {
  ee_segment *s = *segment;
  if (s == NULL) return;
  ee_inbox_close(&s->inbox);
  ee_outbox_close(&s->outbox);
  ee_exec_destroy(&s->exec);
  free(s->id);
  free(s->admitted);
  free(s->state);
  free(s->keep);
  free(s);
  *segment = NULL;
}
