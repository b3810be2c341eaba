/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vec.h"

/**
 * @file vec_math.h
 * Functions of a vector that the processor has no instruction for.
 */

/** exp(x), relative error below 2e-7; 0 becomes 1 exactly, and what is below -87 about 1e-38. */
ALWAYS_INLINE vec vec_exp(vec x) {
  const float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  vec         t     = between(x, -87.0F, 88.0F) * 1.44269504F + shift;
  vec         whole = t - shift;
  vec         r     = between(x, -87.0F, 88.0F) - whole * 0.693359375F + whole * 2.12194440e-4F;
  vec         p     = splat(1.9875691500e-4F);
  p                 = p * r + 1.3981999507e-3F;
  p                 = p * r + 8.3334519073e-3F;
  p                 = p * r + 4.1665795894e-2F;
  p                 = p * r + 1.6666665459e-1F;
  p                 = p * r + 5.0000001201e-1F;
  p                 = p * r * r + r + 1.0F;
  return p * (vec)(((mask_vec)t << 23) + (127 << 23));
}

/** 1 - erf(z) for z >= 0, absolute error below 3e-7.  (Abramowitz and Stegun 7.1.26) */
ALWAYS_INLINE vec vec_erfc(vec z) {
  vec t = 1.0F / (z * 0.3275911F + 1.0F);
  vec p = t * 1.061405429F - 1.453152027F;
  p     = p * t + 1.421413741F;
  p     = p * t - 0.284496736F;
  p     = p * t + 0.254829592F;
  return p * t * vec_exp(-z * z);
}

/* The sum, the largest of all lanes: in the order of a tree, the same for every vector. */
#if defined(__AVX2__)
ALWAYS_INLINE __m256 lower_half(vec x) {
#if LANES == 16
  return _mm512_castps512_ps256((__m512)x);
#else
  return (__m256)x;
#endif
}

ALWAYS_INLINE float sum_of(vec x) {
  __m256 eight = lower_half(x);
#if LANES == 16
  eight = _mm256_add_ps(eight, _mm512_extractf32x8_ps((__m512)x, 1));
#endif
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two  = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

ALWAYS_INLINE float largest_of(vec x) {
  __m256 eight = lower_half(x);
#if LANES == 16
  eight = _mm256_max_ps(eight, _mm512_extractf32x8_ps((__m512)x, 1));
#endif
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two  = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
#else
ALWAYS_INLINE float sum_of(vec x) {
  for (int half = LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) x[i] += x[i + half];
  }
  return x[0];
}

ALWAYS_INLINE float largest_of(vec x) {
  float y = x[0];
  for (int i = 1; i < LANES; i++) y = x[i] > y ? x[i] : y;
  return y;
}
#endif
