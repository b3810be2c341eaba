/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file blis_kernel.h
 * BLIS's single-precision micro-kernel, seen as one product of two packed panels:
 *
 *   tile[r, l] = sum_k by_row[k, r] by_lane[k, l]     shape [rows, lanes]
 *
 * Lanes are the side that the micro-kernel stores contiguously.  The sum runs over all of k in one
 * call, from zero, in the order of k; and every tile is computed whole.  An element's bits thus
 * depend on its own factors only, not on where in a tile or a batch it stands.
 */

/** Size of a tile; constant after ee_blis_open(). */
typedef struct ee_blis_shape {
  int lanes, rows;
} ee_blis_shape;

/** Choose BLIS's kernels by this processor and start BLIS.  May be called again.
 *  @return EE_OK; EE_ERR_ARG if the environment's BLIS_ARCH_TYPE is none that works here */
ee_status ee_blis_open(void);

/** Version of BLIS, its architecture and its tile, as one line; BLIS is open. */
void ee_blis_describe(char *text, size_t size);

/** Tile size; opens BLIS if need be. */
ee_blis_shape ee_blis_tile_shape(void);

/** Floats that must be readable behind the last panel: micro-kernels load ahead. */
#define EE_BLIS_SLACK 256

/** Floats from one packed panel of @p width columns to the next: @p depth * @p width, rounded up to
 *  whole cache lines. */
static inline int64_t ee_blis_panel_stride(int64_t depth, int64_t width) {
  return (depth * width + 15) / 16 * 16;
}

/** Floats of @p panels such panels with their slack, rounded up to whole cache lines. */
static inline int64_t ee_blis_panels_floats(int64_t panels, int64_t depth, int64_t width) {
  return panels * ee_blis_panel_stride(depth, width) + EE_BLIS_SLACK;
}

/** Compute one tile.  Panels and tile are 64-byte aligned; @p tile is overwritten. */
void ee_blis_tile(int64_t depth, const float *by_row, const float *by_lane, float *tile);

/** Packed bytes of one block of panels that should stay in a second-level cache [byte]. */
#define EE_BLIS_BLOCK_BYTES (384 * 1024)

/** Floating-point operations between two progress calls: 50 us at 160 GFLOP/s. */
#define EE_BLIS_STEP 8000000

/**
 * Pack the rows of a matrix as panels of @p width rows each; missing rows become zero.
 * packed[p, k, j] = matrix[(p width + j) row_step + k column_step]
 * @param      rows    of the matrix
 * @param[out] packed  ceil(rows / width) panels at ee_blis_panel_stride()
 */
void ee_blis_pack_rows(const float *matrix, int64_t row_step, int64_t column_step, int64_t rows,
                       int64_t depth, int width, float *packed);
