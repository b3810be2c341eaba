/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_winograd.h
 * Convolution with windows of 3 x 3 by Winograd's minimal filtering, where simd_choice.h wants it.
 * What the functions mean stands at ee_backend.
 */
bool   ee_simd_winograd_can(const ee_model *model, const ee_node *node);
size_t ee_simd_winograd_prepared_bytes(const ee_model *model, const ee_node *node);
void   ee_simd_winograd_prepare(const ee_model *model, const ee_node *node,
                                const float *const constant[EE_MAX_NODE_INPUTS], float *packed);
size_t ee_simd_winograd_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n);
void   ee_simd_winograd_run(const ee_kernel_call *call);

/** What @p packed is for; NULL: as it is meant to be, though ee_simd_winograd_check() may decide
 *  against it. */
const char *ee_simd_winograd_kernel(const ee_model *model, const ee_node *node,
                                    const float *packed);

/**
 * Measure packed weights, and pack them for the direct way instead if a channel of the result is
 * off by more than 1e-3 of its largest element.  Follows from the weights and the processor's
 * vectors alone, so it is the same for every range of layers.
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_simd_winograd_check(const ee_model *model, const ee_node *node,
                                 const float *const constant[EE_MAX_NODE_INPUTS], float *packed);
