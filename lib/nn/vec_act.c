/* SPDX-License-Identifier: Apache-2.0 */
/* Activations of convolutional networks that are more than limits. */
#include "vec_act.h"

#include "vec_math.h"

ALWAYS_INLINE vec sigmoid(vec x) {
  return 1.0F / (vec_exp(-x) + 1.0F);
}

ALWAYS_INLINE vec hard_swish(vec x) {
  return x * between(x / 6.0F + 0.5F, 0.0F, 1.0F);
}

#define DEFINE(function)                                                     \
  void EE_FOR_ISA(ee_simd_##function)(const float *x, float *y, int64_t n) { \
    int64_t i = 0;                                                           \
    for (; i + LANES <= n; i += LANES) store(y + i, function(load(x + i)));  \
    if (i < n) store_part(y + i, function(load_part(x + i, n - i)), n - i);  \
  }
DEFINE(sigmoid)
DEFINE(hard_swish)
