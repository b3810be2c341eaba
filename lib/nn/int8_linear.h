/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file int8_linear.h
 * Gemm and MatMul of 8 bits with a constant matrix on the right, on dense arrays.
 * What the functions mean stands at ee_backend.
 */
bool      ee_int8_linear_can(const ee_model *model, const ee_node *node);
size_t    ee_int8_linear_prepared_bytes(const ee_model *model, const ee_node *node);
ee_status ee_int8_linear_prepare(const ee_model *model, const ee_node *node,
                                 const float *const constant[EE_MAX_NODE_INPUTS], void *packed);
size_t    ee_int8_linear_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n);
void      ee_int8_linear_run(const ee_kernel_call *call);
