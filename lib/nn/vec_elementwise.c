/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over neighbouring floats. */
#include "vec_elementwise.h"

void EE_FOR_ISA(ee_simd_add)(const float *x, const float *y, float *out, int64_t n, float low,
                             float high) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    store(out + i, between(load(x + i) + load(y + i), low, high));
  }
  if (i < n) {
    vec sum = load_part(x + i, n - i) + load_part(y + i, n - i);
    store_part(out + i, between(sum, low, high), n - i);
  }
}
