/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over the features of one token: softmax, GELU and layer normalisation. */
#include "vec_tokens.h"

#include <math.h>

#include "vec_math.h"

/* Vector i of n floats, `fill` behind the last one. */
ALWAYS_INLINE vec take(const float *x, int64_t i, int64_t n, float fill) {
  if (i + LANES <= n) return load(x + i);
  vec v = load_part(x + i, n - i);
  for (int64_t k = n - i; k < LANES; k++) v[k] = fill;
  return v;
}

ALWAYS_INLINE void put(float *y, int64_t i, int64_t n, vec v) {
  if (i + LANES <= n) {
    store(y + i, v);
  } else {
    store_part(y + i, v, n - i);
  }
}

void EE_FOR_ISA(ee_simd_softmax)(float *x, int64_t n, float scale, const float *mask) {
  vec largest = splat(-INFINITY), sum = splat(0.0F);
  for (int64_t i = 0; i < n; i += LANES) {
    vec v = take(x, i, n, 0.0F) * scale;
    if (mask != NULL) v += take(mask, i, n, 0.0F);
    for (int64_t k = n - i; k < LANES; k++) v[k] = -INFINITY;
    largest = at_least(v, largest);
    put(x, i, n, v);
  }
  vec top = splat(largest_of(largest));
  for (int64_t i = 0; i < n; i += LANES) {
    vec v = vec_exp(take(x, i, n, -INFINITY) - top);
    for (int64_t k = n - i; k < LANES; k++) v[k] = 0.0F;
    sum += v;
    put(x, i, n, v);
  }
  float total = 1.0F / sum_of(sum);
  for (int64_t i = 0; i < n; i += LANES) put(x, i, n, take(x, i, n, 0.0F) * total);
}

ALWAYS_INLINE vec gelu(vec x) {
  vec tail = 0.5F * vec_erfc(at_least(x, -x) * 0.707106781F);  // the share of the other side
  vec left = x * tail, right = x - left;
  return choose(x < 0.0F, left, right);
}

void EE_FOR_ISA(ee_simd_gelu)(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES) put(y, i, n, gelu(take(x, i, n, 0.0F)));
}

/* x/2 (1 + tanh u) is x / (1 + exp(-2 u)). */
ALWAYS_INLINE vec gelu_tanh(vec x) {
  vec u = x * (x * x * 0.0713548163F + 1.59576912F);  // 2 sqrt(2 / pi) (x + 0.044715 x^3)
  return x / (vec_exp(-u) + 1.0F);
}

void EE_FOR_ISA(ee_simd_gelu_tanh)(const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES) put(y, i, n, gelu_tanh(take(x, i, n, 0.0F)));
}

void EE_FOR_ISA(ee_simd_normalise)(const float *x, const float *scale, const float *bias,
                                   float epsilon, float *y, int64_t n) {
  vec sum = splat(0.0F), square = splat(0.0F);
  for (int64_t i = 0; i < n; i += LANES) sum += take(x, i, n, 0.0F);
  float mean = sum_of(sum) / (float)n;
  for (int64_t i = 0; i < n; i += LANES) {
    vec d = take(x, i, n, mean) - mean;
    square += d * d;
  }
  float factor = 1.0F / sqrtf(sum_of(square) / (float)n + epsilon);
  for (int64_t i = 0; i < n; i += LANES) {
    vec v = (take(x, i, n, 0.0F) - mean) * factor * take(scale, i, n, 0.0F);
    if (bias != NULL) v += take(bias, i, n, 0.0F);
    put(y, i, n, v);
  }
}
