/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_winograd_error.h
 * How far a Winograd convolution is off: what its packed weights make of a small random picture,
 * beside sums of products in double precision.
 */

/**
 * The largest error of an element in units of the largest element of its channel, over all
 * channels of the result; infinity if there is anything that is no number.
 * @param packed  of @p node, as ee_simd_winograd_run() takes it
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_simd_winograd_error(const ee_model *model, const ee_node *node,
                                 const float *const constant[EE_MAX_NODE_INPUTS],
                                 const float *packed, double *error);
