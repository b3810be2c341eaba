/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operations of arrays whose shapes differ: dimensions that can be walked as one are
 * merged, and the last one is a row of neighbours in each array, or one number for the row. */
#include "simd_broadcast.h"

#include "meter.h"
#include "ref_strides.h"
#include "simd_act.h"
#include "simd_elementwise.h"

#define STEP 1000000  // floats between two progress calls

bool ee_simd_broadcast_can(const ee_model *model, const ee_node *node) {
  return node->n_in == 2 && (model->value[node->in[0]].kind != EE_VALUE_CONSTANT ||
                             model->value[node->in[1]].kind != EE_VALUE_CONSTANT);
}

static ee_walk walk_of(const ee_kernel_call *call) {
  const ee_shape *out  = &call->out_shape;
  ee_walk         walk = {.rank = out->rank};
  for (int i = 0; i < out->rank; i++) walk.dim[i] = out->dim[i];
  ee_broadcast_strides(&call->in_shape[0], out, walk.a);
  ee_broadcast_strides(&call->in_shape[1], out, walk.b);
  ee_walk_merge(&walk);
  return walk;
}

/* Rows along the last two dimensions. */
static ee_simd_rows rows_of(const ee_walk *walk, const ee_simd_limits *limits) {
  int last = walk->rank - 1, outer = last - 1;
  return (ee_simd_rows){.rows     = outer >= 0 ? walk->dim[outer] : 1,
                        .n        = walk->dim[last],
                        .x_step   = outer >= 0 ? walk->a[outer] : 0,
                        .y_step   = outer >= 0 ? walk->b[outer] : 0,
                        .out_step = walk->dim[last],
                        .low      = limits->low,
                        .high     = limits->high,
                        .x_is_one = walk->a[last] == 0,
                        .y_is_one = walk->b[last] == 0};
}

void ee_simd_broadcast_run(const ee_kernel_call *call) {
  ee_walk        walk   = walk_of(call);
  ee_simd_limits limits = ee_simd_limits_of(&call->act);
  ee_simd_rows   rows   = rows_of(&walk, &limits);
  ee_meter       meter  = {.call = call, .step = STEP};
  int64_t        all = ee_shape_elements(&call->out_shape), one = rows.rows * rows.n;
  int            outer = walk.rank >= 2 ? walk.rank - 2 : 0;
  for (int64_t i = 0; i < all / one; i++) {
    rows.x   = call->in[0] + ee_walk_offset(outer, walk.dim, walk.a, i);
    rows.y   = call->in[1] + ee_walk_offset(outer, walk.dim, walk.b, i);
    rows.out = call->out + i * one;
    ee_simd_kernels_get()->rows(ee_simd_row_op_of(call->node->op), &rows);
    ee_meter_add(&meter, one);
  }
  if (!limits.whole) ee_simd_act(&call->act, call->out, call->out, all);
}
