/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_kernels.h"
#include "vec.h"

/**
 * @file vec_depthwise.h
 * For the table of kernels; see simd_kernels.h.
 */
#if LANES == 16
#define EE_DEPTHWISE_PIXELS 8
#else
#define EE_DEPTHWISE_PIXELS 4
#endif

void EE_FOR_ISA(ee_simd_depthwise_row)(const ee_simd_depthwise *row, int pixels);
