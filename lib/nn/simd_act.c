/* SPDX-License-Identifier: Apache-2.0 */
/* Activations that are more than limits, over whole arrays. */
#include "simd_act.h"

#include "activation.h"
#include "simd_kernels.h"

void ee_simd_act(const ee_activation *act, const float *x, float *y, int64_t n) {
  const ee_simd_kernels *k = ee_simd_kernels_get();
  switch (act->kind) {
    case EE_ACT_GELU:
      k->gelu(x, y, n);
      break;
    case EE_ACT_GELU_TANH:
      k->gelu_tanh(x, y, n);
      break;
    case EE_ACT_SIGMOID:
      k->sigmoid(x, y, n);
      break;
    case EE_ACT_HARD_SWISH:
      k->hard_swish(x, y, n);
      break;
    default:
      ee_act_apply(act, x, y, n);
      break;
  }
}
