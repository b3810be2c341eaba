/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_depthwise.h
 * Convolution of each channel by itself, over one or two dimensions of pixels.
 * What the functions mean stands at ee_backend.
 */
bool   ee_simd_depthwise_can(const ee_model *model, const ee_node *node);
size_t ee_simd_depthwise_prepared_bytes(const ee_model *model, const ee_node *node);
void   ee_simd_depthwise_prepare(const ee_model *model, const ee_node *node,
                                 const float *const constant[EE_MAX_NODE_INPUTS], float *packed);
void   ee_simd_depthwise_run(const ee_kernel_call *call);
