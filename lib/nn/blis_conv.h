/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file blis_conv.h
 * Convolution with constant weights over one or two dimensions, through BLIS's micro-kernel:
 * the entries of ee_backend for these nodes.
 */

/** Whether the node's operands are such that it can be run; BLIS must be open. */
bool ee_blis_conv_can(const ee_model *model, const ee_node *node);

/** Pack the weights @p constant[1] into @p packed, 64-byte aligned, ee_blis_conv_prepared_bytes().
 */
void ee_blis_conv_prepare(const ee_model *model, const ee_node *node,
                          const float *const constant[EE_MAX_NODE_INPUTS], float *packed);

size_t ee_blis_conv_prepared_bytes(const ee_model *model, const ee_node *node);
size_t ee_blis_conv_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n);
void   ee_blis_conv_run(const ee_kernel_call *call);
