/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"
#include "product_case.h"
#include "simd_case.h"

#define TOLERANCE 4e-6  // of the largest result: float sums of up to some thousand products

static void draw_product(kernel_case *c, ee_rng *rng) {
  const int kinds[] = {EE_ACT_NONE, EE_ACT_RELU, EE_ACT_HARD_SWISH, EE_ACT_CLIP};
  product_case(c, rng, case_draw(rng, 1, 40), case_draw(rng, 1, 200), case_draw(rng, 1, 150));
  c->node.act = (ee_activation){(ee_act)kinds[case_draw(rng, 0, 3)], -0.5F, 0.5F};
}

static void check_random(void) {
  for (uint64_t draw = 0; draw < 200; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_product(&c, &rng);
    CU_ASSERT_TRUE_FATAL(ee_backend_simd.can(&c.model, &c.node));
    CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_simd, TOLERANCE));
    CU_ASSERT_TRUE(case_applies_activation(&c, &ee_backend_simd));
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_simd));
    case_end(&c);
  }
}

static void random_products_agree_with_ref_and_keep_bits_in_a_batch(void) {
  with_all_vectors(check_random);
}

/* Sums in several pieces, rows in several blocks, rows a page apart, features beside the result. */
static void check_deep(void) {
  const int64_t shape[][3] = {{1, 4608, 100}, {60, 1500, 65}, {40, 1024, 200}, {33, 3072, 10}};
  for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
    for (uint64_t seed = 0; seed < 4; seed++) {
      ee_rng      rng = ee_rng_at(2 + seed, i);
      kernel_case c;
      product_case(&c, &rng, shape[i][0], shape[i][1], shape[i][2]);
      CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_simd, TOLERANCE));
      CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_simd));
      case_end(&c);
    }
  }
}

static void deep_and_tall_products_agree_with_ref(void) {
  with_all_vectors(check_deep);
}

static void a_long_product_calls_progress(void) {
  ee_rng      rng = ee_rng_at(6, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_MATMUL);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {64, 512}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {512, 1024}});
  case_output(&c, (ee_shape){2, {64, 1024}});
  free(case_run(&c, &ee_backend_simd, 0, 1));  // 67 million operations
  CU_ASSERT_TRUE(c.progress_calls >= 5 && c.progress_calls <= 50);
  case_end(&c);
}

static void what_it_cannot_do_it_says(void) {
  ee_rng      rng = ee_rng_at(7, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_GEMM);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {4, 4}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {4, 4}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {4, 1}});
  case_output(&c, (ee_shape){2, {4, 4}});
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));  // a bias for each row
  c.node.n_in = 2;
  CU_ASSERT_TRUE(ee_backend_simd.can(&c.model, &c.node));
  c.node.attr.gemm.trans_a = true;
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  c.node.attr.gemm.trans_a = false;
  c.value[1].kind          = EE_VALUE_ACTIVATION;
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);
}

/* By the rows of a sample, never of the batch: panels are packed before there is one. */
static void few_rows_have_wide_panels(void) {
  const struct {
    int64_t     rows;
    const char *kernel;
  } of[] = {{1, "direct 4"}, {7, "direct 4"}, {8, "direct 2"}, {128, "direct 2"}};
  if (ee_simd_kernels_use("avx512") != EE_OK) {
    ee_test_skip("this processor has no AVX-512");
    return;
  }
  for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
    kernel_case c;
    for (uint64_t draw = 0;; draw++) {  // until it is a MatMul, which may have several rows
      ee_rng rng = ee_rng_at(9, draw);
      product_case(&c, &rng, of[i].rows, 96, 80);
      if (c.node.op == EE_OP_MATMUL) break;
      case_end(&c);
    }
    for (int n = 1; n <= 8; n += 7) {
      CU_ASSERT_STRING_EQUAL(ee_backend_simd.kernel(&c.model, &c.node, n, NULL), of[i].kernel);
    }
    case_end(&c);
  }
  CU_ASSERT_EQUAL(ee_simd_kernels_use(NULL), EE_OK);
}

const ee_fact ee_facts[] = {
    EE_FACT(random_products_agree_with_ref_and_keep_bits_in_a_batch),
    EE_FACT(deep_and_tall_products_agree_with_ref),
    EE_FACT(a_long_product_calls_progress),
    EE_FACT(what_it_cannot_do_it_says),
    EE_FACT(few_rows_have_wide_panels),
    {NULL, NULL},
};
