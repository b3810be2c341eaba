/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_choice.h"
#include "simd_panels.h"

/**
 * @file simd_winograd_weights.h
 * The weights of a Winograd convolution: U = G g G^T, for every position of the transformed tile
 * the panels of a product over input channels; then bias and zeros, each as long as a panel needs.
 */
typedef struct ee_winograd {
  int            m, side;    // F(m x m, 3 x 3) reads tiles of side x side pixels
  int            positions;  // side squared
  ee_simd_panels panels;     // of one position
} ee_winograd;

ee_winograd ee_winograd_of(ee_simd_conv_way way, int64_t channels, int64_t outputs);

/** Floats in front of position @p k, of the bias, of the zeros; and of all. */
int64_t ee_winograd_place(const ee_winograd *w, int64_t k);
int64_t ee_winograd_bias_place(const ee_winograd *w);
int64_t ee_winograd_zeros_place(const ee_winograd *w);
int64_t ee_winograd_floats(const ee_winograd *w);

/** Transform @p weights, shape [outputs, channels, 3, 3], in double precision and round once.
 *  @param bias  shape [outputs]; NULL: zeros
 *  @param[out] packed  shape [ee_winograd_floats()] */
void ee_winograd_pack(const ee_winograd *w, const float *weights, const float *bias, float *packed);
