/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vec.h"

/**
 * @file vec_tokens.h
 * For the table of kernels; see simd_kernels.h.
 */
void EE_FOR_ISA(ee_simd_softmax)(float *x, int64_t n, float scale, const float *mask);
void EE_FOR_ISA(ee_simd_gelu)(const float *x, float *y, int64_t n);
void EE_FOR_ISA(ee_simd_gelu_tanh)(const float *x, float *y, int64_t n);
void EE_FOR_ISA(ee_simd_normalise)(const float *x, const float *scale, const float *bias,
                                   float epsilon, float *y, int64_t n);
