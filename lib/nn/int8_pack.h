/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"
#include "int8_kernels.h"
#include "simd_panels.h"

/**
 * @file int8_pack.h
 * Weights of 8 bits as the tile kernels read them, and what turns sums into floats.
 *
 * For output channel o with weights w, its scale is s = max |w| / 127, or 0 if that is 0, and its
 * weights are q = round(w / s).  With an input x = (x' - zero) scale the sum of products is
 *
 *   sum x w = (sum q x' + begin) factor,   begin = -zero sum q,   factor = scale s.
 *
 * Behind the panels, whose depth counts words, stand begin, factor and bias.
 */
typedef struct ee_int8_pack {
  const ee_int8_kernels *kernels;
  ee_simd_panels         panels;
  ee_quant               quant;  // of the input
} ee_int8_pack;

/** Panels for @p outputs channels with @p depth numbers each, a whole number of words, that are
 *  used for rows of @p width pixels. */
ee_int8_pack ee_int8_pack_of(const ee_quant *quant, int64_t outputs, int64_t depth, int64_t width);

size_t ee_int8_pack_bytes(const ee_int8_pack *pack);

/** Set all of the packed memory to 0. */
void ee_int8_pack_clear(const ee_int8_pack *pack, void *packed);

/** Pack channel @p o: @p row has its weights, shape [depth]. */
void ee_int8_pack_output(const ee_int8_pack *pack, int64_t o, const float *row, float bias,
                         void *packed);

/** Where the panels' companions stand, of all output channels. */
const int32_t *ee_int8_pack_begin(const ee_int8_pack *pack, const void *packed);
const float   *ee_int8_pack_factor(const ee_int8_pack *pack, const void *packed);
const float   *ee_int8_pack_bias(const ee_int8_pack *pack, const void *packed);
