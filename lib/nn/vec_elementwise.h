/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_kernels.h"
#include "vec.h"

/**
 * @file vec_elementwise.h
 * For the table of kernels; see simd_kernels.h.
 */
void EE_FOR_ISA(ee_simd_rows_run)(ee_simd_row_op op, const ee_simd_rows *rows);
