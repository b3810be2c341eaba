/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a segment, gathering its batches and passing the watermark on. */
#include "segment.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"

static ee_status check_sizes(const ee_segment *s) {
  const ee_run_setup *setup = s->context->setup;
  int                 in    = INT_MAX;
  for (int i = 0; i < s->entries.n; i++) {
    int here = ee_message_most(&s->entries.layout[i]);
    if (here < in) in = here;
  }
  int out  = s->end < setup->model->n_layers ? ee_message_most(&s->out) : INT_MAX;
  int most = in < out ? in : out;
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
  s->go       = malloc(n * sizeof *s->go);
  if (s->id == NULL || s->admitted == NULL || s->state == NULL || s->keep == NULL ||
      s->go == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for batches of %zu samples", n);
  }
  return EE_OK;
}

static void progress(void *context) {
  int flag;  // any call into MPI lets messages move
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, ((const ee_wire *)context)->control, &flag,
             MPI_STATUS_IGNORE);
}

/* Bytes of the longest message that this segment may send, of @p n samples. */
static size_t out_bytes(const ee_segment *s, int n) {
  size_t most = ee_message_bytes(&s->out, n);
  for (int e = 0; ee_segment_parts(s) > 1 && e < s->context->setup->model->n_exits; e++) {
    ee_message_layout part;
    if (!ee_segment_part_layout(s, e, &part)) continue;
    size_t bytes = ee_message_bytes(&part, n);
    if (bytes > most) most = bytes;
  }
  return most;
}

/* That the device of the fleet has room for what the segment needs beside @p slots bytes of
 * messages.  Planners count weights and messages only. */
static ee_status check_room(const ee_segment *s, const ee_memory_need *need, size_t slots) {
  const ee_run_setup *setup = s->context->setup;
  int                 d     = s->context->wire->rank;
  double              room  = setup->fleet != NULL ? setup->fleet->device[d].memory : 0.0;
  size_t              all   = need->weights + need->packed + need->arena + slots;
  if (room <= 0.0 || (double)all <= room) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "device %d (%s) has %.0f byte of memory, but layers %d to %d need %zu: weights "
                 "%zu, packed weights %zu, activations %zu, messages %zu; a smaller batch, fewer "
                 "slots or other cuts need less",
                 d, setup->fleet->device[d].name, room, s->begin, s->end - 1, all, need->weights,
                 need->packed, need->arena, slots);
}

/* Count arena and slots, before they are taken.  Whether a later plan fits, the controller decides;
 * with a table of outcomes no layer runs. */
static ee_status count_bytes(ee_segment *s, bool sends) {
  const ee_run_setup *setup = s->context->setup;
  int                 n     = setup->batch_limit;
  ee_memory_need      need;
  EE_TRY(ee_exec_memory(setup->model, setup->backend, s->begin, s->end, n, &need));
  size_t slots = ee_inbox_bytes(setup->slots, ee_entries_bytes(&s->entries, n));
  if (sends) slots += ee_outbox_bytes(setup->slots, out_bytes(s, n));
  s->bytes = need.arena + slots;
  return s->plan_epoch > 0 || setup->outcomes != NULL ? EE_OK : check_room(s, &need, slots);
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
  EE_TRY(count_bytes(s, to >= 0));
  EE_TRY(allocate(s));
  EE_TRY(ee_exec_create(c->resident, s->begin, s->end, setup->batch_limit, &s->exec));
  ee_exec_set_progress(s->exec, progress, (void *)(uintptr_t)c->wire);
  EE_TRY(ee_inbox_open(c->wire, from, s->plan_epoch, setup->slots,
                       ee_entries_bytes(&s->entries, setup->batch_limit), c->pacer, &s->inbox));
  if (to >= 0) {
    EE_TRY(ee_outbox_open(c->wire, to, s->plan_epoch, setup->slots,
                          out_bytes(s, setup->batch_limit), c->pacer, &s->outbox));
  }
  listen(s, from, to);
  return EE_OK;
}

