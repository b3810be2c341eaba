/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operators of two arrays, with numpy's broadcasting. */
#include <math.h>

#include "ref.h"
#include "ref_strides.h"

/* y[i] = a[i a_step] op b[i b_step], where the steps are 0 or 1. */
typedef void (*row_fn)(const float *a, int64_t a_step, const float *b, int64_t b_step, int64_t n,
                       float *y);

/* One loop per pair of steps, so that each is vectorised. */
#define DEFINE_ROW(name, op)                                                         \
  static void name(const float *restrict a, int64_t a_step, const float *restrict b, \
                   int64_t b_step, int64_t n, float *restrict y) {                   \
    if (a_step != 0 && b_step != 0) {                                                \
      for (int64_t i = 0; i < n; i++) y[i] = a[i] op b[i];                           \
    } else if (a_step != 0) {                                                        \
      for (int64_t i = 0; i < n; i++) y[i] = a[i] op b[0];                           \
    } else {                                                                         \
      for (int64_t i = 0; i < n; i++) y[i] = a[0] op b[i * b_step];                  \
    }                                                                                \
  }
DEFINE_ROW(add_row, +)
DEFINE_ROW(mul_row, *)
DEFINE_ROW(sub_row, -)
DEFINE_ROW(div_row, /)
#undef DEFINE_ROW

static void pow_row(const float *a, int64_t a_step, const float *b, int64_t b_step, int64_t n,
                    float *y) {
  for (int64_t i = 0; i < n; i++) y[i] = powf(a[i * a_step], b[i * b_step]);
}

static void run_elementwise(const ee_kernel_call *call, row_fn row) {
  const ee_shape *out  = &call->out_shape;
  ee_walk         walk = {.rank = out->rank};
  for (int i = 0; i < out->rank; i++) walk.dim[i] = out->dim[i];
  ee_broadcast_strides(&call->in_shape[0], out, walk.a);
  ee_broadcast_strides(&call->in_shape[1], out, walk.b);
  ee_walk_merge(&walk);

  int     last = walk.rank - 1;
  int64_t n = walk.dim[last], rows = ee_shape_elements(out) / n;
  for (int64_t r = 0; r < rows; r++) {
    const float *a = call->in[0] + ee_walk_offset(last, walk.dim, walk.a, r);
    const float *b = call->in[1] + ee_walk_offset(last, walk.dim, walk.b, r);
    row(a, walk.a[last], b, walk.b[last], n, call->out + r * n);
  }
}

void ee_ref_add(const ee_kernel_call *call) {
  run_elementwise(call, add_row);
}

void ee_ref_mul(const ee_kernel_call *call) {
  run_elementwise(call, mul_row);
}

void ee_ref_sub(const ee_kernel_call *call) {
  run_elementwise(call, sub_row);
}

void ee_ref_div(const ee_kernel_call *call) {
  run_elementwise(call, div_row);
}

void ee_ref_pow(const ee_kernel_call *call) {
  run_elementwise(call, pow_row);
}
