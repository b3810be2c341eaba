/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/nn/graph_maker.h"
#include "ee/controller.h"
#include "ee_test.h"

/**
 * @file toy_stream.h
 * A small residual network with three exits, random samples, what one device says of them, and
 * what came out of a run, for tests that compare the two bit by bit.
 */

enum { TOY_SAMPLES = 150, TOY_CLASSES = 5, TOY_CHANNELS = 3, TOY_SIDE = 6 };

/* Seven layers: a - b - (+) - c - d - (+) - e - final; exits after b's and d's sums. */
static inline ee_model *toy_model(void) {
  ee_model *m = maker_begin(TOY_CLASSES, SHAPE(1, TOY_CHANNELS, TOY_SIDE, TOY_SIDE));
  int       a = maker_relu(m, "a.relu", maker_conv(m, "a", m->input));
  int       b = maker_add(m, "b.sum", maker_conv(m, "b", a), a);
  maker_head(m, "first", b);
  int c = maker_relu(m, "c.relu", maker_conv(m, "c", b));
  int d = maker_add(m, "d.sum", maker_conv(m, "d", c), b);
  maker_head(m, "second", d);
  int e = maker_relu(m, "e.relu", maker_conv(m, "e", d));
  maker_head(m, "final", e);
  if (ee_model_finish(m) != EE_OK) abort();
  m->exit[0].temperature = 4.0f;  // so that some samples leave at each exit
  m->exit[1].temperature = 4.0f;
  m->exit[2].temperature = 1.0f;
  return m;
}

static inline void toy_input(int64_t first, int64_t n, float *input) {
  int64_t elements = TOY_CHANNELS * TOY_SIDE * TOY_SIDE;
  for (int64_t i = 0; i < n; i++) {
    ee_rng rng = ee_rng_at(5, (uint64_t)(first + i));
    for (int64_t k = 0; k < elements; k++) {
      input[i * elements + k] = (float)(2.0 * ee_rng_uniform(&rng) - 1.0);
    }
  }
}

/* What the run said. */
typedef struct toy_outcome {
  int64_t   n;
  ee_answer answer[TOY_SAMPLES];  // by id
  float     logits[TOY_SAMPLES][TOY_CLASSES];
  int       times[TOY_SAMPLES];
  int       epochs, switched;
} toy_outcome;

static inline void toy_take(void *self, const ee_answer *answer, const float *logits, int classes) {
  toy_outcome *out        = self;
  out->answer[answer->id] = *answer;
  memcpy(out->logits[answer->id], logits, (size_t)classes * sizeof *logits);
  out->times[answer->id]++;
  out->n++;
}

static inline void toy_epoch(void *self, const ee_epoch_record *record) {
  toy_outcome *out = self;
  out->epochs++;
  out->switched += record->verdict == EE_VERDICT_SWITCHED;
}

static inline ee_status toy_read(void *self, int64_t first, int64_t n, float *input) {
  (void)self;
  toy_input(first, n, input);
  return EE_OK;
}

/* A layer's blob from the model's own constants. */
static inline ee_status toy_layer(void *self, int layer, float **blob) {
  const ee_model *m = self;
  int            *list, n;
  size_t          at = 0;
  EE_TRY(ee_model_layer_constants(m, layer, &list, &n));
  *blob = m->layer[layer].weight_bytes > 0 ? malloc(m->layer[layer].weight_bytes) : NULL;
  for (int i = 0; i < n; i++) {
    size_t elements = (size_t)ee_shape_elements(&m->value[list[i]].shape);
    memcpy(*blob + at, m->value[list[i]].data, elements * sizeof(float));
    at += elements;
  }
  free(list);
  return EE_OK;
}

typedef struct toy_run {
  ee_model             *model;
  ee_policy            *policy;
  ee_plan              *plan;
  ee_trace_sink         sink;
  ee_run_setup          setup;
  ee_controller_options control;
  toy_outcome          *outcome;
} toy_run;

static inline void toy_open(toy_run *t, uint64_t n_samples) {
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  *t                        = (toy_run){.model = toy_model(), .control = ee_controller_defaults()};
  t->outcome                = calloc(1, sizeof *t->outcome);
  ee_policy_setting setting = {.n_exits = 3, .n_classes = TOY_CLASSES, .seed = 1};
  if (t->outcome == NULL ||
      ee_policy_create("threshold:value=0.5", &setting, &t->policy) != EE_OK ||
      ee_plan_uniform(t->model->n_layers, size, &t->plan) != EE_OK) {
    abort();
  }
  t->sink = (ee_trace_sink){.self = t->outcome, .answer = toy_take, .epoch = toy_epoch};
  t->control.rebalance = false;
  t->setup             = (ee_run_setup){.model         = t->model,
                                        .backend       = &ee_backend_ref,
                                        .policy        = t->policy,
                                        .plan          = t->plan,
                                        .layers        = {.self = t->model, .read = toy_layer},
                                        .source        = {.read = toy_read},
                                        .n_samples     = n_samples,
                                        .batch_limit   = 4,
                                        .slots         = 2,
                                        .epoch_samples = 10,
                                        .control_delay = 1,
                                        .with_logits   = true,
                                        .sink          = rank == 0 ? &t->sink : NULL};
}

/* The whole run.  Collective. */
static inline ee_status toy_go(toy_run *t, ee_device_totals *totals) {
  ee_device     *device     = NULL;
  ee_controller *controller = NULL;
  EE_TRY(ee_device_create(MPI_COMM_WORLD, &t->setup, &device));
  ee_status status = ee_controller_create(device, &t->control, &controller);
  if (status == EE_OK) {
    ee_control_hooks hooks = ee_controller_hooks(controller);
    status                 = ee_device_run(device, &hooks);
    if (totals != NULL) *totals = *ee_device_totals_of(device);
  }
  ee_controller_destroy(&controller);
  ee_device_destroy(&device);
  return status;
}

static inline void toy_close(toy_run *t) {
  ee_plan_destroy(&t->plan);
  ee_policy_destroy(&t->policy);
  ee_model_destroy(&t->model);
  free(t->outcome);
}
