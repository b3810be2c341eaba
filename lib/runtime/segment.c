/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a segment. */
#include "segment.h"

#include <limits.h>
#include <stdlib.h>

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
 * messages, as planners have seen to unless the cuts were given. */
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

/* Count arena and slots, before they are taken.  Whether a later plan fits, the controller decides.
 */
static ee_status count_bytes(ee_segment *s, int n_out) {
  const ee_run_setup *setup = s->context->setup;
  int                 n     = setup->batch_limit;
  ee_memory_need      need;
  EE_TRY(ee_exec_memory(setup->model, setup->backend, s->begin, s->end, n, &need));
  size_t in    = ee_inbox_bytes(setup->slots, ee_entries_bytes(&s->entries, n));
  size_t slots = (size_t)s->n_inputs * in;
  if (n_out > 0) slots += (size_t)n_out * ee_outbox_bytes(setup->slots, out_bytes(s, n));
  s->bytes = need.arena + slots;
  return s->plan_epoch > 0 ? EE_OK : check_room(s, &need, slots);
}

static void tell_sent(void *context, int peer, const void *message, size_t bytes) {
  const ee_segment *s   = context;
  ee_message_end    end = {s->context->setup->sink, EE_EVENT_SEND, s->context->wire->rank, peer,
                           s->end};
  ee_message_tell(&end, message, bytes, ee_clock_ns() - s->context->origin);
}

static ee_status open_inputs(ee_segment *s, const ee_plan *plan, int stage) {
  const ee_segment_context *c     = s->context;
  const ee_run_setup       *setup = c->setup;
  size_t                    bytes = ee_entries_bytes(&s->entries, setup->batch_limit);
  s->input                        = calloc((size_t)s->n_inputs, sizeof *s->input);
  if (s->input == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d links", s->n_inputs);
  for (int i = 0; i < s->n_inputs; i++) {
    int from = stage > 0 ? ee_plan_device(plan, stage - 1, i) : 0;  // rank 0 is the source
    EE_TRY(ee_inbox_open(c->wire, from, s->plan_epoch, setup->slots, bytes, c->pacer,
                         &s->input[i].inbox));
  }
  return EE_OK;
}

static ee_status open_fan(ee_segment *s, const ee_plan *plan, int stage) {
  const ee_segment_context *c     = s->context;
  const ee_run_setup       *setup = c->setup;
  int                       place = ee_plan_place(plan, c->wire->rank);
  if (stage + 1 == plan->n_stages) return EE_OK;
  EE_TRY(ee_fan_open(c->wire, plan, stage + 1, place, s->plan_epoch, setup->slots,
                     out_bytes(s, setup->batch_limit), c->pacer, &s->fan));
  s->fan.bytes = &c->totals->bytes_sent;
  if (setup->sink != NULL) ee_fan_listen(&s->fan, tell_sent, s);
  return EE_OK;
}

static ee_status open_parts(ee_segment *s, const ee_plan *plan, int stage) {
  const ee_segment_context *c = s->context;
  EE_TRY(check_sizes(s));
  EE_TRY(count_bytes(s, stage + 1 < plan->n_stages ? ee_plan_width(plan, stage + 1) : 0));
  EE_TRY(allocate(s));
  EE_TRY(ee_exec_create(c->resident, s->begin, s->end, c->setup->batch_limit, &s->exec));
  ee_exec_set_progress(s->exec, progress, (void *)(uintptr_t)c->wire);
  EE_TRY(open_inputs(s, plan, stage));
  return open_fan(s, plan, stage);
}

/* Whether samples come into a stage in the order of their ids: no stage before has parted them. */
static bool in_order(const ee_plan *plan, int stage) {
  return plan->n_replicas == 0 || plan->replica[0].stage >= stage;
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
                    .passed     = UINT64_MAX,
                    .ordered    = in_order(plan, stage),
                    .n_inputs   = stage > 0 ? ee_plan_width(plan, stage - 1) : 1};

  ee_status status = ee_entries_open(setup, plan, plan_epoch, stage, &s->entries);
  if (status == EE_OK) {
    s->begin = s->entries.layout[0].cut;
    status   = open_parts(s, plan, stage);
  }
  if (status != EE_OK) ee_segment_close(&s);
  *segment = s;
  return status;
}

void ee_segment_begin(ee_segment *s, uint64_t first_id) {
  s->passed = s->passed == UINT64_MAX || s->passed < first_id ? first_id : s->passed;
  for (int i = 0; i < s->n_inputs; i++) {
    if (s->input[i].watermark < first_id) s->input[i].watermark = first_id;
  }
  if (s->watermark < first_id) s->watermark = first_id;
  ee_fan_begin(&s->fan, first_id);
}

void ee_segment_close(ee_segment **segment) {
  ee_segment *s = *segment;
  if (s == NULL) return;
  for (int i = 0; i < s->n_inputs && s->input != NULL; i++) ee_inbox_close(&s->input[i].inbox);
  ee_fan_close(&s->fan);
  ee_exec_destroy(&s->exec);
  free(s->input);
  free(s->id);
  free(s->admitted);
  free(s->state);
  free(s->keep);
  free(s->go);
  ee_entries_close(&s->entries);
  free(s);
  *segment = NULL;
}
