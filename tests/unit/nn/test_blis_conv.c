/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "window_case.h"

#define TOLERANCE 4e-6  // of the largest result: float sums of up to some thousand products

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
  const window_limits limits  = {1, 2, 20, 5, 3, 3, 3};
  const int           kinds[] = {EE_ACT_NONE, EE_ACT_RELU, EE_ACT_LEAKY_RELU, EE_ACT_CLIP};
  ee_shape            x, y;
  ee_window           w = window_draw(rng, &limits, false, &x, &y);
  w.groups              = case_draw(rng, 1, 3);
  conv_case(c, rng, w, x, y, case_draw(rng, 1, 8), case_draw(rng, 4, 40),
            case_draw(rng, 0, 1) == 1);
  c->node.act = (ee_activation){(ee_act)kinds[case_draw(rng, 0, 3)], -0.5F, 0.5F};
}

static void random_convolutions_agree_with_ref_and_fuse_activations(void) {
  CU_ASSERT_EQUAL_FATAL(ee_backend_blis.open(), EE_OK);
  for (uint64_t draw = 0; draw < 400; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    CU_ASSERT_TRUE_FATAL(ee_backend_blis.can(&c.model, &c.node));
    bool agrees = case_agrees_with_ref(&c, &ee_backend_blis, TOLERANCE);
    if (!agrees) printf("in draw %d\n", (int)draw);
    CU_ASSERT_TRUE(agrees);
    CU_ASSERT_TRUE(case_applies_activation(&c, &ee_backend_blis));
    case_end(&c);
  }
}

static void deep_convolutions_agree_with_ref(void) {
  const struct {
    int size, ic, oc, kernel, stride, pad;
  } shape[] = {{32, 64, 40, 3, 1, 1}, {8, 256, 70, 3, 1, 1}, {4, 300, 33, 3, 1, 1},
               {16, 96, 64, 1, 1, 0}, {17, 64, 64, 1, 2, 0}, {30, 3, 32, 7, 2, 3}};
  for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
    ee_rng      rng = ee_rng_at(2, i);
    kernel_case c;
    square_conv(&c, &rng, shape[i].size, shape[i].ic, shape[i].oc,
                window_2d(shape[i].kernel, shape[i].stride, shape[i].pad));
    CU_ASSERT_TRUE(case_agrees_with_ref(&c, &ee_backend_blis, TOLERANCE));
    case_end(&c);
  }
}

static void a_batch_has_the_bits_of_its_samples(void) {
  for (uint64_t draw = 0; draw < 60; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_blis));
    case_end(&c);
  }
}

/* Equal images, so that only the place differs: every sample of the batch must be the first. */
static void the_place_in_a_batch_does_not_show(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  square_conv(&c, &rng, 7, 48, 50, window_2d(3, 1, 1));
  int64_t in = ee_shape_elements(&c.value[0].shape), out = case_elements(&c, 1);
  for (int s = 1; s < CASE_BATCH; s++) {
    memcpy(c.data[0] + s * in, c.data[0], (size_t)in * sizeof(float));
  }
  float *y = case_run(&c, &ee_backend_blis, 0, CASE_BATCH);
  for (int s = 1; s < CASE_BATCH; s++) {
    CU_ASSERT_EQUAL(memcmp(y, y + s * out, (size_t)out * sizeof *y), 0);
  }
  free(y);
  case_end(&c);
}

static void a_long_convolution_calls_progress(void) {
  ee_rng      rng = ee_rng_at(5, 0);
  kernel_case c;
  square_conv(&c, &rng, 32, 64, 64, window_2d(3, 1, 1));
  free(case_run(&c, &ee_backend_blis, 0, 1));  // 75 million operations
  CU_ASSERT_TRUE(c.progress_calls >= 5 && c.progress_calls <= 50);
  case_end(&c);
}

static void depthwise_convolutions_are_left_to_ref(void) {
  ee_rng      rng = ee_rng_at(7, 0);
  kernel_case c;
  ee_window   w = window_2d(3, 1, 1);
  ee_shape    x = {4, {1, 0, 4, 4}};
  w.groups      = 8;
  conv_case(&c, &rng, w, x, x, 1, 1, false);
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  case_end(&c);
  conv_case(&c, &rng, w, x, x, 1, 4, false);
  CU_ASSERT_TRUE(ee_backend_blis.can(&c.model, &c.node));
  case_end(&c);
}

static void what_it_cannot_do_it_says(void) {
  ee_rng      rng = ee_rng_at(6, 0);
  kernel_case c;
  ee_window   w = {.n_spatial = 3, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
  ee_shape    x = {5, {1, 1, 2, 2, 2}};
  w.groups      = 1;
  conv_case(&c, &rng, w, x, x, 1, 1, false);
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  case_end(&c);

  square_conv(&c, &rng, 4, 8, 16, window_2d(3, 1, 1));
  CU_ASSERT_TRUE(ee_backend_blis.can(&c.model, &c.node));
  c.value[1].kind = EE_VALUE_ACTIVATION;  // weights that are computed cannot be packed at load
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  c.value[1].kind                 = EE_VALUE_CONSTANT;
  c.node.attr.window.pad_after[1] = -1;
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  case_end(&c);

  case_begin(&c, EE_OP_ADD);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){1, {3}});
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){1, {3}});
  CU_ASSERT_FALSE(ee_backend_blis.can(&c.model, &c.node));
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(random_convolutions_agree_with_ref_and_fuse_activations),
    EE_FACT(deep_convolutions_agree_with_ref),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    EE_FACT(the_place_in_a_batch_does_not_show),
    EE_FACT(a_long_convolution_calls_progress),
    EE_FACT(depthwise_convolutions_are_left_to_ref),
    EE_FACT(what_it_cannot_do_it_says),
    {NULL, NULL},
};
