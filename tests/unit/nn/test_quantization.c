/* SPDX-License-Identifier: Apache-2.0 */
/* Scales: from ranges, from what a node was given, and what may be one. */
#include "ee/quantization.h"

#include <float.h>

#include "ee_test.h"
#include "window_case.h"

static float told(const ee_quant *q, float x) {
  double n = fmin(fmax(rint((double)x / (double)q->scale) + q->zero, 0.0), 255.0);
  return (float)((n - q->zero) * (double)q->scale);
}

static void a_scale_tells_its_range_and_zero_exactly(void) {
  static const float range[][2] = {{0.0F, 6.0F},   {-2.0F, 2.5F},  {-3.0F, 0.0F}, {1.0F, 5.0F},
                                   {-7.0F, -1.0F}, {-1e-3F, 1e3F}, {0.0F, 1e-30F}};
  for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
    ee_quant q = ee_quant_of_range(range[i][0], range[i][1]);
    CU_ASSERT_EQUAL(told(&q, 0.0F), 0.0F);
    for (int end = 0; end < 2; end++) {
      double off = fabs((double)told(&q, range[i][end]) - (double)range[i][end]);
      CU_ASSERT_TRUE(off <= 0.5001 * (double)q.scale);
    }
    double width = fmax((double)range[i][1], 0.0) - fmin((double)range[i][0], 0.0);
    CU_ASSERT_DOUBLE_EQUAL((double)q.scale, width / 255.0, 1e-6 * width);
  }
}

static void a_range_without_width_has_a_scale_all_the_same(void) {
  ee_quant q = ee_quant_of_range(0.0F, 0.0F);
  CU_ASSERT_TRUE(q.scale >= FLT_MIN && q.zero == 0);
  q = ee_quant_of_range(-FLT_MAX, FLT_MAX);
  CU_ASSERT_TRUE(q.scale < INFINITY && q.zero >= 0 && q.zero <= 255);
}

enum { N = 4 * 6 * 7 };  // elements of a sample

/* A convolution whose inputs are mostly small, and one is not. */
static void make_case(kernel_case *c) {
  ee_rng    rng = ee_rng_at(1, 0);
  ee_window w   = {
        .n_spatial = 2, .kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
  ee_shape x = {4, {1, 4, 6, 7}};
  conv_case(c, &rng, w, x, x, 4, 4, false);
  for (int i = 0; i < CASE_BATCH * N; i++) c->data[0][i] = c->data[0][i] * fabsf(c->data[0][i]);
  c->data[0][17] = 20.0F;
}

/* Watch all samples, dense or as pixels, twice. */
static ee_ranges *watch(kernel_case *c, bool as_pixels) {
  ee_ranges     *ranges;
  ee_pixels      pixels = ee_pixels_of(&c->value[0].shape, 16, 1);
  ee_kernel_call call   = {.model    = &c->model,
                           .node     = &c->node,
                           .n        = CASE_BATCH,
                           .in       = {c->data[0]},
                           .in_shape = {case_shape(c, 0, CASE_BATCH)}};
  float         *x      = case_nan((size_t)(CASE_BATCH * pixels.sample) * sizeof *x);
  ee_pixels_from_dense(&pixels, c->data[0], CASE_BATCH, x);
  if (as_pixels) {
    call.in[0]        = x;
    call.in_pixels[0] = &pixels;
  }
  CU_ASSERT_EQUAL_FATAL(ee_ranges_create(&c->model, &ranges), EE_OK);
  ee_ranges_watch(ranges, &call);
  CU_ASSERT_EQUAL_FATAL(ee_ranges_count(ranges), EE_OK);
  ee_ranges_watch(ranges, &call);
  free(x);
  return ranges;
}

static ee_quant quant_of(const ee_ranges *ranges, ee_range_method method, double percentile) {
  ee_quant q;
  CU_ASSERT_EQUAL_FATAL(ee_ranges_quant(ranges, 0, method, percentile, &q), EE_OK);
  return q;
}

static void minmax_tells_the_least_and_the_largest(void) {
  for (int as_pixels = 0; as_pixels < 2; as_pixels++) {
    kernel_case c;
    make_case(&c);
    float least = 0.0F;
    for (int i = 0; i < CASE_BATCH * N; i++) least = fminf(least, c.data[0][i]);
    ee_ranges *ranges = watch(&c, as_pixels == 1);
    ee_quant   q      = quant_of(ranges, EE_RANGE_MINMAX, 0.0);
    CU_ASSERT_DOUBLE_EQUAL((double)q.scale, (20.0 - (double)least) / 255.0, 1e-6);
    ee_ranges_destroy(&ranges);
    case_end(&c);
  }
}

/* The upper end leaves out the one large number, but no more than a bin of others. */
static void a_percentile_leaves_out_its_share(void) {
  kernel_case c;
  make_case(&c);
  ee_ranges *ranges = watch(&c, true);
  double     one    = 100.0 - 100.0 / (CASE_BATCH * N) * 1.5;
  ee_quant   q      = quant_of(ranges, EE_RANGE_PERCENTILE, one);
  CU_ASSERT_TRUE((double)q.scale * 255.0 < 2.05);
  CU_ASSERT_TRUE((double)q.scale * 255.0 > 1.9);
  q = quant_of(ranges, EE_RANGE_PERCENTILE, 100.0);
  CU_ASSERT_TRUE((double)q.scale * 255.0 > 20.0);
  ee_ranges_destroy(&ranges);
  case_end(&c);
}

static double squares_of(const kernel_case *c, ee_quant q) {
  double sum = 0.0;
  for (int i = 0; i < CASE_BATCH * N; i++) {
    double off = (double)told(&q, c->data[0][i]) - (double)c->data[0][i];
    sum += off * off;
  }
  return sum;
}

/* Squares of the errors of each number, with each share of the range. */
static void mse_is_as_good_as_the_best_share(void) {
  kernel_case c;
  make_case(&c);
  ee_ranges *ranges = watch(&c, false);
  c.data[0][17]     = 20.0F;
  double ours = squares_of(&c, quant_of(ranges, EE_RANGE_MSE, 0.0)), best = INFINITY;
  for (int i = 1; i <= 100; i++) {
    float share = (float)i / 100.0F;
    best        = fmin(best, squares_of(&c, ee_quant_of_range(-share, share * 20.0F)));
  }
  CU_ASSERT_TRUE(ours <= 1.1 * best);
  CU_ASSERT_TRUE(ours < 0.9 * squares_of(&c, ee_quant_of_range(-1.0F, 60.0F)));
  ee_ranges_destroy(&ranges);
  case_end(&c);
}

static void inputs_that_are_no_numbers_are_refused(void) {
  static const float odd[] = {NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
    kernel_case c;
    ee_quant    q;
    make_case(&c);
    c.data[0][N + 3]  = odd[i];
    ee_ranges *ranges = watch(&c, i == 0);
    CU_ASSERT_EQUAL(ee_ranges_quant(ranges, 0, EE_RANGE_MSE, 0.0, &q), EE_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "an input of node 'node' is no finite"));
    ee_ranges_destroy(&ranges);
    case_end(&c);
  }
}

