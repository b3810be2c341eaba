/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_conv.h
 * Convolution over one or two dimensions straight from the pixels, without a copy of the input.
 * What the functions mean stands at ee_backend.
 */
bool   ee_simd_conv_can(const ee_model *model, const ee_node *node);
size_t ee_simd_conv_prepared_bytes(const ee_model *model, const ee_node *node);
void   ee_simd_conv_prepare(const ee_model *model, const ee_node *node,
                            const float *const constant[EE_MAX_NODE_INPUTS], float *packed);
void   ee_simd_conv_run(const ee_kernel_call *call);

/** For Winograd's way as well, which may turn out to be this one. */
bool ee_simd_conv_over(const ee_model *model, const ee_node *node, int i);

const char *ee_simd_conv_kernel(const ee_model *model, const ee_node *node, const float *packed);
