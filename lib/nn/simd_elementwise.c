/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise nodes, a row of pixels at a time. */
#include "simd_elementwise.h"

#include "activation.h"
#include "simd_act.h"
#include "simd_panels.h"

bool ee_simd_add_can(const ee_model *model, const ee_node *node) {
  const ee_value *x = &model->value[node->in[0]], *y = &model->value[node->in[1]];
  return node->n_in == 2 && x->kind != EE_VALUE_CONSTANT && y->kind != EE_VALUE_CONSTANT &&
         ee_shape_equal(&x->shape, &y->shape);
}

/* Row y of sample i; out, x and y have the same channels but not always the same zeros. */
static void add_row(const ee_kernel_call *call, int64_t i, int64_t y) {
  const ee_pixels *a = call->in_pixels[0], *b = call->in_pixels[1], *o = call->out_pixels;
  ee_simd_limits   limits = ee_simd_limits_of(&call->act);
  const float     *from   = call->in[0] + i * a->sample + a->lead + y * a->row;
  const float     *other  = call->in[1] + i * b->sample + b->lead + y * b->row;
  float           *to     = call->out + i * o->sample + o->lead + y * o->row;
  ee_simd_kernels_get()->add(from, other, to, o->width * o->pixel, limits.low, limits.high);
  if (!limits.whole) ee_act_apply(&call->act, to, to, o->width * o->pixel);
}

static void add_dense(const ee_kernel_call *call) {
  int64_t        n      = ee_shape_elements(&call->out_shape);
  ee_simd_limits limits = ee_simd_limits_of(&call->act);
  ee_simd_kernels_get()->add(call->in[0], call->in[1], call->out, n, limits.low, limits.high);
  if (!limits.whole) ee_act_apply(&call->act, call->out, call->out, n);
}

void ee_simd_add_run(const ee_kernel_call *call) {
  if (call->out_pixels == NULL) {
    add_dense(call);
    return;
  }
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t y = 0; y < call->out_pixels->height; y++) add_row(call, i, y);
  }
}
