/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file simd_choice.h
 * Which way the backend `simd` takes for a convolution.
 */
typedef enum ee_simd_conv_way {
  EE_SIMD_DIRECT     = 0,
  EE_SIMD_WINOGRAD_2 = 2,  // F(2 x 2, 3 x 3)
  EE_SIMD_WINOGRAD_4 = 4,  // F(4 x 4, 3 x 3)
} ee_simd_conv_way;

/**
 * The way for @p node, a convolution that ee_simd_conv_can() run.
 *
 * Follows from the shapes of the layer and the model's switch alone, never from the batch, the
 * range of layers or the processor's mood, so that a sample's bits are the same everywhere.
 */
ee_simd_conv_way ee_simd_conv_way_of(const ee_model *model, const ee_node *node);

/** Take @p way wherever a node allows it, for tests and measurements; NULL: by the rule. */
void ee_simd_conv_use(const ee_simd_conv_way *way);
