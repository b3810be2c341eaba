/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"
#include "simd_kernels.h"

/**
 * @file int8_kernels.h
 * The innermost loops of the backend `int8`: vec_int8.c, compiled for each kind of vector and
 * chosen at run time.
 *
 * Inputs are whole numbers in [0, 255], weights in [-127, 127], sums of 32 bits.  Sums are exact,
 * and the steps from and to float32 are single operations that are never contracted, so all kinds
 * of vectors give the same bits.
 *
 * Numbers stand in words of four bytes: four numbers of 8 bits where the processor multiplies and
 * adds four at once (VNNI), otherwise two of 16 bits.
 */

#define EE_INT8_LARGEST 127     // of a weight
#define EE_INT8_MOST_SUM 32768  // products of a sum, so that it fits, whatever the inputs

/**
 * A tile: for pixel p and output channel o < outputs
 *
 *   sum = begin[o] + sum w[r, s, k, o] in[r row_step + s run_step + p in_step + 4 k]
 *   out[p out_step + o] = min(max(sum factor[o] + bias[o] + residual[p residual_step + o],
 *                                 low), high)
 *
 * with r < rows, s < runs, k < words; a product of words is that of the numbers in them, added up.
 */
typedef struct ee_int8_tile {
  const char    *in;
  int64_t        in_step;         // bytes from a pixel to the next
  int64_t        rows, row_step;  // rows of the window; bytes
  int64_t        runs, run_step;  // pieces of a row of the window; bytes
  int64_t        words;           // neighbouring words in a piece
  const char    *weights;         // shape [rows, runs, words, vectors * lanes], aligned
  const int32_t *begin;           // shape [vectors * lanes], as are
  const float   *factor, *bias;
  const float   *residual;  // NULL: none
  int64_t        residual_step;
  float         *out;
  int64_t        out_step;  // floats from a pixel to the next
  int64_t        outputs;   // at most vectors * lanes
  float          low, high;
} ee_int8_tile;

typedef void (*ee_int8_tile_fn)(const ee_int8_tile *tile);

/** The kernels for one kind of vector. */
typedef struct ee_int8_kernels {
  const char *name;
  int         lanes;                                // sums in a vector
  int         group;                                // numbers in a word, 4 or 2
  int         max_pixels[EE_SIMD_MAX_VECTORS + 1];  // by vectors
  /** By vectors and pixels, both from 1. */
  const ee_int8_tile_fn (*tile)[EE_SIMD_MAX_PIXELS + 1];
  /** to[i] = min(max(round(x[i] inverse) + zero, 0), 255), halves to the even number, for i < n;
   *  what is no number becomes 0.  @p to is of as many bits as words have. */
  void (*quantise)(const float *x, int64_t n, float inverse, int zero, void *to);
} ee_int8_kernels;

/** The kernels in use: the best for this processor among those of the vectors that the backend
 *  `simd` uses. */
const ee_int8_kernels *ee_int8_kernels_get(void);

/** Use the kernels of that name, `avx512vnni`, `avx512`, `avxvnni`, `avx2` or `base`, for tests;
 *  NULL: as before.  @return EE_OK; EE_ERR_ARG if the processor cannot run them */
ee_status ee_int8_kernels_use(const char *name);
