/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file activation.h
 * The elementwise functions that every backend applies to its results.
 */

/**
 * y[i] = act(x[i]) for i in [0, @p n), by the formulas of EE_ACT_LIST.  NaN stays NaN.
 * @p y may be @p x, but may not overlap it otherwise.
 */
void ee_act_apply(const ee_activation *act, const float *x, float *y, int64_t n);
