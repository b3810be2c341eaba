/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "kernel_case.h"

/**
 * @file nd_case.h
 * Elements by their coordinates: how tests say where an element should come from.
 */

/** Split @p index into coordinates of an array of @p n dimensions @p dim. */
static inline void nd_coordinates(int64_t index, const int64_t *dim, int n, int64_t *p) {
  for (int d = n - 1; d >= 0; d--) {
    p[d] = index % dim[d];
    index /= dim[d];
  }
}

/** Offset of coordinates @p p. */
static inline int64_t nd_offset(const int64_t *p, const int64_t *dim, int n) {
  int64_t offset = 0;
  for (int d = 0; d < n; d++) offset = offset * dim[d] + p[d];
  return offset;
}

/** Element of @p x at coordinates @p p of a result of @p rank dimensions, by numpy's broadcasting:
 *  dimensions are matched from the last one on, and a dimension of 1 is repeated. */
static inline float nd_broadcast_at(const float *x, const ee_shape *shape, const int64_t *p,
                                    int rank) {
  int64_t q[EE_MAX_RANK];
  for (int d = 0; d < shape->rank; d++) {
    q[d] = shape->dim[d] == 1 ? 0 : p[rank - shape->rank + d];
  }
  return x[nd_offset(q, shape->dim, shape->rank)];
}

/** Draw @p rank dimensions of 1 to @p max. */
static inline ee_shape nd_draw(ee_rng *rng, int rank, int max) {
  ee_shape shape = {.rank = rank};
  for (int d = 0; d < rank; d++) shape.dim[d] = case_draw(rng, 1, max);
  return shape;
}

/** Draw a shape that is broadcast to @p whole: dimensions are left out in front or made 1. */
static inline ee_shape nd_draw_broadcast(ee_rng *rng, const ee_shape *whole) {
  ee_shape shape = {.rank = case_draw(rng, 0, whole->rank)};
  for (int d = 0; d < shape.rank; d++) {
    bool kept    = case_draw(rng, 0, 2) > 0;
    shape.dim[d] = kept ? whole->dim[whole->rank - shape.rank + d] : 1;
  }
  return shape;
}

/** Start a case whose model is not batched. */
static inline void nd_begin(kernel_case *c, ee_op op) {
  case_begin(c, op);
  c->model.batched = false;
}

/** What a case should give at coordinates @p p of its result. */
typedef double (*nd_expected)(const kernel_case *c, const int64_t *p);

/** Run the case on ref, compare every element, and end the case. */
static inline bool nd_check(kernel_case *c, nd_expected expected, double tolerance) {
  const ee_shape *out = &c->value[EE_MAX_NODE_INPUTS].shape;
  int64_t         n   = ee_shape_elements(out), p[EE_MAX_RANK];
  float          *y   = case_run(c, &ee_backend_ref, 0, 1);
  double         *z   = malloc((size_t)n * sizeof *z);
  for (int64_t i = 0; i < n; i++) {
    nd_coordinates(i, out->dim, out->rank, p);
    z[i] = expected(c, p);
  }
  bool close = case_close(y, z, n, tolerance);
  free(z);
  free(y);
  case_end(c);
  return close;
}
