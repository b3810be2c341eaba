/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/winograd.h"
#include "ee_test.h"
#include "simd_choice.h"
#include "simd_kernels.h"
#include "window_case.h"

#define TOLERANCE 1e-4  // of the largest result; what is reached is below 2e-5

static const char *const      vectors[] = {"avx512", "avx2", "base"};
static const ee_simd_conv_way ways[]    = {EE_SIMD_WINOGRAD_2, EE_SIMD_WINOGRAD_4};

/* Check a fact with both sizes of tiles and every kind of vector that this processor has. */
static void with_all_kernels(void (*check)(void)) {
  int n = 0;
  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
    if (ee_simd_kernels_use(vectors[i]) != EE_OK) continue;
    for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++) {
      ee_simd_conv_use(&ways[k]);
      check();
      n++;
    }
  }
  CU_ASSERT_TRUE(n >= 2);
  ee_simd_conv_use(NULL);
  CU_ASSERT_EQUAL(ee_simd_kernels_use(NULL), EE_OK);
}

/* A convolution of 3 x 3 over height x width pixels. */
static void conv_3x3(kernel_case *c, ee_rng *rng, int height, int width, int pad, int ic, int oc,
                     bool bias) {
  ee_window w = {.n_spatial  = 2,
                 .kernel     = {3, 3},
                 .stride     = {1, 1},
                 .dilation   = {1, 1},
                 .pad_before = {pad, pad},
                 .pad_after  = {pad, pad},
                 .groups     = 1};
  ee_shape  x = {4, {1, 0, height, width}};
  ee_shape  y = {4, {1, 0, window_outputs(&w, 0, height), window_outputs(&w, 1, width)}};
  conv_case(c, rng, w, x, y, ic, oc, bias);
}

/* Odd sizes, sizes below a tile, pads that differ; channels that fill no vector. */
static void draw_conv(kernel_case *c, ee_rng *rng) {
  const int kinds[] = {EE_ACT_NONE, EE_ACT_RELU, EE_ACT_LEAKY_RELU, EE_ACT_CLIP};
  ee_shape  x = {.rank = 4}, y = {.rank = 4};
  ee_window w = {.n_spatial = 2, .groups = 1};
  for (int d = 0; d < 2; d++) {
    w.kernel[d]   = 3;
    w.stride[d]   = 1;
    w.dilation[d] = 1;
    do {
      x.dim[2 + d]    = case_draw(rng, 1, 20);
      w.pad_before[d] = case_draw(rng, 0, 2);
      w.pad_after[d]  = case_draw(rng, 0, 2);
      y.dim[2 + d]    = window_outputs(&w, d, x.dim[2 + d]);
    } while (y.dim[2 + d] < 1);
  }
  conv_case(c, rng, w, x, y, case_draw(rng, 16, 40), case_draw(rng, 1, 100),
            case_draw(rng, 0, 1) == 1);
  c->node.act = (ee_activation){(ee_act)kinds[case_draw(rng, 0, 3)], -0.5F, 0.5F};
}

static void check_random(void) {
  for (uint64_t draw = 0; draw < 60; draw++) {
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
  with_all_kernels(check_random);
}

/* The residual goes in behind the sum and before the activation: the bits say so. */
static void check_residual(void) {
  for (uint64_t draw = 0; draw < 10; draw++) {
    ee_rng      rng = ee_rng_at(9, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    c.node.act = (ee_activation){.kind = EE_ACT_NONE};
    int64_t n  = case_elements(&c, CASE_BATCH);
    float  *x = case_run(&c, &ee_backend_simd, 0, CASE_BATCH), *r = malloc((size_t)n * sizeof *r);
    for (int64_t i = 0; i < n; i++) {
      r[i] = 3.0F * case_random(&rng);
      x[i] = fmaxf(x[i] + r[i], 0.0F);
    }
    c.residual      = r;
    c.node.act.kind = EE_ACT_RELU;
    float *y        = case_run(&c, &ee_backend_simd, 0, CASE_BATCH);
    CU_ASSERT_EQUAL(memcmp(x, y, (size_t)n * sizeof *x), 0);
    free(x);
    free(y);
    free(r);
    case_end(&c);
  }
}

static void a_residual_is_added_before_the_activation(void) {
  with_all_kernels(check_residual);
}

static void check_deep(void) {
  const struct {
    int height, width, ic, oc;
  } shape[] = {{32, 32, 64, 64}, {8, 8, 256, 70}, {4, 4, 300, 133}, {7, 30, 96, 80}};
  for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
    ee_rng      rng = ee_rng_at(2, i);
    kernel_case c;
    conv_3x3(&c, &rng, shape[i].height, shape[i].width, 1, shape[i].ic, shape[i].oc, true);
    CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_simd, TOLERANCE));
    case_end(&c);
  }
}

static void deep_convolutions_agree_with_ref(void) {
  with_all_kernels(check_deep);
}

