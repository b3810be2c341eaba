/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_kernels.h"
#include "vec.h"

/**
 * @file vec_pool.h
 * For the table of kernels; see simd_kernels.h.
 */
void EE_FOR_ISA(ee_simd_max_pool)(const ee_simd_pool *run);
void EE_FOR_ISA(ee_simd_average_pool)(const ee_simd_pool *run);
