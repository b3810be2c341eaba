/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of a device under the plans it knows: preparing the next plan, switching to it. */
#include "device_state.h"
#include "ee/log.h"

ee_status ee_device_add_segment(ee_device *d, ee_segment *segment) {
  if (segment == NULL) return EE_OK;
  for (int i = 0; i < DEVICE_SEGMENTS; i++) {
    if (d->segment[i] == NULL) {
      d->segment[i] = segment;
      return EE_OK;
    }
  }
  ee_segment_close(&segment);
  return EE_FAIL(EE_ERR_STATE, "rank %d still serves %d plans", d->wire.rank, DEVICE_SEGMENTS);
}

void ee_device_note_memory(ee_device *d) {
  size_t bytes = ee_resident_bytes(d->resident);
  for (int i = 0; i < DEVICE_SEGMENTS && d->segment[i] != NULL; i++) bytes += d->segment[i]->bytes;
  if (bytes > d->totals.memory) d->totals.memory = bytes;
}

void ee_device_remove_segment(ee_device *d, int i) {
  int begin = d->segment[i]->begin, end = d->segment[i]->end;
  ee_segment_close(&d->segment[i]);
  for (int layer = begin; layer < end; layer++) {
    if (ee_resident_has(d->resident, layer)) ee_resident_drop(d->resident, layer);
  }
  for (; i + 1 < DEVICE_SEGMENTS; i++) d->segment[i] = d->segment[i + 1];
  d->segment[DEVICE_SEGMENTS - 1] = NULL;
}

uint64_t ee_device_passed(const ee_device *d) {
  uint64_t passed = UINT64_MAX;
  for (int i = 0; i < DEVICE_SEGMENTS && d->segment[i] != NULL; i++) {
    const ee_segment *s = d->segment[i];
    if (!s->ended && s->passed < passed) passed = s->passed;
  }
  return passed;
}

const ee_plan *ee_device_plan(const ee_device *device, int *plan_epoch) {
  if (plan_epoch != NULL) *plan_epoch = device->plan_epoch;
  return device->plan;
}

/* The prepared segment holds the layers that are here already; the others come one by one. */
static ee_status hold_layers(ee_device *d, const ee_segment *segment) {
  for (int layer = segment->begin; layer < segment->end; layer++) {
    if (!ee_resident_has(d->resident, layer)) continue;
    EE_TRY(ee_resident_add(d->resident, layer, NULL));
  }
  return EE_OK;
}

ee_status ee_device_prepare(ee_device *d, const ee_plan *plan) {
  int         epoch   = d->plan_epoch + 1;
  ee_segment *segment = NULL;
  EE_TRY(ee_plan_copy(plan, &d->prepared));
  EE_TRY(ee_segment_open(&d->context, plan, epoch, &segment));
  EE_TRY(ee_device_add_segment(d, segment));
  if (segment != NULL) EE_TRY(hold_layers(d, segment));
  return d->source != NULL ? ee_source_prepare(d->source, plan, epoch) : EE_OK;
}

/* Index of the prepared plan's segment, or -1. */
static int prepared_segment(const ee_device *d) {
  for (int i = 0; i < DEVICE_SEGMENTS && d->segment[i] != NULL; i++) {
    if (d->segment[i]->plan_epoch == d->plan_epoch + 1) return i;
  }
  return -1;
}

ee_status ee_device_switch(ee_device *d, uint64_t first_id) {
  int i = prepared_segment(d);
  if (i >= 0) ee_segment_begin(d->segment[i], first_id);  // ids may have come in before the news
  if (d->source != NULL) EE_TRY(ee_source_switch(d->source, first_id));
  ee_plan_destroy(&d->plan);
  d->plan     = d->prepared;
  d->prepared = NULL;
  d->plan_epoch++;
  return EE_OK;
}

void ee_device_unprepare(ee_device *d) {
  int i = prepared_segment(d);
  if (i >= 0) ee_device_remove_segment(d, i);
  if (d->source != NULL) ee_source_unprepare(d->source);
  ee_plan_destroy(&d->prepared);
}

void ee_device_run_ahead(ee_device *d) {
  d->counters.grows = true;
  if (d->source != NULL) ee_source_allow(d->source, UINT64_MAX);
}

uint64_t ee_device_admitted(const ee_device *d) {
  return d->source != NULL ? ee_source_admitted(d->source) : 0;
}

void ee_device_epochs_known(ee_device *d, int64_t epochs) {
  d->counters.taken = epochs;
  if (d->source == NULL) return;
  uint64_t ahead = (uint64_t)(epochs + d->setup.control_delay + 1);
  ee_source_allow(d->source, ahead * (uint64_t)d->setup.epoch_samples);
}

int64_t ee_device_pace_weights(ee_device *d, int peer, int64_t sent, size_t bytes) {
  if (d->setup.fleet == NULL) return sent;
  return ee_pacer_arrival(&d->pacer, peer, sent, bytes, NULL);
}

void ee_device_hold(ee_device *d, uint64_t id) {
  if (d->source != NULL) ee_source_hold(d->source, id);
}

void ee_device_release(ee_device *d) {
  if (d->source != NULL) ee_source_hold(d->source, UINT64_MAX);
}

int64_t ee_device_latest_answer(const ee_device *d) {
  return d->collector != NULL ? ee_collector_latest(d->collector) : 0;
}

int64_t ee_device_answered(const ee_device *d) {
  return d->collector != NULL ? ee_collector_answered(d->collector) : INT64_MAX;
}
