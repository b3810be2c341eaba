/* SPDX-License-Identifier: Apache-2.0 */
/* Transpose.  Where the last dimension stays, whole runs are copied.  Where another one takes its
 * place, these two are turned square by square, so that the cache lines of both arrays are used up
 * while they are there. */
#include "simd_transpose.h"

#include <string.h>

#include "meter.h"
#include "ref_strides.h"
#include "simd_act.h"

#define SQUARE 16     // rows and columns of a square: a cache line
#define STEP 1000000  // floats between two progress calls

bool ee_simd_transpose_can(const ee_model *model, const ee_node *node) {
  return model->value[node->in[0]].kind != EE_VALUE_CONSTANT;
}

/* Dimensions of the result, their steps in x (a) and in the result (b). */
static ee_walk walk_of(const ee_kernel_call *call) {
  const ee_shape *out  = &call->out_shape;
  ee_walk         walk = {.rank = out->rank};
  int64_t         step[EE_MAX_RANK];
  ee_strides(&call->in_shape[0], step);
  ee_strides(out, walk.b);
  for (int i = 0; i < out->rank; i++) {
    walk.dim[i] = out->dim[i];
    walk.a[i]   = step[call->node->attr.transpose.perm[i]];
  }
  ee_walk_merge(&walk);
  return walk;
}

/* Take dimension @p i out of the walk, to be looped over inside; its length and steps. */
static ee_walk take_out(ee_walk *walk, int i) {
  ee_walk one = {.rank = 1, .dim = {walk->dim[i]}, .a = {walk->a[i]}, .b = {walk->b[i]}};
  walk->rank--;
  for (int k = i; k < walk->rank; k++) {
    walk->dim[k] = walk->dim[k + 1];
    walk->a[k]   = walk->a[k + 1];
    walk->b[k]   = walk->b[k + 1];
  }
  return one;
}

/* y[j y_step + i] = x[i x_step + j] of a square. */
static void turn_square(const float *x, int64_t x_step, int64_t rows, int64_t columns, float *y,
                        int64_t y_step) {
  for (int64_t j = 0; j < columns; j++) {
    for (int64_t i = 0; i < rows; i++) y[j * y_step + i] = x[i * x_step + j];
  }
}

static void turn(const float *x, int64_t x_step, int64_t rows, int64_t columns, float *y,
                 int64_t y_step) {
  for (int64_t i = 0; i < rows; i += SQUARE) {
    int64_t height = rows - i < SQUARE ? rows - i : SQUARE;
    for (int64_t j = 0; j < columns; j += SQUARE) {
      int64_t width = columns - j < SQUARE ? columns - j : SQUARE;
      turn_square(x + i * x_step + j, x_step, height, width, y + j * y_step + i, y_step);
    }
  }
}

static int64_t steps_of(const ee_walk *walk) {
  int64_t n = 1;
  for (int i = 0; i < walk->rank; i++) n *= walk->dim[i];
  return n;
}

static void copy_runs(const ee_kernel_call *call, ee_walk *walk, ee_meter *meter) {
  ee_walk run   = take_out(walk, walk->rank - 1);
  size_t  bytes = (size_t)run.dim[0] * sizeof(float);
  for (int64_t i = 0, n = steps_of(walk); i < n; i++) {
    const float *x = call->in[0] + ee_walk_offset(walk->rank, walk->dim, walk->a, i);
    memcpy(call->out + i * run.dim[0], x, bytes);
    ee_meter_add(meter, run.dim[0]);
  }
}

static void turn_all(const ee_kernel_call *call, ee_walk *walk, ee_meter *meter) {
  ee_walk rows = take_out(walk, walk->rank - 1);
  int     i    = 0;
  while (walk->a[i] != 1) i++;
  ee_walk columns = take_out(walk, i);
  for (int64_t k = 0, n = steps_of(walk); k < n; k++) {
    turn(call->in[0] + ee_walk_offset(walk->rank, walk->dim, walk->a, k), rows.a[0], rows.dim[0],
         columns.dim[0], call->out + ee_walk_offset(walk->rank, walk->dim, walk->b, k),
         columns.b[0]);
    ee_meter_add(meter, rows.dim[0] * columns.dim[0]);
  }
}

void ee_simd_transpose_run(const ee_kernel_call *call) {
  ee_walk  walk  = walk_of(call);
  ee_meter meter = {.call = call, .step = STEP};
  if (walk.a[walk.rank - 1] == 1)
    copy_runs(call, &walk, &meter);
  else
    turn_all(call, &walk, &meter);
  ee_simd_act(&call->act, call->out, call->out, ee_shape_elements(&call->out_shape));
}
