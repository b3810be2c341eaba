/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <math.h>

#include "ee/model.h"

/**
 * @file simd_act.h
 * The part of an activation that a kernel applies while it stores: limits.
 */
typedef struct ee_simd_limits {
  float low, high;
  bool  whole;  // the limits are all of the activation; otherwise it is applied afterwards
} ee_simd_limits;

static inline ee_simd_limits ee_simd_limits_of(const ee_activation *act) {
  switch (act->kind) {
    case EE_ACT_NONE:
      return (ee_simd_limits){-INFINITY, INFINITY, true};
    case EE_ACT_RELU:
      return (ee_simd_limits){0.0F, INFINITY, true};
    case EE_ACT_CLIP:
      return (ee_simd_limits){act->alpha, act->beta, true};
    default:
      return (ee_simd_limits){-INFINITY, INFINITY, false};
  }
}

/** y = act(x) over @p n floats; may be in place.  Vectorised where we have the function. */
void ee_simd_act(const ee_activation *act, const float *x, float *y, int64_t n);
