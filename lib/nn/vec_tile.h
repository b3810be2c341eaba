/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_kernels.h"
#include "vec.h"

/**
 * @file vec_tile.h
 * Which tiles there are: as many sums as fit into the registers beside the weights and, but for
 * AVX-512, which multiplies by a number in memory, one pixel.
 */

// clang-format off
#define EE_TILES_NARROW(X)                                          \
  X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6)                   \
  X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6)                   \
  X(3, 1) X(3, 2) X(3, 3) X(3, 4)                                   \
  X(4, 1) X(4, 2)

#define EE_TILES_WIDE(X)                                            \
  X(1, 7) X(1, 8) X(1, 9) X(1, 10) X(1, 11) X(1, 12) X(1, 13) X(1, 14) \
  X(2, 7) X(2, 8) X(2, 9) X(2, 10) X(2, 11) X(2, 12) X(2, 13) X(2, 14) \
  X(3, 5) X(3, 6) X(3, 7) X(3, 8) X(3, 9)                           \
  X(4, 3) X(4, 4) X(4, 5) X(4, 6) X(4, 7)

#if LANES == 16
#define EE_TILES(X) EE_TILES_NARROW(X) EE_TILES_WIDE(X)
#define EE_TILE_PIXELS {0, 14, 14, 9, 7}
#else
#define EE_TILES(X) EE_TILES_NARROW(X)
#define EE_TILE_PIXELS {0, 6, 6, 4, 2}
#endif
// clang-format on

typedef const ee_simd_tile_fn ee_simd_tile_table[EE_SIMD_MAX_VECTORS + 1][EE_SIMD_MAX_PIXELS + 1];
extern ee_simd_tile_table     EE_FOR_ISA(ee_simd_tile);
