/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operations that repeat one array along another, and transpositions. */
#include "simd_case.h"

#define TOLERANCE 1e-6  // of the largest result

/* An array of any rank; of the other one, some dimensions are one or missing, or it is constant. */
static void draw_broadcast(kernel_case *c, ee_rng *rng) {
  static const ee_op ops[] = {EE_OP_ADD, EE_OP_SUB, EE_OP_MUL, EE_OP_DIV};
  ee_shape           y     = {case_draw(rng, 2, 5), {1}}, x[2];
  int                thin = case_draw(rng, 0, 1), kind = case_draw(rng, 0, 2);
  for (int i = 1; i < y.rank; i++) y.dim[i] = case_draw(rng, 1, i == y.rank - 1 ? 70 : 5);
  x[0] = x[1] = y;
  for (int i = 1; i < y.rank; i++) {
    int which = case_draw(rng, 0, 2);
    if (which < 2 && (which == thin || kind == 2)) x[which].dim[i] = 1;
  }
  if (kind == 0) {
    int drop = case_draw(rng, 1, y.rank);
    x[thin].rank -= drop;
    for (int i = 0; i < x[thin].rank; i++) x[thin].dim[i] = x[thin].dim[i + drop];
  }
  case_begin(c, ops[case_draw(rng, 0, 3)]);
  c->node.act = draw_activation(rng);
  for (int i = 0; i < 2; i++) {
    bool    constant = kind == 0 && i == thin;
    float  *data     = case_input(c, rng, constant ? EE_VALUE_CONSTANT : EE_VALUE_ACTIVATION, x[i]);
    int64_t n        = ee_shape_elements(&x[i]) * (constant ? 1 : CASE_BATCH);
    for (int64_t k = 0; k < n; k++) data[k] += data[k] < 0.0F ? -0.5F : 0.5F;
  }
  for (int i = 0; i < y.rank; i++) {
    int64_t a = i >= y.rank - x[0].rank ? x[0].dim[i - (y.rank - x[0].rank)] : 1;
    int64_t b = i >= y.rank - x[1].rank ? x[1].dim[i - (y.rank - x[1].rank)] : 1;
    y.dim[i]  = a > b ? a : b;
  }
  case_output(c, y);
}

static void check_broadcast(void) {
  check_draws(draw_broadcast, 300, TOLERANCE);
}

static void arrays_are_repeated_along_each_other_as_ref_does(void) {
  with_all_vectors(check_broadcast);
}

static void draw_transpose(kernel_case *c, ee_rng *rng) {
  ee_shape x = {case_draw(rng, 2, 5), {1}}, y;
  case_begin(c, EE_OP_TRANSPOSE);
  c->node.act = draw_activation(rng);
  for (int i = 1; i < x.rank; i++) x.dim[i] = case_draw(rng, 1, x.rank > 3 ? 9 : 50);
  for (int i = 0; i < x.rank; i++) c->node.attr.transpose.perm[i] = i;
  for (int i = x.rank - 1; i > 1; i--) {
    int k = case_draw(rng, 1, i), kept = c->node.attr.transpose.perm[i];
    c->node.attr.transpose.perm[i] = c->node.attr.transpose.perm[k];
    c->node.attr.transpose.perm[k] = kept;
  }
  y = x;
  for (int i = 0; i < x.rank; i++) y.dim[i] = x.dim[c->node.attr.transpose.perm[i]];
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_output(c, y);
}

static void check_transpose(void) {
  check_draws(draw_transpose, 200, 0.0);
}

static void transpositions_move_every_number_as_ref_does(void) {
  with_all_vectors(check_transpose);
}

const ee_fact ee_facts[] = {
    EE_FACT(arrays_are_repeated_along_each_other_as_ref_does),
    EE_FACT(transpositions_move_every_number_as_ref_does),
    {NULL, NULL},
};
