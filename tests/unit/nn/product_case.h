/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "kernel_case.h"

/**
 * @file product_case.h
 * Products with a constant matrix.
 */

/** Make @p c x [1, rows, depth] times a constant matrix of @p n columns, with a bias or none; or a
 *  Gemm over one row. */
static inline void product_case(kernel_case *c, ee_rng *rng, int64_t rows, int64_t depth,
                                int64_t n) {
  bool gemm = case_draw(rng, 0, 1) == 1, turned = gemm && case_draw(rng, 0, 1) == 1;
  if (gemm) rows = 1;
  ee_shape x = {3, {1, rows, depth}}, y = {3, {1, rows, n}};
  case_begin(c, gemm ? EE_OP_GEMM : EE_OP_MATMUL);
  if (gemm) {
    x = (ee_shape){2, {1, depth}}, y = (ee_shape){2, {1, n}};
    c->node.attr.gemm.alpha   = case_random(rng);
    c->node.attr.gemm.beta    = case_random(rng);
    c->node.attr.gemm.trans_b = turned;
  }
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){2, {turned ? n : depth, turned ? depth : n}});
  if (case_draw(rng, 0, 1) == 1) case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){1, {n}});
  case_output(c, y);
}
