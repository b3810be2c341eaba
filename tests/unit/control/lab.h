/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdlib.h>

#include "../nn/graph_maker.h"
#include "estimate.h"

/**
 * @file lab.h
 * A model of six layers with three exits, devices, and sums made by hand: what the
 * controller's pure parts are fed with in tests.
 */

enum { LAB_LAYERS = 6, LAB_EXITS = 3, LAB_DEVICES = 3 };

typedef struct lab {
  ee_model    *model;
  ee_fleet    *fleet;
  ee_run_setup setup;
  ee_estimate  estimate;
  ee_sums      sums;
} lab;

/* Convolutions a to e and the final classifier; heads after b and d. */
static inline ee_model *lab_model(void) {
  const char *name[] = {"a", "b", "c", "d", "e"};
  ee_model   *m      = maker_begin(4, SHAPE(1, 2, 5, 5));
  int         x      = m->input;
  for (int l = 0; l < LAB_LAYERS - 1; l++) {
    x = maker_relu(m, name[l], maker_conv(m, name[l], x));
    if (l == 1) maker_head(m, "first", x);
    if (l == 3) maker_head(m, "second", x);
  }
  maker_head(m, "final", x);
  if (ee_model_finish(m) != EE_OK || m->n_layers != LAB_LAYERS) abort();
  return m;
}

/* Devices of 1 MFLOP/s, links of 1 MB/s; no fleet if @p paced is false. */
static inline void lab_open(lab *t, bool paced) {
  *t = (lab){.model = lab_model()};
  if (paced) {
    if (ee_fleet_create(LAB_DEVICES, &t->fleet) != EE_OK) abort();
    for (int d = 0; d < LAB_DEVICES; d++) t->fleet->device[d].flops = 1e6;
    for (int i = 0; i < LAB_DEVICES * LAB_DEVICES; i++) t->fleet->link[i].bandwidth = 1e6;
  }
  t->setup = (ee_run_setup){
      .model = t->model, .fleet = t->fleet, .host_flops = 1e9, .batch_limit = 4, .slots = 2};
  if (ee_estimate_open(&t->setup, LAB_DEVICES, &t->estimate) != EE_OK ||
      ee_sums_open(LAB_EXITS, LAB_DEVICES, 0, 1, &t->sums) != EE_OK) {
    abort();
  }
}

static inline void lab_close(lab *t) {
  ee_estimate_close(&t->estimate);
  ee_sums_close(&t->sums);
  ee_fleet_destroy(&t->fleet);
  ee_model_destroy(&t->model);
}

/* Samples of the epoch that left at each exit: the third part of the vector, see sums.h. */
static inline void lab_left(lab *t, int64_t first, int64_t second, int64_t last) {
  int64_t *left = t->sums.all + 3 + LAB_EXITS;
  left[0]       = first;
  left[1]       = second;
  left[2]       = last;
}

static inline void lab_device(lab *t, int d, ee_device_sum what, int64_t value) {
  t->sums.all[3 + 2 * LAB_EXITS + EE_DEVICE_SUMS * d + (int)what] = value;
}

/* Stages that end at `end[s]` on devices `device[s]`. */
static inline ee_plan *lab_plan(int n, const int *end, const int *device) {
  ee_plan *plan = NULL;
  if (ee_plan_create(LAB_LAYERS, LAB_DEVICES, n, &plan) != EE_OK) abort();
  for (int s = 0; s < n; s++) {
    plan->stage[s] =
        (ee_stage){.begin = s > 0 ? end[s - 1] : 0, .end = end[s], .device = device[s]};
  }
  if (ee_plan_check(plan) != EE_OK) abort();
  return plan;
}

#define LAB_PLAN(n, ...) lab_plan_of((n), (const int[]){__VA_ARGS__})

/* The same from pairs: end, device, end, device, ... */
static inline ee_plan *lab_plan_of(int n, const int *pairs) {
  int end[LAB_DEVICES], device[LAB_DEVICES];
  for (int s = 0; s < n; s++) {
    end[s]    = pairs[2 * s];
    device[s] = pairs[2 * s + 1];
  }
  return lab_plan(n, end, device);
}
