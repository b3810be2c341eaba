/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_linear.h
 * Products with a constant matrix on the right: Gemm and MatMul on dense arrays.
 * What the functions mean stands at ee_backend.
 */
bool   ee_simd_linear_can(const ee_model *model, const ee_node *node);
size_t ee_simd_linear_prepared_bytes(const ee_model *model, const ee_node *node);
void   ee_simd_linear_prepare(const ee_model *model, const ee_node *node,
                              const float *const constant[EE_MAX_NODE_INPUTS], float *packed);
size_t ee_simd_linear_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n);
void   ee_simd_linear_run(const ee_kernel_call *call);

const char *ee_simd_linear_kernel(const ee_model *model, const ee_node *node, const float *packed);
