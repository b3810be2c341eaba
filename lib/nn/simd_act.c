/* SPDX-License-Identifier: Apache-2.0 */
/* Activations that are more than limits, over whole arrays. */
#include "simd_act.h"

#include "activation.h"
#include "simd_kernels.h"

void ee_simd_act(const ee_activation *act, const float *x, float *y, int64_t n) {
  if (act->kind == EE_ACT_GELU) {
    ee_simd_kernels_get()->gelu(x, y, n);
  } else {
    ee_act_apply(act, x, y, n);
  }
}
