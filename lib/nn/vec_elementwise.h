/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vec.h"

/**
 * @file vec_elementwise.h
 * For the table of kernels; see simd_kernels.h.
 */
void EE_FOR_ISA(ee_simd_add)(const float *x, const float *y, float *out, int64_t n, float low,
                             float high);
