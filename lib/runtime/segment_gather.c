/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering a segment's batches from the links into it. */
#include <string.h>

#include "ee/clock.h"
#include "segment.h"

/* Copy `n` samples of the message, from the input's `taken`th on, behind those already in the
 * batch.
 */
static void take_samples(ee_segment *s, ee_input *input, const ee_message_layout *in,
                         const ee_message *m, int n) {
  const ee_model *model = s->context->setup->model;
  int64_t         begin = ee_clock_ns();
  size_t          at = (size_t)s->filled, from = (size_t)input->taken, count = (size_t)n;
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
  s->taking += ee_clock_ns() - begin;
  input->taken += n;
}

/* How many ids of a message, from its first on, are not out of place.  None is below what came in
 * over this link before; and unless batches were dealt out or parted on the way, they rise.
 * @param[out] above  beyond the greatest of them */
static int count_good(const ee_segment *s, const ee_input *input, const ee_message *m,
                      uint64_t *above) {
  bool     rise = s->ordered && !s->context->setup->offload;
  uint64_t next = input->watermark;
  int      i    = 0;
  *above        = input->watermark;
  for (; i < m->header->n && m->id[i] >= next; i++) {
    if (m->id[i] >= *above) *above = m->id[i] + 1;
    if (rise) next = *above;
  }
  return i;
}

/* Ids stand above those that came in before, and below the message's watermark, or where samples
 * were dealt out over several devices on the way, below the end of the stream. */
static ee_status check_ids(const ee_segment *s, const ee_input *input, const ee_message *m) {
  const ee_message_header *h   = m->header;
  uint64_t                 end = s->context->setup->n_samples, above;
  int                      i   = count_good(s, input, m, &above);
  if (i == h->n && above <= (s->ordered ? h->watermark : end) && h->watermark >= input->watermark &&
      h->watermark <= end) {
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_PEER,
                 "rank %d sent sample %llu of %d under watermark %llu after watermark %llu, in a "
                 "stream of %llu",
                 ee_inbox_peer(input->inbox), (unsigned long long)(i < h->n ? m->id[i] : above - 1),
                 h->n, (unsigned long long)h->watermark, (unsigned long long)input->watermark,
                 (unsigned long long)end);
}

/* The entry that a message is for; of one too short to tell the plan's. */
static int entry_of(const ee_segment *s, const ee_arrival *arrival) {
  ee_message_header h = {.cut = -1};
  if (arrival->bytes >= sizeof h) memcpy(&h, arrival->buffer, sizeof h);
  return ee_entries_at(&s->entries, h.cut);
}

/* An id of the newest epoch that a message is about. */
static uint64_t newest_of(const ee_message *m) {
  uint64_t newest = m->header->watermark - (m->header->watermark > 0);
  for (int i = 0; i < m->header->n; i++) {
    if (m->id[i] > newest) newest = m->id[i];
  }
  return newest;
}

/* First look at a message: check it and count it. */
static ee_status meet_message(ee_segment *s, ee_input *input, const ee_arrival *arrival,
                              int64_t now) {
  const ee_message_layout *in   = &s->entries.layout[entry_of(s, arrival)];
  const ee_run_setup      *run  = s->context->setup;
  int                      peer = ee_inbox_peer(input->inbox);
  EE_TRY(ee_message_check(in, arrival->buffer, arrival->bytes, run->batch_limit, peer));
  const ee_message_header *h = arrival->buffer;
  ee_message               m = ee_message_view(in, arrival->buffer, h->n);
  EE_TRY(check_ids(s, input, &m));
  uint64_t newest = newest_of(&m);
  EE_TRY(ee_counters_reserve(s->context->counters, newest));
  ee_epoch_counts *counts = ee_counters_of(s->context->counters, newest);
  counts->received_bytes += (int64_t)arrival->bytes;
  counts->link_ns += arrival->occupied;
  s->context->totals->bytes_received += (int64_t)arrival->bytes;
  const ee_message_end end = {run->sink, EE_EVENT_RECEIVE, s->context->wire->rank, peer, s->begin};
  ee_message_tell(&end, arrival->buffer, arrival->bytes, now);
  input->met = true;
  return EE_OK;
}

