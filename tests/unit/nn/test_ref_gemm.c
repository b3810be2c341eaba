/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"

static double gemm_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *a = &c->value[0].shape, *b = &c->value[1].shape;
  bool            ta = c->node.attr.gemm.trans_a, tb = c->node.attr.gemm.trans_b;
  double          sum = 0.0;
  for (int64_t k = 0; k < a->dim[ta ? 0 : 1]; k++) {
    double left  = ta ? c->data[0][k * a->dim[1] + p[0]] : c->data[0][p[0] * a->dim[1] + k];
    double right = tb ? c->data[1][p[1] * b->dim[1] + k] : c->data[1][k * b->dim[1] + p[1]];
    sum += left * right;
  }
  sum *= c->node.attr.gemm.alpha;
  if (c->node.n_in < 3) return sum;
  return sum +
         (double)c->node.attr.gemm.beta * nd_broadcast_at(c->data[2], &c->value[2].shape, p, 2);
}

static void draw_gemm(kernel_case *c, ee_rng *rng, int most) {
  int64_t  m = case_draw(rng, 1, 9), k = case_draw(rng, 1, most), n = case_draw(rng, 1, most);
  ee_shape y = {2, {m, n}};
  nd_begin(c, EE_OP_GEMM);
  bool ta = c->node.attr.gemm.trans_a = case_draw(rng, 0, 1) == 1;
  bool tb = c->node.attr.gemm.trans_b = case_draw(rng, 0, 1) == 1;
  c->node.attr.gemm.alpha             = 2.0F * case_random(rng);
  c->node.attr.gemm.beta              = 2.0F * case_random(rng);
  case_input(c, rng, EE_VALUE_ACTIVATION, (ee_shape){2, {ta ? k : m, ta ? m : k}});
  case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){2, {tb ? n : k, tb ? k : n}});
  if (case_draw(rng, 0, 3) > 0) {
    case_input(c, rng, EE_VALUE_CONSTANT, nd_draw_broadcast(rng, &y));
  }
  case_output(c, y);
}

static void gemm_is_its_definition(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_gemm(&c, &rng, draw % 20 == 0 ? 600 : 20);
    CU_ASSERT_TRUE(nd_check(&c, gemm_at, 2e-7));
  }
}

/* Coordinates of the result with the two that a vector operand leaves out put back as 0. */
static int full_coordinates(const kernel_case *c, const int64_t *p, int64_t *q) {
  bool row = c->value[0].shape.rank == 1, column = c->value[1].shape.rank == 1;
  int  stack = c->value[EE_MAX_NODE_INPUTS].shape.rank - 2 + row + column, n = 0, from = 0;
  for (; n < stack; n++) q[n] = p[from++];
  q[n++] = row ? 0 : p[from++];
  q[n++] = column ? 0 : p[from];
  return n;
}

static double matmul_at(const kernel_case *c, const int64_t *p) {
  ee_shape a = c->value[0].shape, b = c->value[1].shape;
  int64_t  q[EE_MAX_RANK], depth    = a.dim[a.rank - 1];
  int      n   = full_coordinates(c, p, q);
  double   sum = 0.0;
  if (b.rank == 1) b = (ee_shape){2, {b.dim[0], 1}};
  for (int64_t k = 0; k < depth; k++) {
    int64_t left[EE_MAX_RANK], right[EE_MAX_RANK];
    memcpy(left, q, sizeof left);
    memcpy(right, q, sizeof right);
    left[n - 1]  = k;
    right[n - 2] = k;
    sum += (double)nd_broadcast_at(c->data[0], &a, left, n) *
           nd_broadcast_at(c->data[1], &b, right, n);
  }
  return c->node.n_in > 2 ? sum + c->data[2][q[n - 1]] : sum;
}

/* An operand: a stack of matrices that is broadcast to `stack`, or a vector. */
static ee_shape draw_operand(ee_rng *rng, const ee_shape *stack, bool vector, int64_t rows,
                             int64_t columns, bool left) {
  if (vector) return (ee_shape){1, {left ? columns : rows}};
  ee_shape shape          = nd_draw_broadcast(rng, stack);
  shape.dim[shape.rank++] = rows;
  shape.dim[shape.rank++] = columns;
  return shape;
}

static ee_shape matmul_result(const ee_shape *a, const ee_shape *b) {
  int      a_stack = a->rank > 2 ? a->rank - 2 : 0, b_stack = b->rank > 2 ? b->rank - 2 : 0;
  int      stack = a_stack > b_stack ? a_stack : b_stack;
  ee_shape y     = {.rank = stack};
  for (int d = 0; d < stack; d++) {
    int64_t in_a = d >= stack - a_stack ? a->dim[d - stack + a_stack] : 1;
    int64_t in_b = d >= stack - b_stack ? b->dim[d - stack + b_stack] : 1;
    y.dim[d]     = in_a > in_b ? in_a : in_b;
  }
  if (a->rank > 1) y.dim[y.rank++] = a->dim[a->rank - 2];
  if (b->rank > 1) y.dim[y.rank++] = b->dim[b->rank - 1];
  return y;
}

static void matmul_is_numpys(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(2, draw);
    kernel_case c;
    ee_shape    stack = nd_draw(&rng, case_draw(&rng, 0, 3), 4);
    int64_t     m = case_draw(&rng, 1, 5), k = case_draw(&rng, 1, 5), n = case_draw(&rng, 1, 5);
    ee_shape    a = draw_operand(&rng, &stack, case_draw(&rng, 0, 4) == 0, m, k, true);
    ee_shape    b = draw_operand(&rng, &stack, case_draw(&rng, 0, 4) == 0, k, n, false);
    nd_begin(&c, EE_OP_MATMUL);
    case_input(&c, &rng, EE_VALUE_ACTIVATION, a);
    case_input(&c, &rng, EE_VALUE_ACTIVATION, b);
    if (b.rank > 1 && draw % 2 == 0) {  // a bias
      case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){1, {n}});
    }
    case_output(&c, matmul_result(&a, &b));
    CU_ASSERT_TRUE(nd_check(&c, matmul_at, 2e-7));
  }
}

static void a_batch_has_the_bits_of_its_samples(void) {
  for (uint64_t draw = 0; draw < 20; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    int64_t     k = case_draw(&rng, 1, 40), n = case_draw(&rng, 1, 40);
    case_begin(&c, draw % 2 == 0 ? EE_OP_GEMM : EE_OP_MATMUL);
    if (c.node.op == EE_OP_GEMM) c.node.attr.gemm.alpha = 0.7F;
    case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {1, k}});
    case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {k, n}});
    case_output(&c, (ee_shape){2, {1, n}});
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_ref));
    case_end(&c);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(gemm_is_its_definition),
    EE_FACT(matmul_is_numpys),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    {NULL, NULL},
};
