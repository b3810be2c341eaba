/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"

static double same_place(const kernel_case *c, const int64_t *p) {
  const ee_shape *out = &c->value[EE_MAX_NODE_INPUTS].shape;
  return c->data[0][nd_offset(p, out->dim, out->rank)];
}

static void reshape_keeps_the_order(void) {
  ee_rng      rng = ee_rng_at(1, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_RESHAPE);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){4, {2, 3, 4, 5}});
  case_output(&c, (ee_shape){2, {6, 20}});
  CU_ASSERT_TRUE(nd_check(&c, same_place, 0.0));
}

static double transposed_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *in = &c->value[0].shape;
  int64_t         q[EE_MAX_RANK];
  for (int d = 0; d < in->rank; d++) q[c->node.attr.transpose.perm[d]] = p[d];
  return c->data[0][nd_offset(q, in->dim, in->rank)];
}

static void transpose_moves_each_axis(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(2, draw);
    kernel_case c;
    ee_shape    x = nd_draw(&rng, case_draw(&rng, 0, 7), 4), y = x;
    nd_begin(&c, EE_OP_TRANSPOSE);
    int *perm = c.node.attr.transpose.perm;
    for (int d = 0; d < x.rank; d++) {  // Fisher and Yates
      int other   = case_draw(&rng, 0, d);
      perm[d]     = perm[other];
      perm[other] = d;
    }
    for (int d = 0; d < x.rank; d++) y.dim[d] = x.dim[perm[d]];
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, transposed_at, 0.0));
  }
}

static double concatenated_at(const kernel_case *c, const int64_t *p) {
  int     rank = c->value[EE_MAX_NODE_INPUTS].shape.rank, axis = c->node.attr.along.axis, i = 0;
  int64_t q[EE_MAX_RANK];
  memcpy(q, p, (size_t)rank * sizeof *q);
  while (q[axis] >= c->value[i].shape.dim[axis]) q[axis] -= c->value[i++].shape.dim[axis];
  return c->data[i][nd_offset(q, c->value[i].shape.dim, rank)];
}

static void concat_puts_inputs_one_after_the_other(void) {
  for (uint64_t draw = 0; draw < 200; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    ee_shape    x    = nd_draw(&rng, case_draw(&rng, 1, 5), 4), y;
    int         axis = case_draw(&rng, 0, x.rank - 1), n = case_draw(&rng, 1, 16);
    nd_begin(&c, EE_OP_CONCAT);
    c.node.attr.along.axis = axis;
    y                      = x;
    y.dim[axis]            = 0;
    for (int i = 0; i < n; i++) {
      x.dim[axis] = case_draw(&rng, 1, 3);
      y.dim[axis] += x.dim[axis];
      case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    }
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, concatenated_at, 0.0));
  }
}

static void concat_repeats_a_constant_over_the_batch(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  case_begin(&c, EE_OP_CONCAT);
  c.node.attr.along.axis = 1;
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {1, 2}});
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {1, 3}});
  case_output(&c, (ee_shape){2, {1, 5}});
  float *y = case_run(&c, &ee_backend_ref, 0, CASE_BATCH);
  for (int i = 0; i < CASE_BATCH * 5; i++) {
    CU_ASSERT_EQUAL(y[i], i % 5 < 2 ? c.data[0][i % 5] : c.data[1][i / 5 * 3 + i % 5 - 2]);
  }
  free(y);
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(reshape_keeps_the_order),
    EE_FACT(transpose_moves_each_axis),
    EE_FACT(concat_puts_inputs_one_after_the_other),
    EE_FACT(concat_repeats_a_constant_over_the_batch),
    {NULL, NULL},
};
