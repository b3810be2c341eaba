/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_kernels.h"
#include "vec.h"

/**
 * @file vec_winograd.h
 * For the table of kernels; see simd_kernels.h.
 */
extern const ee_simd_spread_fn EE_FOR_ISA(ee_simd_spread)[EE_SIMD_WINOGRAD_SIZES];
extern const ee_simd_gather_fn EE_FOR_ISA(ee_simd_gather)[EE_SIMD_WINOGRAD_SIZES];
