/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vec.h"

/**
 * @file vec_act.h
 * For the table of kernels; see simd_kernels.h.
 */
void EE_FOR_ISA(ee_simd_sigmoid)(const float *x, float *y, int64_t n);
void EE_FOR_ISA(ee_simd_hard_swish)(const float *x, float *y, int64_t n);
