/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file ref.h
 * The families of operators of the backend `ref`, one file each.
 *
 * Every sum (convolution, matrix product, mean, softmax, attention) is made in double and rounded
 * to float once, in an order that depends on the shape of one sample only.  None of these functions
 * applies the activation of the node; ref.c does it for all.
 */

void ee_ref_conv(const ee_kernel_call *call);
void ee_ref_gemm(const ee_kernel_call *call);
void ee_ref_matmul(const ee_kernel_call *call);
void ee_ref_batch_norm(const ee_kernel_call *call);
void ee_ref_max_pool(const ee_kernel_call *call);
void ee_ref_average_pool(const ee_kernel_call *call);
void ee_ref_global_average_pool(const ee_kernel_call *call);
void ee_ref_add(const ee_kernel_call *call);
void ee_ref_mul(const ee_kernel_call *call);
void ee_ref_sub(const ee_kernel_call *call);
void ee_ref_div(const ee_kernel_call *call);
void ee_ref_concat(const ee_kernel_call *call);
void ee_ref_reshape(const ee_kernel_call *call);
void ee_ref_transpose(const ee_kernel_call *call);
void ee_ref_softmax(const ee_kernel_call *call);
void ee_ref_log_softmax(const ee_kernel_call *call);
void ee_ref_pad(const ee_kernel_call *call);
void ee_ref_reduce_mean(const ee_kernel_call *call);
void ee_ref_pow(const ee_kernel_call *call);
void ee_ref_slice(const ee_kernel_call *call);
void ee_ref_gather(const ee_kernel_call *call);
void ee_ref_layer_norm(const ee_kernel_call *call);
void ee_ref_attention(const ee_kernel_call *call);

/** Scratch that ee_ref_attention() needs [byte]. */
size_t ee_ref_attention_scratch(const ee_model *model, const ee_node *node);

/** Multiply-adds, or elements touched, between two progress calls: about 100 us. */
#define EE_REF_STEP 200000
