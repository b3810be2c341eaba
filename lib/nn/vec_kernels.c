/* SPDX-License-Identifier: Apache-2.0 */
/* The table of this kind of vector. */
#include "vec.h"
#include "vec_act.h"
#include "vec_depthwise.h"
#include "vec_elementwise.h"
#include "vec_pool.h"
#include "vec_tile.h"
#include "vec_tokens.h"
#include "vec_winograd.h"

const ee_simd_kernels EE_FOR_ISA(ee_simd_kernels) = {
    .name             = EE_TEXT(EE_ISA),
    .lanes            = LANES,
    .max_pixels       = EE_TILE_PIXELS,
    .tile             = EE_FOR_ISA(ee_simd_tile),
    .depthwise_pixels = EE_DEPTHWISE_PIXELS,
    .depthwise        = EE_FOR_ISA(ee_simd_depthwise_row),
    .max_pool         = EE_FOR_ISA(ee_simd_max_pool),
    .average_pool     = EE_FOR_ISA(ee_simd_average_pool),
    .rows             = EE_FOR_ISA(ee_simd_rows_run),
    .spread           = EE_FOR_ISA(ee_simd_spread),
    .gather           = EE_FOR_ISA(ee_simd_gather),
    .softmax          = EE_FOR_ISA(ee_simd_softmax),
    .sigmoid          = EE_FOR_ISA(ee_simd_sigmoid),
    .hard_swish       = EE_FOR_ISA(ee_simd_hard_swish),
    .gelu             = EE_FOR_ISA(ee_simd_gelu),
    .gelu_tanh        = EE_FOR_ISA(ee_simd_gelu_tanh),
    .normalise        = EE_FOR_ISA(ee_simd_normalise),
};
