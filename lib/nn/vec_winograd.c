/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a Winograd convolution F(m x m, 3 x 3): an input tile becomes the factors of its
 * products, V = B^T d B, and the products become m x m pixels of the result, Y = A^T M A.
 *
 * Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, section 4.1. */
#include "vec_winograd.h"

#include "vec.h"

#define MAX_SIDE 6  // of an input tile, m + 2

/* B^T d, where element i of d stands at d[i step]. */
ALWAYS_INLINE void spread_line(const int m, const vec *d, const int step, vec *to) {
  vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  if (m == 2) {
    to[0] = d0 - d2;
    to[1] = d1 + d2;
    to[2] = d2 - d1;
    to[3] = d1 - d3;
    return;
  }
  vec d4 = d[4 * step], d5 = d[5 * step];
  vec even = d4 - 4.0F * d2, odd = d3 - 4.0F * d1, low = d4 - d2, high = 2.0F * (d3 - d1);
  to[0] = 4.0F * d0 + (d4 - 5.0F * d2);
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = low + high;
  to[4] = low - high;
  to[5] = 4.0F * d1 + (d5 - 5.0F * d3);
}

/* A^T m, where element i stands at x[i step]. */
ALWAYS_INLINE void gather_line(const int m, const vec *x, const int step, vec *to) {
  vec sum = x[step] + x[2 * step], difference = x[step] - x[2 * step];
  if (m == 2) {
    to[0] = x[0] + sum;
    to[1] = difference - x[3 * step];
    return;
  }
  vec far_sum = x[3 * step] + x[4 * step], far_difference = x[3 * step] - x[4 * step];
  to[0] = x[0] + (sum + far_sum);
  to[1] = difference + 2.0F * far_difference;
  to[2] = sum + 4.0F * far_sum;
  to[3] = (difference + 8.0F * far_difference) + x[5 * step];
}

ALWAYS_INLINE void spread(const int m, const float *const *pixel, int64_t channels,
                          float *restrict to, int64_t plane) {
  const int side = m + 2;
  for (int64_t c = 0; c < channels; c += LANES) {
    vec columns[MAX_SIDE * MAX_SIDE];  // shape [x, y]
    UNROLL for (int x = 0; x < side; x++) {
      vec d[MAX_SIDE];
      UNROLL for (int y = 0; y < side; y++) d[y] = load(pixel[y * side + x] + c);
      spread_line(m, d, 1, columns + x * side);
    }
    UNROLL for (int y = 0; y < side; y++) {
      vec row[MAX_SIDE];
      spread_line(m, columns + y, side, row);
      UNROLL for (int x = 0; x < side; x++) store(to + (y * side + x) * plane + c, row[x]);
    }
  }
}

ALWAYS_INLINE void store_row(const ee_simd_gather *g, const int m, const vec *x, int row,
                             int64_t c) {
  float       *out      = g->out + row * g->out_row + c;
  const float *residual = g->residual + (g->residual != NULL ? row * g->residual_row + c : 0);
  UNROLL for (int i = 0; i < m; i++) {
    if (i >= g->columns) return;
    vec y = g->residual != NULL ? x[i] + load(residual + i * g->residual_step) : x[i];
    store(out + i * g->out_step, between(y, g->low, g->high));
  }
}

ALWAYS_INLINE void gather(const int m, const ee_simd_gather *g) {
  const int side = m + 2;
  for (int64_t c = 0; c < g->channels; c += LANES) {
    vec columns[MAX_SIDE * MAX_SIDE];  // shape [x, y], m of y
    UNROLL for (int x = 0; x < side; x++) {
      vec d[MAX_SIDE];
      UNROLL for (int y = 0; y < side; y++) d[y] = load(g->from + (y * side + x) * g->plane + c);
      gather_line(m, d, 1, columns + x * m);
    }
    UNROLL for (int y = 0; y < m; y++) {
      vec row[MAX_SIDE];
      if (y >= g->rows) break;
      gather_line(m, columns + y, m, row);
      store_row(g, m, row, y, c);
    }
  }
}

#define SIZE(m)                                                                                   \
  static void spread_##m(const float *const *pixel, int64_t channels, float *to, int64_t plane) { \
    spread(m, pixel, channels, to, plane);                                                        \
  }                                                                                               \
  static void gather_##m(const ee_simd_gather *g) {                                               \
    gather(m, g);                                                                                 \
  }
SIZE(2)
SIZE(4)

const ee_simd_spread_fn EE_FOR_ISA(ee_simd_spread)[EE_SIMD_WINOGRAD_SIZES] = {
    [2] = spread_2, [4] = spread_4};
const ee_simd_gather_fn EE_FOR_ISA(ee_simd_gather)[EE_SIMD_WINOGRAD_SIZES] = {
    [2] = gather_2, [4] = gather_4};
