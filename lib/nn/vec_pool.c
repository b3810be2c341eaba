/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling: some vectors of channels of one pixel at a time. */
#include "vec_pool.h"

#include <math.h>

#define MAX_VECTORS 4
#define AHEAD 1024  // floats

/* Channels of an input; those that will be read soon are fetched meanwhile, because of a large
 * input that stands in memory the processor by itself fetches too little. */
ALWAYS_INLINE vec take(const float *x) {
  __builtin_prefetch(x + AHEAD);
  return load(x);
}

/* The larger one; a NaN stays. */
#if defined(__AVX512F__)
ALWAYS_INLINE vec larger(vec a, vec b) {
  __mmask16 number = _mm512_cmp_ps_mask((__m512)a, (__m512)a, _CMP_ORD_Q);
  return (vec)_mm512_mask_max_ps((__m512)a, number, (__m512)a, (__m512)b);
}
#else
ALWAYS_INLINE vec larger(vec a, vec b) {
  mask_vec take = (b > a) | (b != b);
  return (vec)((take & (mask_vec)b) | (~take & (mask_vec)a));
}
#endif

ALWAYS_INLINE void largest_of(const ee_simd_pool *t, const float *in, const int vectors,
                              vec *best) {
  UNROLL for (int v = 0; v < vectors; v++) best[v] = splat(-INFINITY);
  for (int64_t r = 0; r < t->rows; r++) {
    for (int64_t s = 0; s < t->taps; s++) {
      const float *x                                   = in + r * t->row_step + s * t->tap_step;
      UNROLL for (int v = 0; v < vectors; v++) best[v] = larger(best[v], take(x + v * LANES));
    }
  }
}

ALWAYS_INLINE void mean_of(const ee_simd_pool *t, const float *in, const int vectors, vec *mean) {
  UNROLL for (int v = 0; v < vectors; v++) mean[v] = splat(0.0F);
  for (int64_t r = 0; r < t->rows; r++) {
    vec row[MAX_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) row[v] = splat(0.0F);
    for (int64_t s = 0; s < t->taps; s++) {
      const float *x = in + r * t->row_step + s * t->tap_step;
      UNROLL for (int v = 0; v < vectors; v++) row[v] += take(x + v * LANES);
    }
    UNROLL for (int v = 0; v < vectors; v++) mean[v] += row[v];
  }
  UNROLL for (int v = 0; v < vectors; v++) mean[v] /= splat(t->count);
}

ALWAYS_INLINE void pool_channels(const ee_simd_pool *t, int64_t at, const bool largest,
                                 const int vectors) {
  for (int64_t p = 0; p < t->pixels; p++) {
    const float *in = t->in + p * t->in_step + at;
    vec          y[MAX_VECTORS];
    if (largest) {
      largest_of(t, in, vectors, y);
    } else {
      mean_of(t, in, vectors, y);
    }
    UNROLL for (int v = 0; v < vectors; v++) {
      store(t->out + p * t->out_step + at + v * LANES, between(y[v], t->low, t->high));
    }
  }
}

ALWAYS_INLINE void pool(const ee_simd_pool *t, const bool largest) {
  int64_t c = 0;
  for (; c + 4 * LANES <= t->channels; c += 4 * LANES) pool_channels(t, c, largest, 4);
  for (; c + 2 * LANES <= t->channels; c += 2 * LANES) pool_channels(t, c, largest, 2);
  for (; c < t->channels; c += LANES) pool_channels(t, c, largest, 1);
}

void EE_FOR_ISA(ee_simd_max_pool)(const ee_simd_pool *run) {
  pool(run, true);
}

void EE_FOR_ISA(ee_simd_average_pool)(const ee_simd_pool *run) {
  pool(run, false);
}
