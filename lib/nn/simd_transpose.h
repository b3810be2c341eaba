/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_transpose.h
 * Transpose of dense arrays.  What the functions mean stands at ee_backend.
 */
bool ee_simd_transpose_can(const ee_model *model, const ee_node *node);
void ee_simd_transpose_run(const ee_kernel_call *call);
