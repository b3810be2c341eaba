/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/trace_file.h"
#include "ee_test.h"

/**
 * @file trace_made.h
 * A made-up run whose records follow from their index, for the tests of trace files.
 */

#define N_LAYERS 5
#define N_DEVICES 3
#define N_EXITS 2
#define N_CLASSES 4

static ee_stage stages[2] = {{0, 2, 2}, {2, 5, 0}};
static ee_plan  plan      = {
          .n_layers = N_LAYERS, .n_devices = N_DEVICES, .n_stages = 2, .stage = stages};

static inline ee_trace_header header(int with_logits) {
  return (ee_trace_header){.command       = "edgeexit run model.h5 \"data file.h5\"",
                           .model_path    = "model.h5",
                           .data_path     = "data file.h5",
                           .policy        = "threshold:0=0.5",
                           .clock         = "paced",
                           .host          = "node1",
                           .versions      = "EdgeExit 0.1.0",
                           .fleet_text    = "name: home\n",
                           .seed          = UINT64_MAX - 1,
                           .n_samples     = 1000,
                           .n_ranks       = N_DEVICES,
                           .n_exits       = N_EXITS,
                           .n_classes     = N_CLASSES,
                           .n_layers      = N_LAYERS,
                           .n_devices     = N_DEVICES,
                           .batch_limit   = 8,
                           .epoch_samples = 100,
                           .started       = 1.5e9,
                           .plan          = &plan,
                           .with_logits   = with_logits};
}

static inline ee_answer answer(int i) {
  return (ee_answer){.id         = (uint64_t)i,
                     .label      = i % N_CLASSES,
                     .prediction = (i + (i % 3 == 0)) % N_CLASSES,
                     .exit       = i % N_EXITS,
                     .plan_epoch = i / 500,
                     .confidence = (float)i / 1e4f,
                     .device     = i % N_DEVICES,
                     .decided_at = i % N_EXITS / 2,
                     .way        = i % 2,
                     .arm        = i % 5 - 1,
                     .reward     = (float)i / 7.0f,
                     .absent     = ((uint64_t)i << 60) + (uint64_t)i % 3,
                     .admitted   = 1000 * (int64_t)i,
                     .answered   = 1000 * (int64_t)i + 77};
}

static inline ee_event event(int i) {
  return (ee_event){.rank       = i % N_DEVICES,
                    .kind       = i % EE_EVENT_COUNT,
                    .start      = 10 * (int64_t)i,
                    .end        = 10 * (int64_t)i + 9,
                    .first_id   = (uint64_t)i * 3,
                    .samples    = i % 8,
                    .plan_epoch = i / 500,
                    .bytes      = (int64_t)i << 20,
                    .peer       = i % 2 == 0 ? -1 : i % N_DEVICES,
                    .layer      = i % N_LAYERS - 1};
}

static inline float logit(int i, int k) {
  return (float)(i * 10 + k);
}

static inline void write_answers(ee_trace_sink *sink, int first, int last) {
  for (int i = first; i < last; i++) {
    ee_answer a = answer(i);
    float     logits[N_CLASSES];
    for (int k = 0; k < N_CLASSES; k++) logits[k] = logit(i, k);
    sink->answer(sink->self, &a, logits, N_CLASSES);
  }
}

static inline void write_events(ee_trace_sink *sink, int first, int last) {
  for (int i = first; i < last; i++) {
    ee_event e = event(i);
    sink->event(sink->self, &e);
  }
}

static inline void write_epoch(ee_trace_sink *sink, int epoch, const ee_plan *after) {
  int64_t         left[N_EXITS] = {epoch, 2 * epoch}, reached[N_EXITS] = {3 * epoch, 4 * epoch};
  double          busy[N_DEVICES] = {0.5, 0.25, epoch};
  ee_epoch_record record          = {.epoch            = epoch,
                                     .verdict          = EE_VERDICT_ADOPTED,
                                     .plan_epoch       = epoch / 2,
                                     .time             = epoch * INT64_C(1000000),
                                     .switch_id        = UINT64_MAX - (uint64_t)epoch,
                                     .period_measured  = 1e-3,
                                     .period_predicted = 2e-3,
                                     .period_best      = 0.5e-3,
                                     .moved_bytes      = 1e6,
                                     .n_exits          = N_EXITS,
                                     .n_devices        = N_DEVICES,
                                     .left             = left,
                                     .reached          = reached,
                                     .busy             = busy,
                                     .before           = &plan,
                                     .after            = after};
  sink->epoch(sink->self, &record);
}

static inline ee_trace_sink create(const char *path, int with_logits) {
  ee_trace_header h = header(with_logits);
  ee_trace_sink   sink;
  CU_ASSERT_EQUAL_FATAL(ee_trace_create(path, &h, &sink), EE_OK);
  return sink;
}

static inline ee_trace_file *reopen(const char *path) {
  ee_trace_file *file   = NULL;
  ee_status      status = ee_trace_open(path, &file);
  if (status != EE_OK) printf("not read: %s\n", ee_status_message());
  CU_ASSERT_EQUAL_FATAL(status, EE_OK);
  return file;
}

static inline int same_answer(const ee_answer *a, const ee_answer *b) {
  return a->id == b->id && a->label == b->label && a->prediction == b->prediction &&
         a->exit == b->exit && a->plan_epoch == b->plan_epoch && a->confidence == b->confidence &&
         a->device == b->device && a->decided_at == b->decided_at && a->way == b->way &&
         a->arm == b->arm && a->reward == b->reward && a->absent == b->absent &&
         a->admitted == b->admitted && a->answered == b->answered;
}

static inline int same_event(const ee_event *a, const ee_event *b) {
  return a->rank == b->rank && a->kind == b->kind && a->start == b->start && a->end == b->end &&
         a->first_id == b->first_id && a->samples == b->samples && a->plan_epoch == b->plan_epoch &&
         a->bytes == b->bytes && a->peer == b->peer && a->layer == b->layer;
}

/* That the file holds answers 0 .. expected - 1 and their logits, and nothing else. */
static inline void check_answers(const ee_trace_file *file, int expected, int with_logits) {
  int64_t          n;
  const ee_answer *answers = ee_trace_file_answers(file, &n);
  int              good    = 0;
  CU_ASSERT_EQUAL_FATAL(n, expected);
  for (int i = 0; i < expected; i++) {
    ee_answer    a      = answer(i);
    const float *logits = ee_trace_file_logits(file, i);
    int          same   = same_answer(&answers[i], &a) && (logits != NULL) == with_logits;
    for (int k = 0; k < N_CLASSES && with_logits && same; k++) same = logits[k] == logit(i, k);
    good += same;
  }
  CU_ASSERT_EQUAL(good, expected);
}

static inline void check_events(const ee_trace_file *file, int expected) {
  int64_t         n;
  const ee_event *events = ee_trace_file_events(file, &n);
  int             good   = 0;
  CU_ASSERT_EQUAL_FATAL(n, expected);
  for (int i = 0; i < expected; i++) {
    ee_event e = event(i);
    good += same_event(&events[i], &e);
  }
  CU_ASSERT_EQUAL(good, expected);
}
