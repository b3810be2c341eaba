/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise nodes: pixels row by row, dense arrays as one row. */
#include "simd_elementwise.h"

#include "simd_panels.h"
#include "simd_rows.h"

ee_simd_row_op ee_simd_row_op_of(ee_op op) {
  switch (op) {
    case EE_OP_ADD:
      return EE_SIMD_ADD;
    case EE_OP_SUB:
      return EE_SIMD_SUB;
    case EE_OP_MUL:
      return EE_SIMD_MUL;
    case EE_OP_DIV:
      return EE_SIMD_DIV;
    default:
      return EE_SIMD_COPY;
  }
}

bool ee_simd_binary_can(const ee_model *model, const ee_node *node) {
  if (node->n_in != 2) return false;
  const ee_value *x = &model->value[node->in[0]], *y = &model->value[node->in[1]];
  return x->kind != EE_VALUE_CONSTANT && y->kind != EE_VALUE_CONSTANT &&
         ee_shape_equal(&x->shape, &y->shape);
}

/* One pixel for all of @p of. */
static bool is_spread_over(const ee_shape *x, const ee_shape *of) {
  return x->rank == of->rank && x->dim[1] == of->dim[1] && ee_shape_product(x, 2, x->rank) == 1;
}

bool ee_simd_spread_can(const ee_model *model, const ee_node *node) {
  const ee_shape *out = &model->value[node->out].shape;
  if (node->n_in != 2 || out->rank != 4 || !ee_simd_has_pixels(model, node->in[1])) return false;
  const ee_shape *x = &model->value[node->in[0]].shape, *y = &model->value[node->in[1]].shape;
  bool            commutes = node->op == EE_OP_ADD || node->op == EE_OP_MUL;
  return (ee_shape_equal(x, out) && is_spread_over(y, out)) ||
         (commutes && ee_shape_equal(y, out) && is_spread_over(x, out));
}

bool ee_simd_over_first(const ee_model *model, const ee_node *node, int i) {
  (void)model;
  (void)node;
  return i == 0;
}

bool ee_simd_over_same(const ee_model *model, const ee_node *node, int i) {
  return i != EE_RESIDUAL &&
         ee_shape_equal(&model->value[node->in[i]].shape, &model->value[node->out].shape);
}

/* Row y of sample i of the operand `in`; its only row if it has one pixel. */
static const float *operand_row(const ee_kernel_call *call, int in, int64_t i, int64_t y) {
  const ee_pixels *p = call->in_pixels[in];
  return call->in[in] + ee_simd_row_at(p, i, p->height == 1 ? 0 : y);
}

/* All operands have the same channels and so the same pixels, but not always the same zeros. */
static void binary_row(const ee_kernel_call *call, int first, int64_t i, int64_t y) {
  const ee_pixels *out    = call->out_pixels;
  ee_simd_limits   limits = ee_simd_limits_of(&call->act);
  bool             spread = call->in_pixels[1 - first]->width != out->width;
  ee_simd_rows     j      = {.x        = operand_row(call, first, i, y),
                             .y        = operand_row(call, 1 - first, i, y),
                             .out      = call->out + ee_simd_row_at(out, i, y),
                             .rows     = spread ? out->width : 1,
                             .n        = spread ? out->pixel : out->width * out->pixel,
                             .x_step   = out->pixel,
                             .out_step = out->pixel,
                             .low      = limits.low,
                             .high     = limits.high};
  ee_simd_kernels_get()->rows(ee_simd_row_op_of(call->node->op), &j);
  ee_simd_finish_row(call, i, y);
}

static void binary_dense(const ee_kernel_call *call) {
  ee_simd_limits limits = ee_simd_limits_of(&call->act);
  int64_t        n      = ee_shape_elements(&call->out_shape);
  ee_simd_rows   j      = {.x    = call->in[0],
                           .y    = call->in[1],
                           .out  = call->out,
                           .rows = 1,
                           .n    = n,
                           .low  = limits.low,
                           .high = limits.high};
  ee_simd_kernels_get()->rows(ee_simd_row_op_of(call->node->op), &j);
  if (!limits.whole) ee_simd_act(&call->act, call->out, call->out, n);
}

void ee_simd_binary_run(const ee_kernel_call *call) {
  if (call->out_pixels == NULL) {
    binary_dense(call);
    return;
  }
  int first = ee_shape_equal(&call->in_shape[0], &call->out_shape) ? 0 : 1;
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t y = 0; y < call->out_pixels->height; y++) binary_row(call, first, i, y);
  }
}

bool ee_simd_activation_can(const ee_model *model, const ee_node *node) {
  return model->value[node->in[0]].kind != EE_VALUE_CONSTANT;
}

void ee_simd_activation_run(const ee_kernel_call *call) {
  const ee_pixels *in = call->in_pixels[0], *out = call->out_pixels;
  if (out == NULL) {
    ee_simd_act(&call->act, call->in[0], call->out, ee_shape_elements(&call->out_shape));
    return;
  }
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t y = 0; y < out->height; y++) {
      ee_simd_act(&call->act, call->in[0] + ee_simd_row_at(in, i, y),
                  call->out + ee_simd_row_at(out, i, y), out->width * out->pixel);
    }
  }
}
