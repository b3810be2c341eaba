/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file simd_choice.h
 * Which way the backend `simd` takes for a convolution or a product.
 */
typedef enum ee_simd_conv_way {
  EE_SIMD_DIRECT     = 0,
  EE_SIMD_WINOGRAD_2 = 2,  // F(2 x 2, 3 x 3)
  EE_SIMD_WINOGRAD_4 = 4,  // F(4 x 4, 3 x 3)
} ee_simd_conv_way;

/**
 * The way for @p node, a convolution that ee_simd_conv_can() run.
 *
 * Follows from the shapes of the layer, the model's switch and what it was tuned to, never from the
 * batch, the range of layers or the processor's mood, so that a sample's bits are the same
 * everywhere.
 */
ee_simd_conv_way ee_simd_conv_way_of(const ee_model *model, const ee_node *node);

/** Take @p way wherever a node allows it, for tests and measurements; NULL: by the rule. */
void ee_simd_conv_use(const ee_simd_conv_way *way);

/** Whether @p node is a convolution that Winograd's method computes. */
bool ee_simd_conv_fits_winograd(const ee_model *model, const ee_node *node);

/** Vectors of output channels in a panel of a direct convolution or a product with @p outputs of
 *  them: @p usual, or what the model was tuned to.  Bits do not depend on it. */
int ee_simd_vectors_of(const ee_model *model, const ee_node *node, int64_t outputs, int usual);

/** Name of the kernel with panels of so many vectors. */
const char *ee_simd_direct_name(int vectors);
