/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_kernels.h"

/**
 * @file simd_sweep.h
 * A row of pixels, or rows of a matrix, by one panel of weights.
 */

/** Weights that will be wanted next, fetched while others are multiplied. */
typedef struct ee_simd_fetch {
  const float *next;
  int64_t      unread;  // floats that nobody fetches yet
} ee_simd_fetch;

/** Compute @p n pixels, beginning with that of @p t, by tiles of @p vectors vectors and about the
 *  same number of pixels.  @p fetch may be NULL. */
void ee_simd_sweep(ee_simd_tile t, int vectors, int64_t n, ee_simd_fetch *fetch);