/* What all links promise is what the least of them does. */
static void merge_watermarks(ee_segment *s) {
  uint64_t least = UINT64_MAX;
  bool     ended = true;
  for (int i = 0; i < s->n_inputs; i++) {
    if (s->input[i].watermark < least) least = s->input[i].watermark;
    ended &= s->input[i].ended;
  }
  s->watermark   = least;
  s->input_ended = ended;
}

/* The head message was taken as a whole: what its watermark says holds, if its batch ends here. */
static void end_message(ee_segment *s, ee_input *input, const ee_message_header *h, int64_t now) {
  s->ceiling = h->watermark;
  if (h->follows != EE_FOLLOWS_PART) input->watermark = h->watermark;
  input->ended = h->follows == EE_FOLLOWS_NOTHING;
  input->taken = 0;
  input->met   = false;
  ee_inbox_release(input->inbox, now);
  merge_watermarks(s);
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
static void leave_rest(ee_segment *s, ee_input *input, const ee_message *m) {
  uint64_t least = m->id[input->taken];
  for (int i = input->taken; i < m->header->n; i++) {
    if (m->id[i] < least) least = m->id[i];
  }
  bool part  = m->header->follows == EE_FOLLOWS_PART;
  s->ceiling = part || newest_id(s) > least ? m->header->watermark : least;
  if (least > m->header->watermark) least = m->header->watermark;  // not where ids are in order
  if (!part) input->watermark = least;
  merge_watermarks(s);
}

/* Take from the head message what fits into the batch.  A batch comes in at one cut. */
static void take_message(ee_segment *s, ee_input *input, const ee_arrival *arrival, int64_t now) {
  int                      entry = entry_of(s, arrival);
  const ee_message_layout *in    = &s->entries.layout[entry];
  int                      n     = ((const ee_message_header *)arrival->buffer)->n;
  ee_message               m     = ee_message_view(in, arrival->buffer, n);
  s->closed                      = s->filled > 0 && n > 0 && entry != s->entry;
  if (s->closed) return;
  if (s->filled == 0) s->first_taken = now;
  if (n > 0) s->entry = entry;

  int room = s->context->setup->batch_limit - s->filled, left = n - input->taken;
  take_samples(s, input, in, &m, left < room ? left : room);
  if (input->taken == n) {
    end_message(s, input, m.header, now);
  } else {
    leave_rest(s, input, &m);
  }
}

/* Take one message from an input.  *any is set if there was one. */
static ee_status gather_one(ee_segment *s, ee_input *input, int64_t now, bool *any) {
  ee_arrival arrival;
  if (s->filled == s->context->setup->batch_limit || s->closed || input->ended ||
      !ee_inbox_head(input->inbox, now, &arrival)) {
    return EE_OK;
  }
  if (!input->met) EE_TRY(meet_message(s, input, &arrival, now));
  take_message(s, input, &arrival, now);
  *any = true;
  return EE_OK;
}

bool ee_segment_may_begin(const ee_segment *s) {
  return s->n_inputs == 1 || s->passed != UINT64_MAX;
}

ee_status ee_segment_gather(ee_segment *s, int64_t now, bool *busy) {
  for (int i = 0; i < s->n_inputs; i++) ee_inbox_poll(s->input[i].inbox, now);
  if (!ee_segment_may_begin(s)) return EE_OK;
  for (bool any = true; any;) {  // one message from each, so that none has to wait for all others
    any = false;
    for (int i = 0; i < s->n_inputs; i++) {
      ee_input *input = &s->input[(s->next_input + i) % s->n_inputs];
      EE_TRY(gather_one(s, input, now, &any));
    }
    *busy |= any;
  }
  s->next_input = (s->next_input + 1) % s->n_inputs;
  return EE_OK;
}

bool ee_segment_ready(const ee_segment *s, int64_t now) {
  const ee_run_setup *setup = s->context->setup;
  if (s->filled == 0) return false;
  if (!ee_lessons_ready(s->context->lessons, newest_id(s))) return false;
  if (s->filled == setup->batch_limit || s->closed || s->input_ended) return true;
  return (double)(now - s->first_taken) >= setup->merge_wait * 1e9;
}
