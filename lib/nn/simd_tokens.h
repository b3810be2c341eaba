/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_tokens.h
 * Attention, layer normalisation, softmax over the last dimension and means over the last ones, of
 * dense arrays.
 * What the functions mean stands at ee_backend.
 */
bool   ee_simd_attention_can(const ee_model *model, const ee_node *node);
size_t ee_simd_attention_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n);
void   ee_simd_attention_run(const ee_kernel_call *call);

bool ee_simd_layer_norm_can(const ee_model *model, const ee_node *node);
void ee_simd_layer_norm_run(const ee_kernel_call *call);

bool ee_simd_softmax_can(const ee_model *model, const ee_node *node);
void ee_simd_softmax_run(const ee_kernel_call *call);

bool ee_simd_row_mean_can(const ee_model *model, const ee_node *node);
void ee_simd_row_mean_run(const ee_kernel_call *call);
