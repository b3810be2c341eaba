/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"

static double elementwise_at(const kernel_case *c, const int64_t *p) {
  int    rank = c->value[EE_MAX_NODE_INPUTS].shape.rank;
  double a    = nd_broadcast_at(c->data[0], &c->value[0].shape, p, rank);
  double b    = nd_broadcast_at(c->data[1], &c->value[1].shape, p, rank);
  switch (c->node.op) {
    case EE_OP_ADD:
      return a + b;
    case EE_OP_SUB:
      return a - b;
    case EE_OP_MUL:
      return a * b;
    case EE_OP_POW:
      return pow(a, b);
    default:
      return a / b;
  }
}

/* Either operand, or both in different dimensions, may be repeated. */
static void draw_operands(kernel_case *c, ee_rng *rng, ee_op op) {
  ee_shape whole = nd_draw(rng, case_draw(rng, 0, 6), 5), a = whole, b = whole;
  int      who = case_draw(rng, 0, 3);
  if (who == 1) a = nd_draw_broadcast(rng, &whole);
  if (who == 2) b = nd_draw_broadcast(rng, &whole);
  for (int d = 0; who == 3 && d < whole.rank; d++) {
    *(case_draw(rng, 0, 1) == 1 ? &a.dim[d] : &b.dim[d]) = 1;
  }
  for (int d = 0; who == 3 && d < whole.rank; d++) {
    whole.dim[d] = a.dim[d] > b.dim[d] ? a.dim[d] : b.dim[d];
  }
  nd_begin(c, op);
  case_input(c, rng, EE_VALUE_ACTIVATION, a);
  case_input(c, rng, EE_VALUE_ACTIVATION, b);
  for (int64_t i = 0; op == EE_OP_DIV && i < ee_shape_elements(&b); i++) {
    c->data[1][i] += c->data[1][i] < 0.0F ? -0.5F : 0.5F;
  }
  for (int64_t i = 0; op == EE_OP_POW && i < ee_shape_elements(&a); i++) {
    c->data[0][i] = fabsf(c->data[0][i]) + 0.1F;
  }
  case_output(c, whole);
}

static void elementwise_operators_broadcast_like_numpy(void) {
  const ee_op ops[] = {EE_OP_ADD, EE_OP_SUB, EE_OP_MUL, EE_OP_DIV, EE_OP_POW};
  for (uint64_t draw = 0; draw < 1000; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_operands(&c, &rng, ops[draw % 5]);
    CU_ASSERT_TRUE(nd_check(&c, elementwise_at, 6e-8));
  }
}

static void a_constant_is_repeated_over_the_batch(void) {
  ee_rng      rng = ee_rng_at(2, 0);
  kernel_case c;
  case_begin(&c, EE_OP_ADD);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 4, 6}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){3, {1, 4, 1}});
  case_output(&c, (ee_shape){3, {1, 4, 6}});
  float *y = case_run(&c, &ee_backend_ref, 0, CASE_BATCH);
  for (int i = 0; i < CASE_BATCH * 24; i++) {
    CU_ASSERT_EQUAL(y[i], c.data[0][i] + c.data[1][i / 6 % 4]);
  }
  free(y);
  CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_ref));
  case_end(&c);
}

static void a_fused_activation_follows_the_operator(void) {
  ee_rng      rng = ee_rng_at(3, 0);
  kernel_case c;
  case_begin(&c, EE_OP_SUB);
  c.node.act.kind = EE_ACT_RELU;
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {1, 50}});
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {1, 50}});
  case_output(&c, (ee_shape){2, {1, 50}});
  float *y        = case_run(&c, &ee_backend_ref, 0, 1);
  int    positive = 0;
  for (int i = 0; i < 50; i++) {
    float difference = c.data[0][i] - c.data[1][i];
    CU_ASSERT_EQUAL(y[i], difference > 0.0F ? difference : 0.0F);
    positive += difference > 0.0F;
  }
  CU_ASSERT_TRUE(positive > 5 && positive < 45);
  free(y);
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(elementwise_operators_broadcast_like_numpy),
    EE_FACT(a_constant_is_repeated_over_the_batch),
    EE_FACT(a_fused_activation_follows_the_operator),
    {NULL, NULL},
};
