/* SPDX-License-Identifier: Apache-2.0 */
#include "simd_case.h"

#define TOLERANCE 2e-6  // of the largest result

/* Stacks [1, p, q] of matrices, or [1, p]; dimensions of one, missing dimensions and constants
 * meet whole stacks on either side. */
static void draw_stacks(kernel_case *c, ee_rng *rng) {
  int64_t  rows = case_draw(rng, 1, 40), depth = case_draw(rng, 1, 70), n = case_draw(rng, 1, 140);
  int64_t  p = case_draw(rng, 1, 3), q = case_draw(rng, 1, 3);
  ee_shape a = {5, {1, p, q, rows, depth}}, b = {5, {1, p, q, depth, n}};
  ee_shape y    = {5, {1, p, q, rows, n}};
  int      thin = case_draw(rng, 0, 3), constant = case_draw(rng, 0, 3);
  if (thin == 0) a.dim[2] = 1;
  if (thin == 1) b.dim[1] = 1;
  if (thin == 2) b.dim[2] = 1;
  if (constant == 0) b = (ee_shape){3, {b.dim[2], depth, n}};
  if (constant == 1) {
    a        = (ee_shape){2, {rows, depth}};
    y.dim[1] = b.dim[1];
    y.dim[2] = b.dim[2];
  }
  case_begin(c, EE_OP_MATMUL);
  c->node.act = draw_activation(rng);
  case_input(c, rng, constant == 1 ? EE_VALUE_CONSTANT : EE_VALUE_ACTIVATION, a);
  case_input(c, rng, constant == 0 ? EE_VALUE_CONSTANT : EE_VALUE_ACTIVATION, b);
  case_output(c, y);
}

/* More rows than are multiplied at once, and a panel that is not whole. */
static void draw_many_rows(kernel_case *c, ee_rng *rng) {
  int64_t rows = 500 + case_draw(rng, 0, 40), n = case_draw(rng, 1, 70);
  case_begin(c, EE_OP_MATMUL);
  case_input(c, rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, rows, 9}});
  case_input(c, rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 9, n}});
  case_output(c, (ee_shape){3, {1, rows, n}});
}

static void check_stacks(void) {
  check_draws(draw_stacks, 150, TOLERANCE);
  check_draws(draw_many_rows, 10, TOLERANCE);
}

static void products_of_computed_matrices_agree_with_ref(void) {
  with_all_vectors(check_stacks);
}

/* Vectors as operands, and a bias. */
static void what_is_no_pair_of_matrices_is_left_to_others(void) {
  ee_rng      rng = ee_rng_at(3, 0);
  kernel_case c;
  case_begin(&c, EE_OP_MATMUL);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 4, 5}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){1, {5}});
  case_output(&c, (ee_shape){2, {1, 4}});
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);

  case_begin(&c, EE_OP_MATMUL);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 4, 5}});
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 5, 3}});
  CU_ASSERT_TRUE(ee_backend_simd.can(&c.model, &c.node));
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){1, {3}});
  case_output(&c, (ee_shape){3, {1, 4, 3}});
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(products_of_computed_matrices_agree_with_ref),
    EE_FACT(what_is_no_pair_of_matrices_is_left_to_others),
    {NULL, NULL},
};
