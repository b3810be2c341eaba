/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <math.h>

#include "int8_kernels.h"
#include "kernel_case.h"

/**
 * @file int8_oracle.h
 * What a node of 8 bits computes, by plain loops over the definition: bit for bit.
 */

/** The input as a whole number, less what stands for 0. */
static inline int oracle_round(const ee_quant *q, float x) {
  float inverse = 1.0F / q->scale, y = x * inverse;
  float low = (float)-q->zero, high = (float)(255 - q->zero);
  if (!(y > low)) y = low;
  if (y > high) y = high;
  return (int)rintf(y);
}

/** Scale of an output channel with @p n weights, @p step apart, times @p alpha. */
static inline float oracle_scale(const float *w, int64_t n, int64_t step, float alpha) {
  float largest = 0.0F;
  for (int64_t i = 0; i < n; i++) largest = fmaxf(largest, fabsf(alpha * w[i * step]));
  return largest / 127.0F;
}

static inline int oracle_weight(float w, float scale) {
  return scale > 0.0F ? (int)rintf(w / scale) : 0;
}

/** The result of a sum, before the activation. */
static inline float oracle_finish(const kernel_case *c, int64_t sum, float scale, float bias,
                                  int64_t at) {
  float factor = c->node.quant.scale * scale, product = (float)sum * factor, y = product + bias;
  return c->residual != NULL ? y + c->residual[at] : y;
}

/** Sum of a convolution's window for output o at position (y, x) of @p sample's input. */
static inline int64_t oracle_window(const kernel_case *c, const float *sample, int64_t o,
                                    const int64_t at[2], float scale) {
  const ee_window *w = &c->node.attr.window;
  const ee_shape  *x = &c->value[0].shape, *k = &c->value[1].shape;
  bool             flat = w->n_spatial == 1;
  int              h = 0, v = w->n_spatial - 1;
  int64_t          rows = flat ? 1 : k->dim[2], columns = k->dim[k->rank - 1], sum = 0;
  int64_t          height = flat ? 1 : x->dim[2], width = x->dim[x->rank - 1];
  const float     *weight = c->data[1] + o * x->dim[1] * rows * columns;
  for (int64_t i = 0; i < x->dim[1]; i++) {
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t s = 0; s < columns; s++, weight++) {
        int64_t down  = flat ? 0 : at[0] * w->stride[h] - w->pad_before[h] + r * w->dilation[h];
        int64_t right = at[1] * w->stride[v] - w->pad_before[v] + s * w->dilation[v];
        if (down < 0 || down >= height || right < 0 || right >= width) continue;
        sum += oracle_round(&c->node.quant, sample[(i * height + down) * width + right]) *
               oracle_weight(*weight, scale);
      }
    }
  }
  return sum;
}

/** All of a convolution at CASE_BATCH samples; the caller frees it. */
static inline float *oracle_conv(const kernel_case *c) {
  const ee_shape *x = &c->value[0].shape, *y = &c->value[EE_MAX_NODE_INPUTS].shape;
  int64_t         in = ee_shape_elements(x), n = ee_shape_elements(y);
  int64_t         height = y->rank == 4 ? y->dim[2] : 1, width = y->dim[y->rank - 1];
  int64_t         taps   = ee_shape_product(&c->value[1].shape, 1, c->value[1].shape.rank);
  float          *result = malloc((size_t)(CASE_BATCH * n) * sizeof *result);
  for (int64_t i = 0; i < CASE_BATCH * n; i++) {
    int64_t o = i % n / (height * width), at[] = {i % (height * width) / width, i % width};
    float   scale = oracle_scale(c->data[1] + o * taps, taps, 1, 1.0F);
    float   bias  = c->node.n_in > 2 ? c->data[2][o] : 0.0F;
    result[i] =
        oracle_finish(c, oracle_window(c, c->data[0] + i / n * in, o, at, scale), scale, bias, i);
  }
  return result;
}

/** All of a product; the caller frees it. */
static inline float *oracle_product(const kernel_case *c) {
  bool  gemm = c->node.op == EE_OP_GEMM, turned = gemm && c->node.attr.gemm.trans_b;
  float alpha = gemm ? c->node.attr.gemm.alpha : 1.0F, beta = gemm ? c->node.attr.gemm.beta : 1.0F;
  int64_t depth = c->value[1].shape.dim[turned ? 1 : 0], n = c->value[1].shape.dim[turned ? 0 : 1];
  int64_t all = case_elements(c, CASE_BATCH), step = turned ? 1 : n;
  float  *result = malloc((size_t)all * sizeof *result);
  for (int64_t i = 0; i < all; i++) {
    const float *x = c->data[0] + i / n * depth, *w = c->data[1] + i % n * (turned ? depth : 1);
    float        scale = oracle_scale(w, depth, step, alpha);
    int64_t      sum   = 0;
    for (int64_t k = 0; k < depth; k++) {
      sum += oracle_round(&c->node.quant, x[k]) * oracle_weight(alpha * w[k * step], scale);
    }
    result[i] = oracle_finish(c, sum, scale, c->node.n_in > 2 ? beta * c->data[2][i % n] : 0.0F, i);
  }
  return result;
}

/** Check a fact with every kind of 8-bit kernel that this processor has. */
static inline void with_all_int8_kernels(void (*check)(void)) {
  static const char *const names[] = {"avx512vnni", "avx512", "avxvnni", "avx2", "base"};

  int n = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (ee_int8_kernels_use(names[i]) != EE_OK) continue;
    check();
    n++;
  }
  CU_ASSERT_TRUE(n >= 1);
  CU_ASSERT_EQUAL(ee_int8_kernels_use(NULL), EE_OK);
}
