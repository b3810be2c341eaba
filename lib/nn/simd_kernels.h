/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file simd_kernels.h
 * The innermost loops of the backend `simd`, compiled once for each kind of vector from the same
 * sources, vec_*.c, and chosen at run time.
 *
 * Channels are the vector axis.  Every element of a result is one chain of operations in an order
 * that does not depend on which kernel of a family computed it, so a sample's bits do not depend
 * on where in a tile, a row or a batch it stands.
 */

#define EE_SIMD_MAX_VECTORS 4  // vectors of output channels in a tile
#define EE_SIMD_MAX_PIXELS 14  // pixels in a tile
#define EE_SIMD_BLOCK 16       // channels per pixel are stored in multiples of it

/**
 * A tile of a convolution or product: for pixel p and output channel o
 *
 *   out[p out_step + o] = min(max(bias[o] + sum w[r, s, c, o] in[r row_step + s run_step +
 *                                 p in_step + c] + residual[p residual_step + o], low), high)
 *
 * with r < rows, s < runs, c < length, summed in this order.  A sum may be made in several pieces,
 * the rows of its window one piece after the other: all but the last leave it in out, from where
 * the next one goes on, and bits are as if it were made at once.
 */
typedef struct ee_simd_tile {
  const float *in;
  int64_t      in_step;         // floats from a pixel to the next
  int64_t      rows, row_step;  // rows of the window
  int64_t      runs, run_step;  // pieces of a row of the window
  int64_t      length;          // neighbouring floats in a piece
  const float *weights;         // shape [rows, runs, length, vectors * lanes], aligned
  const float *bias;            // shape [vectors * lanes], aligned
  const float *residual;        // NULL: none
  int64_t      residual_step;
  float       *out;
  int64_t      out_step;
  float        low, high;
  bool         go_on;  // sums stand in out; otherwise they begin with the bias
  bool         open;   // leave the sums in out as they are, for another piece
  const float *ahead;  // what will be read soon: 64 bytes per product are fetched into cache
} ee_simd_tile;

typedef void (*ee_simd_tile_fn)(const ee_simd_tile *tile);

#define EE_SIMD_WINOGRAD_SIZES 5  // F(m x m, 3 x 3) for m of 2 and 4

/** V = B^T d B of an input tile of (m + 2) x (m + 2) pixels: channel c of position k at
 *  to[k plane + c], from pixel[k][c], for c < channels, a multiple of EE_SIMD_BLOCK. */
typedef void (*ee_simd_spread_fn)(const float *const *pixel, int64_t channels, float *to,
                                  int64_t plane);

/** Y = A^T M A of a tile: m x m pixels, of which `rows` x `columns` are wanted, then residual and
 *  limits as in ee_simd_tile. */
typedef struct ee_simd_gather {
  const float *from;  // channel c of position k at from[k plane + c]
  int64_t      plane;
  int64_t      channels;  // a multiple of EE_SIMD_BLOCK
  int          rows, columns;
  const float *residual;  // NULL: none
  int64_t      residual_row, residual_step;
  float       *out;
  int64_t      out_row, out_step;  // floats from a row, a pixel to the next
  float        low, high;
} ee_simd_gather;

typedef void (*ee_simd_gather_fn)(const ee_simd_gather *tile);

/** The kernels for one kind of vector. */
typedef struct ee_simd_kernels {
  const char *name;                                 // of the instructions
  int         lanes;                                // floats in a vector
  int         max_pixels[EE_SIMD_MAX_VECTORS + 1];  // by vectors; 0: no such tile
  /** By vectors and pixels, both from 1. */
  const ee_simd_tile_fn (*tile)[EE_SIMD_MAX_PIXELS + 1];
  /** out[i] = min(max(x[i] + y[i], low), high) for i < n. */
  void (*add)(const float *x, const float *y, float *out, int64_t n, float low, float high);
  const ee_simd_spread_fn *spread;  // by m
  const ee_simd_gather_fn *gather;
} ee_simd_kernels;

/** The kernels in use: the best for this processor, or what the environment's EE_SIMD says. */
const ee_simd_kernels *ee_simd_kernels_get(void);

/** Use the kernels of that name, `avx512`, `avx2` or `base`; NULL: the best.
 *  @return EE_OK; EE_ERR_ARG if there are none, or the processor cannot run them */
ee_status ee_simd_kernels_use(const char *name);