ee_status ee_segment_open(const ee_segment_context *context, const ee_plan *plan, int plan_epoch,
                          ee_segment **segment) {
  *segment  = NULL;
  int stage = ee_plan_stage_of_device(plan, context->wire->rank);
  if (stage < 0) return EE_OK;

  const ee_run_setup *setup = context->setup;
  const ee_stage     *own   = &plan->stage[stage];
  size_t              state = ee_sample_state_bytes(setup->policy);
  ee_segment         *s     = calloc(1, sizeof *s);
  if (s == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a segment");
  *s = (ee_segment){.context    = context,
                    .plan_epoch = plan_epoch,
                    .begin      = own->begin,
                    .end        = own->end,
                    .in         = ee_message_layout_for(setup, plan_epoch, own->begin, state),
                    .out        = ee_message_layout_for(setup, plan_epoch, own->end, state),
                    .passed     = UINT64_MAX};

  ee_status status = ee_entries_open(setup, plan, plan_epoch, stage, &s->entries);
  int       from   = stage > 0 ? plan->stage[stage - 1].device : 0;  // rank 0 is the source
  int       to     = stage + 1 < plan->n_stages ? plan->stage[stage + 1].device : -1;
  if (status == EE_OK) {
    s->begin = s->entries.layout[0].cut;
    status   = open_parts(s, from, to);
  }
  if (status != EE_OK) ee_segment_close(&s);
  *segment = s;
  return status;
}

/* Copy `n` samples of the message, from its `taken`th on, behind those already in the batch. */
static void take_samples(ee_segment *s, const ee_message_layout *in, const ee_message *m, int n) {
  const ee_model *model = s->context->setup->model;
  size_t          at = (size_t)s->filled, from = (size_t)s->taken, count = (size_t)n;
  memcpy(s->id + at, m->id + from, count * sizeof *s->id);
  memcpy(s->admitted + at, m->admitted + from, count * sizeof *s->admitted);
  memcpy(s->state + at * s->in.state_bytes, m->state + from * s->in.state_bytes,
         count * s->in.state_bytes);

  const unsigned char *values = m->values;
  for (int i = 0; i < in->n_values; i++) {
    int    v   = in->value[i];
    size_t one = ee_link_value_bytes(model, v, in->values);
    float *to  = ee_exec_input(s->exec, v) + at * (size_t)ee_model_value_elements(model, v);
    ee_link_take(model, v, in->values, values + from * one, count, to);
    values += (size_t)m->header->n * one;
  }
  s->filled += n;
  s->taken += n;
}

/* Ids stand between those that came in before and the message's watermark; they rise, unless parts
 * of batches were merged on the way. */
static ee_status check_ids(const ee_segment *s, const ee_message *m) {
  const ee_message_header *h    = m->header;
  uint64_t                 next = s->watermark, above = s->watermark;
  int                      i = 0;
  for (; i < h->n && m->id[i] >= next; i++) {
    if (m->id[i] >= above) above = m->id[i] + 1;
    if (!s->context->setup->offload) next = above;
  }
  if (i == h->n && above <= h->watermark && h->watermark <= s->context->setup->n_samples) {
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_PEER,
                 "rank %d sent sample %llu of %d under watermark %llu after watermark %llu, in a "
                 "stream of %llu",
                 ee_inbox_peer(s->inbox), (unsigned long long)(i < h->n ? m->id[i] : above - 1),
                 h->n, (unsigned long long)h->watermark, (unsigned long long)s->watermark,
                 (unsigned long long)s->context->setup->n_samples);
}

/* The entry that a message is for; of one too short to tell the plan's. */
static int entry_of(const ee_segment *s, const ee_arrival *arrival) {
  ee_message_header h = {.cut = -1};
  if (arrival->bytes >= sizeof h) memcpy(&h, arrival->buffer, sizeof h);
  return ee_entries_at(&s->entries, h.cut);
}

/* First look at a message: check it and count it. */
static ee_status meet_message(ee_segment *s, const ee_arrival *arrival, int64_t now) {
  const ee_message_layout *in = &s->entries.layout[entry_of(s, arrival)];
  EE_TRY(ee_message_check(in, arrival->buffer, arrival->bytes, s->context->setup->batch_limit,
                          ee_inbox_peer(s->inbox)));
  const ee_message_header *h = arrival->buffer;
  ee_message               m = ee_message_view(in, arrival->buffer, h->n);
  EE_TRY(check_ids(s, &m));
  uint64_t         newest = h->watermark - (h->watermark > 0);
  ee_epoch_counts *counts = ee_counters_of(s->context->counters, newest);
  counts->received_bytes += (int64_t)arrival->bytes;
  counts->link_ns += arrival->occupied;
  s->context->totals->bytes_received += (int64_t)arrival->bytes;
  ee_message_tell(&s->in_end, arrival->buffer, arrival->bytes, now);
  return EE_OK;
}

/* The head message was taken as a whole: what its watermark says holds, if its batch ends here. */
static void end_message(ee_segment *s, const ee_message_header *h, int64_t now) {
  s->ceiling = h->watermark;
  if (h->follows != EE_FOLLOWS_PART) s->watermark = s->ceiling;
  s->input_ended = h->follows == EE_FOLLOWS_NOTHING;
  s->taken       = 0;
  s->met         = false;
  ee_inbox_release(s->inbox, now);
}

/* The newest id of the batch. */
static uint64_t newest_id(const ee_segment *s) {
  uint64_t newest = s->id[0];
  for (int i = 1; i < s->filled; i++) {
    if (s->id[i] > newest) newest = s->id[i];
  }
  return newest;
}

/* The rest of the head message stays for the next batch. */
static void leave_rest(ee_segment *s, const ee_message *m) {
  uint64_t least = m->id[s->taken];
  for (int i = s->taken; i < m->header->n; i++) {
    if (m->id[i] < least) least = m->id[i];
  }
  bool part  = m->header->follows == EE_FOLLOWS_PART;
  s->ceiling = part || newest_id(s) > least ? m->header->watermark : least;
  if (!part) s->watermark = least;
}

/* Take from the head message what fits into the batch.  A batch comes in at one cut. */
static void take_message(ee_segment *s, const ee_arrival *arrival, int64_t now) {
  int                      entry = entry_of(s, arrival);
  const ee_message_layout *in    = &s->entries.layout[entry];
  int                      n     = ((const ee_message_header *)arrival->buffer)->n;
  ee_message               m     = ee_message_view(in, arrival->buffer, n);
  s->closed                      = s->filled > 0 && n > 0 && entry != s->entry;
  if (s->closed) return;
  if (s->filled == 0) s->first_taken = now;
  if (n > 0) s->entry = entry;

  int room = s->context->setup->batch_limit - s->filled, left = n - s->taken;
  take_samples(s, in, &m, left < room ? left : room);
  if (s->taken == n) {
    end_message(s, m.header, now);
    return;
  }
  leave_rest(s, &m);
}

ee_status ee_segment_gather(ee_segment *s, int64_t now, bool *busy) {
  int        limit = s->context->setup->batch_limit;
  ee_arrival arrival;
  ee_inbox_poll(s->inbox, now);
  while (s->filled < limit && !s->closed && !s->input_ended &&
         ee_inbox_head(s->inbox, now, &arrival)) {
    if (!s->met) EE_TRY(meet_message(s, &arrival, now));
    s->met = true;
    take_message(s, &arrival, now);
    *busy = true;
  }
  return EE_OK;
}

bool ee_segment_ready(const ee_segment *s, int64_t now) {
  const ee_run_setup *setup = s->context->setup;
  if (s->filled == 0) return false;
  if (!ee_lessons_ready(s->context->lessons, newest_id(s))) return false;
  if (s->filled == setup->batch_limit || s->closed || s->input_ended) return true;
  return (double)(now - s->first_taken) >= setup->merge_wait * 1e9;
}

int ee_segment_parts(const ee_segment *s) {
  const ee_run_setup *setup = s->context->setup;
  int                 parts = 1;
  for (int e = 0; e < setup->model->n_exits; e++) parts += ee_segment_part_layout(s, e, NULL);
  return parts;
}

bool ee_segment_part_layout(const ee_segment *s, int e, ee_message_layout *layout) {
  const ee_run_setup *setup = s->context->setup;
  int                 cut   = setup->model->exit[e].attach + 1;
  if (!setup->offload || cut <= s->in.cut || cut >= s->end || s->end >= setup->model->n_layers) {
    return false;
  }
  if (layout != NULL) {
    *layout = ee_message_layout_for(setup, s->plan_epoch, cut, s->in.state_bytes);
  }
  return true;
}

bool ee_segment_can_send(const ee_segment *s) {
  ee_answer_batch batch;
  return ee_answer_box_slot(s->context->answers, &batch) &&
         (s->outbox == NULL || ee_outbox_slot_ahead(s->outbox, ee_segment_parts(s) - 1) != NULL);
}

/* An empty message: a watermark, and what follows. */
static bool send_empty(ee_segment *s, uint64_t watermark, ee_follows follows, int64_t now) {
  void *slot = ee_outbox_slot(s->outbox);
  if (slot == NULL) return false;
  ee_message_begin(&s->out, slot, 0, watermark, follows);
  ee_outbox_post(s->outbox, ee_message_bytes(&s->out, 0), now);
  s->context->totals->bytes_sent += (int64_t)ee_message_bytes(&s->out, 0);
  return true;
}

bool ee_segment_send_watermark(ee_segment *s, uint64_t watermark, int64_t now) {
  return send_empty(s, watermark, EE_FOLLOWS_BATCH, now);
}

bool ee_segment_pass_on(ee_segment *s, int64_t now) {
  bool news = s->watermark > s->passed || (s->input_ended && !s->ended);
  if (s->filled > 0 || !news) return false;
  ee_follows follows = s->input_ended ? EE_FOLLOWS_NOTHING : EE_FOLLOWS_BATCH;
  if (s->outbox != NULL && !send_empty(s, s->watermark, follows, now)) return false;
  s->passed = s->watermark;
  s->ended  = s->input_ended;
  return true;
}

void ee_segment_await(ee_segment *s, bool held, ee_waiter *waiter) {
  const ee_run_setup *setup = s->context->setup;
  bool                room  = s->filled < setup->batch_limit && !s->closed && !s->input_ended;
  ee_inbox_await_credits(s->inbox, waiter);
  if (s->outbox != NULL) ee_outbox_await(s->outbox, waiter);
  if (room) ee_inbox_await(s->inbox, waiter);
  if (!room || s->filled == 0 || held) return;
  int64_t full = s->first_taken + (int64_t)ceil(fmin(setup->merge_wait * 1e9, 1e18));
  if (full > ee_clock_ns() - s->context->origin) ee_waiter_until(waiter, full);
}

bool ee_segment_settled(ee_segment *s, int64_t now) {
  return s->ended && ee_inbox_poll(s->inbox, now) &&
         (s->outbox == NULL || ee_outbox_settled(s->outbox));
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
  free(s->go);
  ee_entries_close(&s->entries);
  free(s);
  *segment = NULL;
}
