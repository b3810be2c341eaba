/* SPDX-License-Identifier: Apache-2.0 */
/* Making a device: communicators, layers, the segment of the first plan; on rank 0 also the source
 * and the collector. */
#include <math.h>
#include <stdlib.h>

#include "device_state.h"
#include "ee/agree.h"
#include "ee/clock.h"
#include "setup.h"

static ee_status load_layers(ee_device *d) {
  int stage = ee_plan_stage_of_device(d->setup.plan, d->wire.rank);
  if (stage < 0) return EE_OK;
  int first = ee_entries_first_layer(&d->setup, d->setup.plan, stage);
  for (int layer = first; layer < d->setup.plan->stage[stage].end; layer++) {
    float *blob = NULL;
    EE_TRY(d->setup.layers.read(d->setup.layers.self, layer, &blob));
    EE_TRY(ee_resident_add(d->resident, layer, blob));
  }
  return EE_OK;
}

static ee_status open_root_parts(ee_device *d) {
  if (d->wire.rank != 0) return EE_OK;
  const ee_run_setup *s     = &d->setup;
  ee_collector_setup  setup = {.n_samples   = s->n_samples,
                               .label       = s->label,
                               .n_exits     = s->model->n_exits,
                               .n_classes   = s->model->n_classes,
                               .batch_limit = s->batch_limit,
                               .with_logits = s->with_logits,
                               .sink        = s->sink,
                               .pacer       = &d->pacer,
                               .deadline    = {s->latency_limit, s->rate}};
  EE_TRY(ee_collector_open(&d->wire, &setup, &d->collector));
  EE_TRY(ee_source_open(&d->wire, s, &d->pacer, &d->source));
  ee_source_allow(d->source, (uint64_t)s->epoch_samples * (uint64_t)(s->control_delay + 1));
  return EE_OK;
}

/* Everything that can fail on one rank alone. */
static ee_status open_parts(ee_device *d) {
  ee_run_setup *s = &d->setup;
  EE_TRY(ee_setup_check(s, d->wire.size));
  EE_TRY(ee_plan_copy(s->plan, &d->plan));
  EE_TRY(ee_pacer_open(s->fleet, s->host_flops, d->wire.rank, &d->pacer));
  EE_TRY(ee_counters_open(s->model->n_exits, (uint64_t)s->epoch_samples, s->control_delay,
                          &d->counters));
  EE_TRY(ee_lessons_open(s->policy, (uint64_t)s->epoch_samples, s->control_delay, s->offload_costs,
                         &d->lessons));
  EE_TRY(ee_resident_create(s->model, s->backend, &d->resident));
  EE_TRY(ee_answer_box_open(&d->wire, 2 * s->slots, s->batch_limit, s->model->n_classes,
                            s->with_logits, &d->answers));
  d->probability = malloc((size_t)s->model->n_classes * sizeof *d->probability);
  if (d->probability == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d classes", s->model->n_classes);

  d->context          = (ee_segment_context){.wire        = &d->wire,
                                             .setup       = s,
                                             .pacer       = &d->pacer,
                                             .counters    = &d->counters,
                                             .resident    = d->resident,
                                             .answers     = d->answers,
                                             .totals      = &d->totals,
                                             .probability = d->probability,
                                             .lessons     = &d->lessons,
                                             .deadline    = {s->latency_limit, s->rate}};
  ee_segment *segment = NULL;
  EE_TRY(ee_segment_open(&d->context, d->plan, 0, &segment));
  if (segment != NULL) ee_segment_begin(segment, 0);
  EE_TRY(ee_device_add_segment(d, segment));
  EE_TRY(load_layers(d));
  return open_root_parts(d);
}

ee_status ee_device_create(MPI_Comm comm, const ee_run_setup *setup, ee_device **device) {
  *device           = NULL;
  ee_device *d      = calloc(1, sizeof *d);
  ee_status  status = d == NULL ? EE_FAIL(EE_ERR_NOMEM, "for a device") : EE_OK;
  status            = ee_agree(comm, status, 0);
  if (status != EE_OK) {
    free(d);
    return status;
  }
  d->setup      = *setup;
  d->idle_since = -1;
  ee_wire_open(comm, &d->wire);
  ee_alarm_open(&d->wire, &d->alarm);
  status = open_parts(d);
  status = ee_agree(comm, status, status == EE_OK ? ee_setup_key(setup) : 0);
  if (status == EE_ERR_MISMATCH) {
    EE_FAIL(status,
            "ranks were given different runs; plan, fleet, model, backend, policy, samples, rate, "
            "batch, slots, epoch and control delay must be the same on all");
  }
  if (status != EE_OK) ee_device_destroy(&d);
  *device = d;
  return status;
}

const ee_device_totals *ee_device_totals_of(const ee_device *device) {
  return &device->totals;
}

MPI_Comm ee_device_control_comm(const ee_device *device) {
  return device->wire.control;
}

MPI_Comm ee_device_weights_comm(const ee_device *device) {
  return device->wire.weights;
}

const ee_run_setup *ee_device_setup(const ee_device *device) {
  return &device->setup;
}

int ee_device_rank(const ee_device *device) {
  return device->wire.rank;
}

int64_t ee_device_now(const ee_device *device) {
  return ee_clock_ns() - device->context.origin;
}

ee_resident *ee_device_resident(ee_device *device) {
  return device->resident;
}

const ee_epoch_counts *ee_device_counts(const ee_device *device, int64_t epoch) {
  // The ring is the device's own; looking an epoch up may zero its place, which is no change
  // that anybody else sees.
  ee_counters *counters = (ee_counters *)(uintptr_t)&device->counters;
  return ee_counters_of(counters, (uint64_t)epoch * counters->epoch_samples);
}

size_t ee_device_learned_length(const ee_device *device) {
  return device->lessons.learned;
}

const int64_t *ee_device_learned(ee_device *device, int64_t epoch) {
  return ee_lessons_sums(&device->lessons, (uint64_t)epoch * device->lessons.epoch_samples);
}

void ee_device_teach(ee_device *device, const int64_t *sums, double offload_cost) {
  if (device->lessons.learned > 0) ee_lessons_take(&device->lessons, sums, offload_cost);
}

double ee_device_offload_cost(const ee_device *device, int64_t epoch) {
  const ee_lessons *l    = &device->lessons;
  const double     *cost = ee_lessons_offload_cost(l, (uint64_t)epoch * l->epoch_samples);
  return cost != NULL ? *cost : NAN;
}

void ee_device_trace_event(ee_device *device, const ee_event *event) {
  const ee_trace_sink *sink = device->setup.sink;
  if (sink != NULL && sink->event != NULL) sink->event(sink->self, event);
}

void ee_device_destroy(ee_device **device) {
  ee_device *d = *device;
  if (d == NULL) return;
  ee_alarm_close(&d->alarm);
  while (d->segment[0] != NULL) ee_device_remove_segment(d, 0);
  ee_source_close(&d->source);
  ee_collector_close(&d->collector);
  ee_answer_box_close(&d->answers);
  ee_resident_destroy(&d->resident);
  ee_counters_close(&d->counters);
  ee_lessons_close(&d->lessons);
  ee_pacer_close(&d->pacer);
  ee_plan_destroy(&d->plan);
  ee_plan_destroy(&d->prepared);
  free(d->probability);
  ee_wire_close(&d->wire);
  free(d);
  *device = NULL;
}
