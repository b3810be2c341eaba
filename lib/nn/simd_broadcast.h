/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_broadcast.h
 * Add, Sub, Mul, Div of two dense arrays, computed or constant, with numpy's broadcasting.
 * What the functions mean stands at ee_backend.
 */
bool ee_simd_broadcast_can(const ee_model *model, const ee_node *node);
void ee_simd_broadcast_run(const ee_kernel_call *call);