static void check_batches(void) {
  for (uint64_t draw = 0; draw < 25; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_simd));
    case_end(&c);
  }
}

static void a_batch_has_the_bits_of_its_samples(void) {
  with_all_kernels(check_batches);
}

static void a_long_convolution_calls_progress(void) {
  ee_rng      rng = ee_rng_at(5, 0);
  kernel_case c;
  conv_3x3(&c, &rng, 32, 32, 1, 64, 64, true);
  ee_simd_conv_use(&ways[1]);
  free(case_run(&c, &ee_backend_simd, 0, 4));  // 75 million operations in products
  CU_ASSERT_TRUE(c.progress_calls >= 5 && c.progress_calls <= 50);
  ee_simd_conv_use(NULL);
  case_end(&c);
}

/* Whether the result has the bits of the direct way. */
static bool is_direct(kernel_case *c, const ee_simd_conv_way *way) {
  const ee_simd_conv_way direct = EE_SIMD_DIRECT;
  ee_simd_conv_use(&direct);
  float *expected = case_run(c, &ee_backend_simd, 0, 1);
  ee_simd_conv_use(way);
  float *ours = case_run(c, &ee_backend_simd, 0, 1);
  bool   same = memcmp(ours, expected, (size_t)case_elements(c, 1) * sizeof *ours) == 0;
  free(ours);
  free(expected);
  return same;
}

/* Weights of one channel whose products are beyond the largest number, rounded to nothing, or none.
 * Factors of small tiles are smaller. */
static void weights_that_it_would_spoil_are_computed_directly(void) {
  const struct {
    float factor;
    bool  direct[2];  // by way
  } of[] = {
      {1.0F, {false, false}}, {1e37F, {false, true}}, {1e-44F, {true, true}}, {NAN, {true, true}}};
  for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
    ee_rng      rng = ee_rng_at(6, i);
    kernel_case c;
    conv_3x3(&c, &rng, 6, 6, 1, 16, 20, false);
    for (int k = 0; k < 16 * 9; k++) c.data[1][17 * 16 * 9 + k] *= of[i].factor;
    for (int k = 0; k < 2; k++) CU_ASSERT_EQUAL(is_direct(&c, &ways[k]), of[i].direct[k]);
    ee_simd_conv_use(NULL);
    case_end(&c);
  }
}

/* The process's rule wins over the model's switch. */
static void model_and_process_may_switch_it_off(void) {
  ee_rng      rng = ee_rng_at(7, 0);
  kernel_case c;
  conv_3x3(&c, &rng, 20, 20, 1, 32, 32, false);
  const struct {
    ee_winograd_rule rule;
    bool             no_winograd, direct;
  } of[] = {{EE_WINOGRAD_BY_MODEL, false, false},
            {EE_WINOGRAD_BY_MODEL, true, true},
            {EE_WINOGRAD_ON, true, false},
            {EE_WINOGRAD_OFF, false, true}};
  for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
    ee_winograd_set(of[i].rule);
    c.model.no_winograd = of[i].no_winograd;
    CU_ASSERT_EQUAL(is_direct(&c, NULL), of[i].direct);
  }
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
  case_end(&c);
}

/* Windows, strides, groups and channels that the method is not for. */
static void other_convolutions_are_direct(void) {
  const struct {
    int kernel, stride, dilation, groups, channels;
  } of[] = {{3, 1, 1, 1, 16}, {5, 1, 1, 1, 16}, {3, 2, 1, 1, 16},
            {3, 1, 2, 1, 16}, {3, 1, 1, 2, 16}, {3, 1, 1, 1, 15}};
  for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
    ee_rng      rng = ee_rng_at(8, i);
    kernel_case c;
    ee_window   w = {.n_spatial  = 2,
                     .kernel     = {of[i].kernel, 3},
                     .stride     = {1, of[i].stride},
                     .dilation   = {of[i].dilation, 1},
                     .pad_before = {1, 1},
                     .groups     = of[i].groups};
    ee_shape    x = {4, {1, 0, 9, 9}};
    ee_shape    y = {4, {1, 0, window_outputs(&w, 0, 9), window_outputs(&w, 1, 9)}};
    conv_case(&c, &rng, w, x, y, of[i].channels, 16, false);
    CU_ASSERT_EQUAL(ee_simd_conv_way_of(&c.model, &c.node) != EE_SIMD_DIRECT, i == 0);
    case_end(&c);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(random_convolutions_agree_with_ref_and_fuse_activations),
    EE_FACT(a_residual_is_added_before_the_activation),
    EE_FACT(deep_convolutions_agree_with_ref),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    EE_FACT(a_long_convolution_calls_progress),
    EE_FACT(weights_that_it_would_spoil_are_computed_directly),
    EE_FACT(model_and_process_may_switch_it_off),
    EE_FACT(other_convolutions_are_direct),
    {NULL, NULL},
};
