/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over neighbouring floats. */
#include "vec_elementwise.h"

void EE_FOR_ISA(ee_simd_add)(const float *x, const float *y, float *out, int64_t n, float low,
                             float high) {
  for (int64_t i = 0; i < n; i += LANES) {
    store(out + i, between(load(x + i) + load(y + i), low, high));
  }
}
