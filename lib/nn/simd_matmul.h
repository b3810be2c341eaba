/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_matmul.h
 * MatMul of stacks of matrices of which any may be computed, dense arrays.
 * What the functions mean stands at ee_backend.
 */
bool   ee_simd_matmul_can(const ee_model *model, const ee_node *node);
size_t ee_simd_matmul_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n);
void   ee_simd_matmul_run(const ee_kernel_call *call);
