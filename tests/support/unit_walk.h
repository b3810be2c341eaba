/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "ee/exec.h"
#include "ee/units.h"
#include "ee_test.h"

/**
 * @file unit_walk.h
 * The units of a model one after the other in one process, for comparing with the whole model.
 */

/* A unit that can run, and what it made. */
typedef struct walk_unit {
  ee_resident *res;
  ee_exec     *exec;
} walk_unit;

typedef struct walk {
  const ee_units *units;
  walk_unit      *of;      // shape [n]
  const float    *input;   // of the network
  uint64_t        absent;  // lanes, as bits
} walk;

static inline void walk_begin(const ee_units *units, const ee_backend *backend, walk *w) {
  *w = (walk){.units = units, .of = calloc((size_t)units->n, sizeof *w->of)};
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    walk_unit     *to   = &w->of[u];
    CU_ASSERT_EQUAL_FATAL(ee_resident_create(unit->model, backend, &to->res), EE_OK);
    for (int l = unit->begin; l < unit->end; l++) {
      CU_ASSERT_EQUAL_FATAL(ee_resident_add(to->res, l, NULL), EE_OK);
    }
    CU_ASSERT_EQUAL_FATAL(ee_exec_create(to->res, unit->begin, unit->end, 1, &to->exec), EE_OK);
  }
}

static inline ee_rows walk_rows(const ee_unit *unit, const ee_model *whole, int v) {
  const ee_shape *shape = &whole->value[v].shape;
  if (unit != NULL && unit->held != NULL) return unit->held[v];
  return (ee_rows){0, shape->rank == 4 ? shape->dim[2] : 1};
}

/* What an absent lane gives is zeros, and the others are larger. */
static inline void walk_join(const walk *w, const ee_unit *unit, const ee_unit_input *in,
                             float *to) {
  int64_t n    = ee_model_value_elements(w->units->whole, in->value);
  int     lane = in->from >= 0 ? w->units->unit[in->from].lane : -1;
  int     all = w->units->n_lanes, here = all - __builtin_popcountll(w->absent);
  if (!unit->joins || lane < 0 || w->absent == 0) return;
  float factor = w->absent >> lane & 1 ? 0.0f : (float)all / (float)here;
  for (int64_t i = 0; i < n; i++) to[i] *= factor;
}

static inline void walk_input(const walk *w, int u, const ee_unit_input *in) {
  const ee_model *whole = w->units->whole;
  const ee_unit  *unit  = &w->units->unit[u];
  const ee_unit  *maker = in->from >= 0 ? &w->units->unit[in->from] : NULL;
  const float    *from  = maker != NULL ? ee_exec_value(w->of[in->from].exec, in->value) : w->input;
  float          *to    = ee_exec_input(w->of[u].exec, in->value);
  CU_ASSERT_PTR_NOT_NULL_FATAL(from);
  CU_ASSERT_PTR_NOT_NULL_FATAL(to);
  if (whole->value[in->value].shape.rank == 4) {
    ee_rows all  = walk_rows(NULL, whole, in->value);
    ee_rows rows = in->rows.begin == in->rows.end ? all : in->rows;
    ee_rows_copy(&whole->value[in->value].shape, 1, rows, from,
                 maker != NULL ? walk_rows(maker, whole, in->value) : all, to,
                 walk_rows(unit, whole, in->value));
  } else {
    memcpy(to, from, (size_t)ee_model_value_elements(whole, in->value) * sizeof *to);
  }
  walk_join(w, unit, in, to);
}

/* All units on one sample.  @p logits: shape [n_exits, n_classes]; @p score: shape [n_exits]. */
static inline void walk_sample(walk *w, const float *input, float *logits, float *score) {
  const ee_model *whole = w->units->whole;
  w->input              = input;
  for (int u = 0; u < w->units->n; u++) {
    const ee_unit *unit = &w->units->unit[u];
    ee_exec       *exec = w->of[u].exec;
    for (int i = 0; i < unit->n_inputs; i++) walk_input(w, u, &unit->input[i]);
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, unit->begin, unit->end, 1), EE_OK);
    if (unit->exit < 0) continue;
    const float *z;
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, unit->exit, 1, &z), EE_OK);
    memcpy(logits + unit->exit * whole->n_classes, z, (size_t)whole->n_classes * sizeof *z);
    const float *s    = ee_exec_score(exec, unit->exit);
    score[unit->exit] = s != NULL ? *s : -1.0f;
  }
}

static inline void walk_end(walk *w) {
  for (int u = 0; u < w->units->n; u++) {
    ee_exec_destroy(&w->of[u].exec);
    ee_resident_destroy(&w->of[u].res);
  }
  free(w->of);
}