static void a_node_that_never_ran_has_no_scale(void) {
  kernel_case c;
  ee_ranges  *ranges;
  make_case(&c);
  CU_ASSERT_EQUAL_FATAL(ee_ranges_create(&c.model, &ranges), EE_OK);
  CU_ASSERT_EQUAL(quant_of(ranges, EE_RANGE_MINMAX, 0.0).scale, 0.0F);
  ee_ranges_destroy(&ranges);
  case_end(&c);
}

static void bad_scales_are_refused(void) {
  static const ee_quant bad[] = {{NAN, 0},   {INFINITY, 0}, {-1.0F, 0}, {1e-40F, 0},
                                 {1.0F, -1}, {1.0F, 256},   {0.0F, 1}};
  kernel_case           c;
  make_case(&c);
  c.node.quant = (ee_quant){0.1F, 255};
  CU_ASSERT_EQUAL(ee_quantization_check(&c.model), EE_OK);
  CU_ASSERT_EQUAL(ee_quantization_count(&c.model), 1);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    c.node.quant = bad[i];
    CU_ASSERT_EQUAL(ee_quantization_check(&c.model), EE_ERR_FORMAT);
  }
  c.node.quant              = (ee_quant){0.1F, 255};
  c.node.attr.window.groups = 4;
  CU_ASSERT_EQUAL(ee_quantization_check(&c.model), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "node 'node' has a scale, but Conv"));
  ee_quantization_clear(&c.model);
  CU_ASSERT_EQUAL(ee_quantization_check(&c.model), EE_OK);
  case_end(&c);
}

static void methods_have_names(void) {
  for (int m = 0; m < EE_RANGE_METHODS; m++) {
    CU_ASSERT_EQUAL((int)ee_range_method_by_name(ee_range_method_name((ee_range_method)m)), m);
  }
  CU_ASSERT_EQUAL(ee_range_method_by_name("kl"), EE_RANGE_METHODS);
}

const ee_fact ee_facts[] = {EE_FACT(a_scale_tells_its_range_and_zero_exactly),
                            EE_FACT(a_range_without_width_has_a_scale_all_the_same),
                            EE_FACT(minmax_tells_the_least_and_the_largest),
                            EE_FACT(a_percentile_leaves_out_its_share),
                            EE_FACT(mse_is_as_good_as_the_best_share),
                            EE_FACT(inputs_that_are_no_numbers_are_refused),
                            EE_FACT(a_node_that_never_ran_has_no_scale),
                            EE_FACT(bad_scales_are_refused),
                            EE_FACT(methods_have_names),
                            {NULL, NULL}};
