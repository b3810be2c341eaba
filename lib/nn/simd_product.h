/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_panels.h"

/**
 * @file simd_product.h
 * A product with a matrix that is only known at run time: packed into panels, then used.
 */

/** y[rows, panels.outputs] = x[rows, panels.depth] packed + bias, within limits. */
typedef struct ee_simd_product {
  const ee_simd_panels *panels;
  const float          *packed;  // panels and bias
  const float          *x;
  int64_t               x_step;  // floats from a row to the next
  int64_t               rows;
  float                *y;
  int64_t               y_step;
  float                 low, high;
} ee_simd_product;

/** Pack a matrix, shape [depth, outputs], row @p k of which begins at @p w + k @p step; no bias. */
void ee_simd_pack_rows(const ee_simd_panels *p, const float *w, int64_t step, float *packed);

/** Panel @p i, whose first column of row r goes to @p y + r y_step; whole vectors are written. */
void ee_simd_multiply_panel(const ee_simd_product *product, int64_t i, float *y);

/** Panels [0, @p n), the last one beyond the outputs too. */
void ee_simd_multiply(const ee_simd_product *product, int64_t n);
