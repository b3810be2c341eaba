/* SPDX-License-Identifier: Apache-2.0 */
/* Layer normalisation, softmax and means, a row at a time. */
#include "simd_tokens.h"

#include <string.h>

#include "meter.h"
#include "ref_sum.h"
#include "simd_act.h"
#include "simd_kernels.h"

#define STEP 1000000  // floats between two progress calls

bool ee_simd_layer_norm_can(const ee_model *model, const ee_node *node) {
  if (model->value[node->in[0]].kind == EE_VALUE_CONSTANT) return false;
  for (int i = 1; i < node->n_in; i++) {
    if (node->in[i] >= 0 && model->value[node->in[i]].kind != EE_VALUE_CONSTANT) return false;
  }
  return true;
}

void ee_simd_layer_norm_run(const ee_kernel_call *call) {
  const ee_shape *shape = &call->out_shape;
  int64_t         row   = ee_shape_product(shape, call->node->attr.layer_norm.axis, shape->rank);
  int64_t         n     = ee_shape_elements(shape);
  ee_meter        meter = {.call = call, .step = STEP};
  for (int64_t at = 0; at < n; at += row) {
    ee_simd_kernels_get()->normalise(call->in[0] + at, call->in[1], call->in[2],
                                     call->node->attr.layer_norm.epsilon, call->out + at, row);
    ee_meter_add(&meter, row);
  }
  ee_simd_act(&call->act, call->out, call->out, n);
}

bool ee_simd_softmax_can(const ee_model *model, const ee_node *node) {
  const ee_value *x = &model->value[node->in[0]];
  return x->kind != EE_VALUE_CONSTANT && node->attr.along.axis == x->shape.rank - 1;
}

void ee_simd_softmax_run(const ee_kernel_call *call) {
  const ee_shape *shape = &call->out_shape;
  int64_t         row = shape->dim[shape->rank - 1], n = ee_shape_elements(shape);
  ee_meter        meter = {.call = call, .step = STEP};
  memcpy(call->out, call->in[0], (size_t)n * sizeof *call->out);
  for (int64_t at = 0; at < n; at += row) {
    ee_simd_kernels_get()->softmax(call->out + at, row, 1.0F, NULL);
    ee_meter_add(&meter, row);
  }
  ee_simd_act(&call->act, call->out, call->out, n);
}

/* The dimension that a row begins with. */
static int first_averaged(const ee_node *node, int rank) {
  int d = 0;
  while (d < rank && !node->attr.reduce.axis[d]) d++;
  return d;
}

bool ee_simd_row_mean_can(const ee_model *model, const ee_node *node) {
  const ee_value *x = &model->value[node->in[0]];
  int             d = first_averaged(node, x->shape.rank);
  if (x->kind == EE_VALUE_CONSTANT || d == x->shape.rank) return false;
  while (d < x->shape.rank && node->attr.reduce.axis[d]) d++;
  return d == x->shape.rank;
}

void ee_simd_row_mean_run(const ee_kernel_call *call) {
  const ee_shape *shape = &call->in_shape[0];
  int64_t  row   = ee_shape_product(shape, first_averaged(call->node, shape->rank), shape->rank);
  int64_t  n     = ee_shape_elements(shape);
  ee_meter meter = {.call = call, .step = STEP};
  for (int64_t i = 0; i * row < n; i++) {
    call->out[i] = (float)(ee_sum(call->in[0] + i * row, row) / (double)row);
    ee_meter_add(&meter, row);
  }
  ee_simd_act(&call->act, call->out, call->out, n / row);
}
