/* SPDX-License-Identifier: Apache-2.0 */
#include "simd_case.h"
#include "simd_choice.h"
#include "window_case.h"

#define TOLERANCE 4e-6  // of the largest result: float sums of up to some thousand products

static const ee_simd_conv_way direct = EE_SIMD_DIRECT;

/* Check a fact of direct convolution with every kind of vector. */
static void directly(void (*check)(void)) {
  ee_simd_conv_use(&direct);
  with_all_vectors(check);
  ee_simd_conv_use(NULL);
}

static ee_window window_2d(int kernel, int stride, int pad) {
  return (ee_window){.n_spatial  = 2,
                     .kernel     = {kernel, kernel},
                     .stride     = {stride, stride},
                     .dilation   = {1, 1},
                     .pad_before = {pad, pad},
                     .pad_after  = {pad, pad},
                     .groups     = 1};
}

/* A convolution over size x size pixels. */
static void square_conv(kernel_case *c, ee_rng *rng, int size, int ic, int oc, ee_window w) {
  int64_t  out = window_outputs(&w, 0, size);
  ee_shape x = {4, {1, 0, size, size}}, y = {4, {1, 0, out, out}};
  conv_case(c, rng, w, x, y, ic, oc, true);
}

static void draw_conv(kernel_case *c, ee_rng *rng) {
  const window_limits limits = {1, 2, 20, 5, 3, 3, 3};
  bool                groups = case_draw(rng, 0, 4) == 0;
  ee_shape            x, y;
  ee_window           w = window_draw(rng, &limits, false, &x, &y);
  w.groups              = groups ? case_draw(rng, 2, 3) : 1;
  int ic                = groups ? 16 * case_draw(rng, 1, 2) : case_draw(rng, 1, 40);
  int oc                = groups ? 16 * case_draw(rng, 1, 3) : case_draw(rng, 1, 150);
  conv_case(c, rng, w, x, y, ic, oc, case_draw(rng, 0, 1) == 1);
  c->node.act = draw_activation(rng);
}

/* Groups of any widths, a few outputs for each channel among them. */
static void draw_narrow_groups(kernel_case *c, ee_rng *rng) {
  static const int    groups[] = {2, 3, 5, 8, 16, 32, 48};
  const window_limits limits   = {1, 2, 12, 3, 2, 2, 2};
  ee_shape            x, y;
  ee_window           w = window_draw(rng, &limits, false, &x, &y);
  w.groups              = groups[case_draw(rng, 0, 6)];
  int ic = case_draw(rng, 0, 2) == 0 ? 1 : case_draw(rng, 1, 12), oc = case_draw(rng, 2, 12);
  conv_case(c, rng, w, x, y, ic, oc, case_draw(rng, 0, 1) == 1);
  c->node.act = draw_activation(rng);
}

static void check_narrow_groups(void) {
  check_draws(draw_narrow_groups, 80, TOLERANCE);
}

static void groups_of_any_width_agree_with_ref(void) {
  directly(check_narrow_groups);
}

static void check_random(void) {
  for (uint64_t draw = 0; draw < 250; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    CU_ASSERT_TRUE_FATAL(ee_backend_simd.can(&c.model, &c.node));
    bool agrees = case_agrees_with_ref(&c, &ee_backend_simd, TOLERANCE);
    if (!agrees) printf("in draw %d\n", (int)draw);
    CU_ASSERT_TRUE(agrees);
    CU_ASSERT_TRUE(case_applies_activation(&c, &ee_backend_simd));
    case_end(&c);
  }
}

static void random_convolutions_agree_with_ref_and_fuse_activations(void) {
  directly(check_random);
}

static void check_deep(void) {
  const struct {
    int size, ic, oc, kernel, stride, pad;
  } shape[] = {{32, 64, 40, 3, 1, 1}, {8, 256, 70, 3, 1, 1}, {4, 300, 133, 3, 1, 1},
               {16, 96, 64, 1, 1, 0}, {17, 64, 64, 1, 2, 0}, {30, 3, 32, 7, 2, 3}};
  for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
    ee_rng      rng = ee_rng_at(2, i);
    kernel_case c;
    square_conv(&c, &rng, shape[i].size, shape[i].ic, shape[i].oc,
                window_2d(shape[i].kernel, shape[i].stride, shape[i].pad));
    CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_simd, TOLERANCE));
    case_end(&c);
  }
}

static void deep_convolutions_agree_with_ref(void) {
  directly(check_deep);
}

static void check_batches(void) {
  for (uint64_t draw = 0; draw < 60; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_simd));
    case_end(&c);
  }
}

static void a_batch_has_the_bits_of_its_samples(void) {
  directly(check_batches);
}

