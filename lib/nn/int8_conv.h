/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file int8_conv.h
 * Convolution of 8 bits over one or two dimensions, from pixels to pixels of float32.
 * What the functions mean stands at ee_backend.
 */
bool      ee_int8_conv_can(const ee_model *model, const ee_node *node);
size_t    ee_int8_conv_prepared_bytes(const ee_model *model, const ee_node *node);
ee_status ee_int8_conv_prepare(const ee_model *model, const ee_node *node,
                               const float *const constant[EE_MAX_NODE_INPUTS], void *packed);
size_t    ee_int8_conv_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n);
void      ee_int8_conv_run(const ee_kernel_call *call);
