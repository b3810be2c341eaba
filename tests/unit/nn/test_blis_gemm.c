/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"

#define TOLERANCE 4e-6  // of the largest result: float sums of up to some thousand products

/* A Gemm over samples of one row: x [1, k], constant w, C of any shape that fits or none. */
static void batched_gemm(kernel_case *c, ee_rng *rng, int64_t k, int64_t n) {
  ee_shape y = {2, {1, n}};
  case_begin(c, EE_OP_GEMM);
  bool trans_b = c->node.attr.gemm.trans_b = case_draw(rng, 0, 1) == 1;
  c->node.attr.gemm.alpha                  = case_random(rng);
  c->node.attr.gemm.beta                   = case_random(rng);
  case_input(c, rng, EE_VALUE_ACTIVATION, (ee_shape){2, {1, k}});
  case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){2, {trans_b ? n : k, trans_b ? k : n}});
  switch (case_draw(rng, 0, 2)) {
    case 0:
      case_input(c, rng, EE_VALUE_CONSTANT, nd_draw_broadcast(rng, &y));
      break;
    case 1:
      case_input(c, rng, EE_VALUE_ACTIVATION, y);
      break;
    default:
      break;
  }
  case_output(c, y);
}

/* A MatMul with a constant matrix: x [1, rows, k] or [1, k]. */
static void batched_matmul(kernel_case *c, ee_rng *rng, int64_t rows, int64_t k, int64_t n) {
  bool stacked = case_draw(rng, 0, 1) == 1;
  case_begin(c, EE_OP_MATMUL);
  case_input(c, rng, EE_VALUE_ACTIVATION,
             stacked ? (ee_shape){3, {1, rows, k}} : (ee_shape){2, {1, k}});
  case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){2, {k, n}});
  case_output(c, stacked ? (ee_shape){3, {1, rows, n}} : (ee_shape){2, {1, n}});
}

static void draw_product(kernel_case *c, ee_rng *rng) {
  const ee_act kinds[] = {EE_ACT_NONE, EE_ACT_RELU, EE_ACT_HARD_SWISH};
  int64_t      k = case_draw(rng, 1, 200), n = case_draw(rng, 1, 100);
  if (case_draw(rng, 0, 1) == 0) {
    batched_gemm(c, rng, k, n);
  } else {
    batched_matmul(c, rng, case_draw(rng, 1, 30), k, n);
  }
  c->node.act.kind = kinds[case_draw(rng, 0, 2)];
}

static void random_products_agree_with_ref_and_fuse_activations(void) {
  CU_ASSERT_EQUAL_FATAL(ee_backend_blis.open(), EE_OK);
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_product(&c, &rng);
    CU_ASSERT_TRUE_FATAL(ee_backend_blis.can(&c.model, &c.node));
    CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_blis, TOLERANCE));
    CU_ASSERT_TRUE(case_applies_activation(&c, &ee_backend_blis));
    case_end(&c);
  }
}

static void deep_and_tall_products_agree_with_ref(void) {
  const int shape[][3] = {{1, 4608, 100}, {60, 300, 65}, {300, 700, 40}};
  for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
    ee_rng      rng = ee_rng_at(2, i);
    kernel_case c;
    nd_begin(&c, EE_OP_MATMUL);
    case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {shape[i][0], shape[i][1]}});
    case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {shape[i][1], shape[i][2]}});
    case_output(&c, (ee_shape){2, {shape[i][0], shape[i][2]}});
    CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_blis, TOLERANCE));
    case_end(&c);
  }
}

static void c_may_have_a_value_for_every_row(void) {
  ee_rng      rng = ee_rng_at(3, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_GEMM);
  c.node.attr.gemm.alpha = 1.0F;
  c.node.attr.gemm.beta  = 2.0F;
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {29, 17}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {17, 50}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {29, 1}});
  case_output(&c, (ee_shape){2, {29, 50}});
  CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_blis, TOLERANCE));
  case_end(&c);
}

static void a_vector_on_the_left_is_a_row(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_MATMUL);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){1, {33}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {33, 45}});
  case_output(&c, (ee_shape){1, {45}});
  CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_blis, TOLERANCE));
  case_end(&c);
}

static void a_bias_is_added_to_every_row_of_a_stack(void) {
  for (uint64_t draw = 0; draw < 50; draw++) {
    ee_rng      rng = ee_rng_at(8, draw);
    kernel_case c;
    int64_t     t = case_draw(&rng, 1, 40), k = case_draw(&rng, 1, 70), n = case_draw(&rng, 1, 90);
    case_begin(&c, EE_OP_MATMUL);
    c.node.act.kind = draw % 2 == 0 ? EE_ACT_GELU : EE_ACT_NONE;
    case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, t, k}});
    case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {k, n}});
    case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){1, {n}});
    case_output(&c, (ee_shape){3, {1, t, n}});
    CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_blis, TOLERANCE));
    CU_ASSERT_TRUE(case_applies_activation(&c, &ee_backend_blis));
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_blis));
    case_end(&c);
  }
}

static void a_batch_has_the_bits_of_its_samples(void) {
  for (uint64_t draw = 0; draw < 100; draw++) {
    ee_rng      rng = ee_rng_at(5, draw);
    kernel_case c;
    draw_product(&c, &rng);
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_blis));
    case_end(&c);
  }
}

static void a_long_product_calls_progress(void) {
  ee_rng      rng = ee_rng_at(6, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_MATMUL);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {64, 512}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {512, 1024}});
  case_output(&c, (ee_shape){2, {64, 1024}});
  free(case_run(&c, &ee_backend_blis, 0, 1));  // 67 million operations
  CU_ASSERT_TRUE(c.progress_calls >= 5 && c.progress_calls <= 50);
  case_end(&c);
}

static void what_it_cannot_do_it_says(void) {
  ee_rng      rng = ee_rng_at(7, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_GEMM);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {4, 4}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {4, 4}});
  case_output(&c, (ee_shape){2, {4, 4}});
  CU_ASSERT_TRUE(ee_backend_blis.can(&c.model, &c.node));
  c.node.attr.gemm.trans_a = true;
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  c.node.attr.gemm.trans_a = false;
  c.value[1].kind          = EE_VALUE_ACTIVATION;
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  c.node.op       = EE_OP_MATMUL;
  c.value[1].kind = EE_VALUE_CONSTANT;
  CU_ASSERT_TRUE(ee_backend_blis.can(&c.model, &c.node));
  c.value[1].shape = (ee_shape){1, {4}};
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  c.value[1].shape = (ee_shape){3, {1, 4, 4}};
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(random_products_agree_with_ref_and_fuse_activations),
    EE_FACT(deep_and_tall_products_agree_with_ref),
    EE_FACT(c_may_have_a_value_for_every_row),
    EE_FACT(a_vector_on_the_left_is_a_row),
    EE_FACT(a_bias_is_added_to_every_row_of_a_stack),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    EE_FACT(a_long_product_calls_progress),
    EE_FACT(what_it_cannot_do_it_says),
    {NULL, NULL},
};