static void a_long_convolution_calls_progress(void) {
  ee_rng      rng = ee_rng_at(5, 0);
  kernel_case c;
  square_conv(&c, &rng, 32, 64, 64, window_2d(3, 1, 1));
  ee_simd_conv_use(&direct);
  free(case_run(&c, &ee_backend_simd, 0, 1));  // 75 million operations
  ee_simd_conv_use(NULL);
  CU_ASSERT_TRUE(c.progress_calls >= 5 && c.progress_calls <= 50);
  case_end(&c);
}

/* Of the last two shapes the sums are made in several pieces, which would wait where the residual
 * still stands. */
static void check_over(void) {
  const struct {
    int size, ic, oc, kernel, places;
  } shape[] = {{17, 64, 80, 1, 1}, {9, 70, 33, 3, 1}, {6, 700, 64, 3, 0}, {5, 720, 70, 3, 0}};
  for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
    ee_rng      rng = ee_rng_at(7, i);
    kernel_case c;
    square_conv(&c, &rng, shape[i].size, shape[i].ic, shape[i].oc,
                window_2d(shape[i].kernel, 1, shape[i].kernel / 2));
    int64_t n  = case_elements(&c, CASE_BATCH);
    c.residual = malloc((size_t)n * sizeof *c.residual);
    for (int64_t k = 0; k < n; k++) c.residual[k] = case_random(&rng);
    c.node.act = (ee_activation){EE_ACT_RELU, 0.0F, 0.0F};
    CU_ASSERT_EQUAL(case_places(&c, &ee_backend_simd), shape[i].places);
    free(c.residual);
    case_end(&c);
  }
}

static void a_result_may_stand_where_its_residual_stood(void) {
  directly(check_over);
  with_all_vectors(check_over);
}

static void what_it_cannot_do_it_says(void) {
  ee_rng      rng = ee_rng_at(6, 0);
  kernel_case c;
  ee_window   w = {.n_spatial = 3, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
  ee_shape    x = {5, {1, 1, 2, 2, 2}};
  w.groups      = 1;
  conv_case(&c, &rng, w, x, x, 1, 1, false);
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);

  w        = window_2d(1, 1, 0);  // too many groups would be one
  w.groups = 17;
  x        = (ee_shape){4, {1, 0, 2, 2}};
  conv_case(&c, &rng, w, x, x, 3, 3, false);
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);

  square_conv(&c, &rng, 4, 8, 16, window_2d(3, 1, 1));
  CU_ASSERT_TRUE(ee_backend_simd.can(&c.model, &c.node));
  c.value[1].kind = EE_VALUE_ACTIVATION;  // weights that are computed cannot be packed at load
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  c.value[1].kind = EE_VALUE_CONSTANT;
  c.value[2].kind = EE_VALUE_ACTIVATION;
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  c.value[2].kind                 = EE_VALUE_CONSTANT;
  c.node.attr.window.pad_after[1] = -1;
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);
}

/* Of 1 x 1, unpadded, with vectors of 16: short rows, short sums, and a last panel of one vector.
 */
static void panels_are_as_wide_as_the_shape_wants(void) {
  const struct {
    int         size, ic, oc, stride;
    const char *kernel;
  } of[] = {{7, 160, 160, 1, "direct 4"}, {8, 160, 160, 1, "direct 2"},
            {56, 24, 144, 1, "direct 3"}, {28, 32, 192, 1, "direct 4"},
            {28, 33, 192, 1, "direct 2"}, {28, 32, 80, 1, "direct 3"},
            {64, 36, 36, 1, "direct 3"},  {64, 36, 112, 1, "direct 2"},
            {64, 36, 16, 1, "direct 1"},  {28, 32, 192, 2, "direct 2"}};
  if (ee_simd_kernels_use("avx512") != EE_OK) {
    ee_test_skip("this processor has no AVX-512");
    return;
  }
  for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
    ee_rng      rng = ee_rng_at(7, i);
    kernel_case c;
    square_conv(&c, &rng, of[i].size, of[i].ic, of[i].oc, window_2d(1, of[i].stride, 0));
    CU_ASSERT_STRING_EQUAL(ee_backend_simd.kernel(&c.model, &c.node, 1, NULL), of[i].kernel);
    case_end(&c);
  }
  CU_ASSERT_EQUAL(ee_simd_kernels_use(NULL), EE_OK);
}

static void unknown_vectors_are_refused(void) {
  CU_ASSERT_EQUAL(ee_simd_kernels_use("sse9"), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "sse9"));
}

const ee_fact ee_facts[] = {
    EE_FACT(groups_of_any_width_agree_with_ref),
    EE_FACT(random_convolutions_agree_with_ref_and_fuse_activations),
    EE_FACT(deep_convolutions_agree_with_ref),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    EE_FACT(a_long_convolution_calls_progress),
    EE_FACT(a_result_may_stand_where_its_residual_stood),
    EE_FACT(what_it_cannot_do_it_says),
    EE_FACT(panels_are_as_wide_as_the_shape_wants),
    EE_FACT(unknown_vectors_are_refused),
    {NULL, NULL},
};
