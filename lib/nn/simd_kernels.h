/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "ee/cpu.h"
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

/** Cache lines that a tile fetches ahead for every product: a few pixels take no longer than their
 *  weights take to arrive. */
#define EE_SIMD_LINES_AHEAD(vectors, pixels) \
  ((pixels) <= 4 ? (vectors) : (pixels) <= 6 ? ((vectors) + 1) / 2 : 1)

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
  const float *ahead;  // what will be read soon: EE_SIMD_LINES_AHEAD of it per product are fetched
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

/**
 * Tiles of a row of a depthwise convolution, `pixels` pixels each: for pixel p and channel c
 *
 *   out[p out_step + c] = min(max(bias[c] + sum w[r, s, c] in[r row_step + s tap_step +
 *                                 p in_step + c], low), high)
 *
 * with r < rows, s < taps, summed in this order, for p < tiles * pixels and c < channels.
 */
typedef struct ee_simd_depthwise {
  const float *in;
  int64_t      in_step;         // floats from a pixel to the next
  int64_t      rows, row_step;  // rows of the window
  int64_t      taps, tap_step;  // of a row
  int64_t      tiles, channels;
  const float *weights;     // shape [channels / lanes, panel_step], of it [rows, taps, lanes]
  int64_t      panel_step;  // floats from a vector of channels to the next
  const float *bias;        // shape [channels]
  float       *out;
  int64_t      out_step;
  float        low, high;
} ee_simd_depthwise;

/**
 * Pooling of neighbouring pixels whose windows meet equally many inputs: pixel p, channel c is
 * made of in[r row_step + s tap_step + p in_step + c] with r < rows, s < taps; its mean is the sum
 * of the rows' sums divided by `count`.
 */
typedef struct ee_simd_pool {
  const float *in;
  int64_t      in_step;         // floats from a pixel to the next
  int64_t      rows, row_step;  // rows of the window
  int64_t      taps, tap_step;  // of a row
  int64_t      pixels, channels;
  float        count;
  float       *out;
  int64_t      out_step;
  float        low, high;
} ee_simd_pool;

/** Elementwise operations. */
typedef enum ee_simd_row_op {
  EE_SIMD_COPY,  // x
  EE_SIMD_ADD,   // x + y
  EE_SIMD_SUB,   // x - y
  EE_SIMD_MUL,   // x y
  EE_SIMD_DIV,   // x / y
  EE_SIMD_SCALE  // x y + z
} ee_simd_row_op;

/** Rows of one: out[r out_step + i] = min(max(op(x[r x_step + i], y[r y_step + i], z[r y_step +
 * i]), low), high) for r < rows, i < n; n is any number.  Arrays that op does not name may be NULL.
 * Of an array that is one number for each row, that is read for every i.
 */
typedef struct ee_simd_rows {
  const float *x, *y, *z;
  float       *out;
  int64_t      rows, n;
  int64_t      x_step, y_step, out_step;
  bool         x_is_one, y_is_one;  // number for each row
  float        low, high;
} ee_simd_rows;

/** The kernels for one kind of vector. */
typedef struct ee_simd_kernels {
  const char *name;                                 // of the instructions
  int         lanes;                                // floats in a vector
  int         max_pixels[EE_SIMD_MAX_VECTORS + 1];  // by vectors; 0: no such tile
  /** By vectors and pixels, both from 1. */
  const ee_simd_tile_fn (*tile)[EE_SIMD_MAX_PIXELS + 1];
  const ee_simd_spread_fn *spread;  // by m
  const ee_simd_gather_fn *gather;
  /** Pixels in a tile from 1 to depthwise_pixels. */
  int depthwise_pixels;
  void (*depthwise)(const ee_simd_depthwise *row, int pixels);
  void (*max_pool)(const ee_simd_pool *run);
  void (*average_pool)(const ee_simd_pool *run);
  void (*rows)(ee_simd_row_op op, const ee_simd_rows *rows);
  /** x = softmax(scale x + mask) over n > 0 floats in place; mask NULL: none. */
  void (*softmax)(float *x, int64_t n, float scale, const float *mask);
  /** y[i] = 1 / (1 + exp(-x[i])), relative error below 1e-6 above 1e-38; y may be x. */
  void (*sigmoid)(const float *x, float *y, int64_t n);
  /** y[i] = x[i] min(max(x[i] / 6 + 1/2, 0), 1); y may be x. */
  void (*hard_swish)(const float *x, float *y, int64_t n);
  /** y[i] = x[i]/2 (1 + erf(x[i] / sqrt 2)), absolute error below 3e-7 max(1, |x[i]|). */
  void (*gelu)(const float *x, float *y, int64_t n);
  /** y[i] = x[i]/2 (1 + tanh(sqrt(2 / pi) (x[i] + 0.044715 x[i]^3))), as exact. */
  void (*gelu_tanh)(const float *x, float *y, int64_t n);
  /** y = (x - mean) / sqrt(variance + epsilon) scale + bias over n floats; bias NULL: none. */
  void (*normalise)(const float *x, const float *scale, const float *bias, float epsilon, float *y,
                    int64_t n);
} ee_simd_kernels;

/** The kernels in use: the best for this processor, or what the environment's EE_SIMD says. */
const ee_simd_kernels *ee_simd_kernels_get(void);

/** The vectors of the kernels in use. */
ee_cpu_level ee_simd_kernels_level(void);

/** Use the kernels of that name, `avx512`, `avx2` or `base`; NULL: the best.
 *  @return EE_OK; EE_ERR_ARG if there are none, or the processor cannot run them */
ee_status ee_simd_kernels_use(const char *name);
