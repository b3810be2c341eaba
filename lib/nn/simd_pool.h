/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_pool.h
 * MaxPool and AveragePool over one or two dimensions of pixels, with the semantics of `ref`.
 * What the functions mean stands at ee_backend.
 */
bool ee_simd_pool_can(const ee_model *model, const ee_node *node);
void ee_simd_pool_run(const ee_kernel_call *call);
