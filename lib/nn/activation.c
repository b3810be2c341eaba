/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise functions, one loop each so that the compiler can vectorise those without exp. */
#include "activation.h"

#include <math.h>
#include <string.h>

/* Comparisons are written so that a NaN falls through to x. */
static inline float clip(float x, float low, float high) {
  float y = x < low ? low : x;
  return y > high ? high : y;
}

static void apply_none(const float *x, float *y, int64_t n) {
  if (x != y && n > 0) memcpy(y, x, (size_t)n * sizeof *y);
}

static void apply_relu(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] < 0.0F ? 0.0F : x[i];
}

static void apply_leaky_relu(const float *x, float *y, int64_t n, float slope) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] >= 0.0F ? x[i] : slope * x[i];
}

static void apply_clip(const float *x, float *y, int64_t n, float low, float high) {
  for (int64_t i = 0; i < n; i++) y[i] = clip(x[i], low, high);
}

static void apply_sigmoid(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = 1.0F / (1.0F + expf(-x[i]));
}

static void apply_hard_sigmoid(const float *x, float *y, int64_t n, float slope, float offset) {
  for (int64_t i = 0; i < n; i++) y[i] = clip(slope * x[i] + offset, 0.0F, 1.0F);
}

static void apply_hard_swish(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * clip(x[i] / 6.0F + 0.5F, 0.0F, 1.0F);
}

static void apply_tanh(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = tanhf(x[i]);
}

static void apply_erf(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = erff(x[i]);
}

static void apply_sqrt(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = sqrtf(x[i]);
}

static void apply_gelu(const float *x, float *y, int64_t n) {
  const float sqrt_half = 0.70710678F;
  for (int64_t i = 0; i < n; i++) y[i] = 0.5F * x[i] * (1.0F + erff(x[i] * sqrt_half));
}

static void apply_gelu_tanh(const float *x, float *y, int64_t n) {
  const float sqrt_2_by_pi = 0.79788456F;
  for (int64_t i = 0; i < n; i++) {
    float inner = sqrt_2_by_pi * (x[i] + 0.044715F * x[i] * x[i] * x[i]);
    y[i]        = 0.5F * x[i] * (1.0F + tanhf(inner));
  }
}

void ee_act_apply(const ee_activation *act, const float *x, float *y, int64_t n) {
  switch (act->kind) {
    case EE_ACT_RELU:
      apply_relu(x, y, n);
      break;
    case EE_ACT_LEAKY_RELU:
      apply_leaky_relu(x, y, n, act->alpha);
      break;
    case EE_ACT_CLIP:
      apply_clip(x, y, n, act->alpha, act->beta);
      break;
    case EE_ACT_SIGMOID:
      apply_sigmoid(x, y, n);
      break;
    case EE_ACT_HARD_SIGMOID:
      apply_hard_sigmoid(x, y, n, act->alpha, act->beta);
      break;
    case EE_ACT_HARD_SWISH:
      apply_hard_swish(x, y, n);
      break;
    case EE_ACT_TANH:
      apply_tanh(x, y, n);
      break;
    case EE_ACT_ERF:
      apply_erf(x, y, n);
      break;
    case EE_ACT_SQRT:
      apply_sqrt(x, y, n);
      break;
    case EE_ACT_GELU:
      apply_gelu(x, y, n);
      break;
    case EE_ACT_GELU_TANH:
      apply_gelu_tanh(x, y, n);
      break;
    case EE_ACT_NONE:
    case EE_ACT_COUNT:
      apply_none(x, y, n);
      break;
  }
}
