/* SPDX-License-Identifier: Apache-2.0 */
#include "simd_case.h"
#include "window_case.h"

#define TOLERANCE 1e-6  // of the largest result: float sums of up to some hundred numbers

static void draw_pool(kernel_case *c, ee_rng *rng, ee_op op) {
  const window_limits limits = {1, 2, 20, 4, 3, 3, 3};
  ee_shape            x, y;
  ee_window           w = window_draw(rng, &limits, case_draw(rng, 0, 1) == 1, &x, &y);
  w.count_include_pad   = case_draw(rng, 0, 1) == 1;
  x.dim[0] = y.dim[0] = 1;
  x.dim[1] = y.dim[1] = case_draw(rng, 1, 130);
  case_begin(c, op);
  c->node.attr.window = w;
  c->node.act         = draw_activation(rng);
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_output(c, y);
}

static void draw_average(kernel_case *c, ee_rng *rng) {
  draw_pool(c, rng, EE_OP_AVERAGE_POOL);
}

static void check_average(void) {
  check_draws(draw_average, 250, TOLERANCE);
}

static void average_pooling_agrees_with_ref(void) {
  with_all_vectors(check_average);
}

/* The numbers themselves: a window that is all in the padding gives -inf. */
static void check_max(void) {
  for (uint64_t draw = 0; draw < 250; draw++) {
    ee_rng      rng = ee_rng_at(2, draw);
    kernel_case c;
    draw_pool(&c, &rng, EE_OP_MAX_POOL);
    CU_ASSERT_TRUE_FATAL(ee_backend_simd.can(&c.model, &c.node));
    float *y    = case_run(&c, &ee_backend_simd, 0, CASE_BATCH);
    float *ref  = case_run(&c, &ee_backend_ref, 0, CASE_BATCH);
    bool   same = true;
    for (int64_t i = 0; i < case_elements(&c, CASE_BATCH); i++) same = same && y[i] == ref[i];
    CU_ASSERT_TRUE(same);
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_simd));
    free(y);
    free(ref);
    case_end(&c);
  }
}

static void max_pooling_gives_the_numbers_of_ref(void) {
  with_all_vectors(check_max);
}

static void check_nan(void) {
  ee_rng      rng = ee_rng_at(3, 0);
  kernel_case c;
  case_begin(&c, EE_OP_MAX_POOL);
  c.node.attr.window = (ee_window){.n_spatial = 1, .kernel = {3}, .stride = {1}, .dilation = {1}};
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 1, 6}})[1] = NAN;
  case_output(&c, (ee_shape){3, {1, 1, 4}});
  float *y = case_run(&c, &ee_backend_simd, 0, 1);
  CU_ASSERT_TRUE(isnan(y[0]) && isnan(y[1]) && !isnan(y[2]) && !isnan(y[3]));
  free(y);
  case_end(&c);
}

static void a_nan_is_the_largest(void) {
  with_all_vectors(check_nan);
}

/* A mean over all pixels, as either operator writes it. */
static void draw_mean(kernel_case *c, ee_rng *rng) {
  bool     global = case_draw(rng, 0, 1) == 1;
  ee_shape x      = {case_draw(rng, 3, 4), {1, case_draw(rng, 1, 150)}}, y;
  for (int d = 2; d < x.rank; d++) x.dim[d] = case_draw(rng, 1, 20);
  y = (ee_shape){x.rank, {1, x.dim[1], 1, 1}};
  if (!global && case_draw(rng, 0, 1) == 1) y.rank = 2;
  case_begin(c, global ? EE_OP_GLOBAL_AVERAGE_POOL : EE_OP_REDUCE_MEAN);
  for (int d = 2; d < x.rank && !global; d++) c->node.attr.reduce.axis[d] = true;
  c->node.act = draw_activation(rng);
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_output(c, y);
}

static void check_mean(void) {
  check_draws(draw_mean, 150, TOLERANCE);
}

static void means_over_all_pixels_agree_with_ref(void) {
  with_all_vectors(check_mean);
}

static void other_means_and_volumes_are_left_to_others(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  case_begin(&c, EE_OP_REDUCE_MEAN);
  c.node.attr.reduce.axis[1] = true;
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 2, 3}});
  case_output(&c, (ee_shape){3, {1, 1, 3}});
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);

  case_begin(&c, EE_OP_MAX_POOL);
  c.node.attr.window =
      (ee_window){.n_spatial = 3, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){5, {1, 1, 2, 2, 2}});
  case_output(&c, (ee_shape){5, {1, 1, 2, 2, 2}});
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(average_pooling_agrees_with_ref),
    EE_FACT(max_pooling_gives_the_numbers_of_ref),
    EE_FACT(a_nan_is_the_largest),
    EE_FACT(means_over_all_pixels_agree_with_ref),
    EE_FACT(other_means_and_volumes_are_left_to_others),
    {NULL, NULL},
};
