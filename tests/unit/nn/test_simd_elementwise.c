/* SPDX-License-Identifier: Apache-2.0 */
#include "simd_case.h"

#define TOLERANCE 1e-6  // of the largest result

static ee_shape draw_image(ee_rng *rng) {
  return (ee_shape){4, {1, case_draw(rng, 1, 70), case_draw(rng, 1, 9), case_draw(rng, 1, 9)}};
}

static float *away_from_zero(float *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] += x[i] < 0.0F ? -0.5F : 0.5F;
  return x;
}

static void make_binary(kernel_case *c, ee_rng *rng, ee_shape x, ee_shape y, ee_shape out) {
  const ee_op ops[] = {EE_OP_ADD, EE_OP_SUB, EE_OP_MUL, EE_OP_DIV};
  case_begin(c, ops[case_draw(rng, 0, 3)]);
  c->node.act = draw_activation(rng);
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  away_from_zero(case_input(c, rng, EE_VALUE_ACTIVATION, y), CASE_BATCH * ee_shape_elements(&y));
  case_output(c, out);
}

static void draw_dense(kernel_case *c, ee_rng *rng) {
  ee_shape shape = draw_image(rng);
  shape.rank     = case_draw(rng, 2, 4);
  make_binary(c, rng, shape, shape, shape);
}

static void draw_pixels(kernel_case *c, ee_rng *rng) {
  ee_shape shape = draw_image(rng);
  shape.rank     = case_draw(rng, 3, 4);
  make_binary(c, rng, shape, shape, shape);
  c->as_pixels = true;
}

static void draw_spread(kernel_case *c, ee_rng *rng) {
  ee_shape x = draw_image(rng), y = {4, {1, x.dim[1], 1, 1}};
  make_binary(c, rng, x, y, x);
  bool commutes = c->node.op == EE_OP_ADD || c->node.op == EE_OP_MUL;
  if (!commutes || case_draw(rng, 0, 1) == 0) return;
  case_end(c);
  ee_op         op  = c->node.op;
  ee_activation act = c->node.act;
  make_binary(c, rng, y, x, x);
  c->node.op  = op;
  c->node.act = act;
}

static void check_equal(void) {
  check_draws(draw_dense, 100, TOLERANCE);
  check_draws(draw_pixels, 100, TOLERANCE);
}

static void two_arrays_of_one_shape_agree_with_ref(void) {
  with_all_vectors(check_equal);
}

static void check_spread(void) {
  check_draws(draw_spread, 150, TOLERANCE);
}

static void a_single_pixel_meets_all_pixels(void) {
  with_all_vectors(check_spread);
}

static void check_binary_over(void) {
  for (uint64_t i = 0; i < 20; i++) {
    ee_rng      rng = ee_rng_at(3, i);
    kernel_case c;
    draw_dense(&c, &rng);
    CU_ASSERT_EQUAL(case_places(&c, &ee_backend_simd), 2);
    case_end(&c);
  }
}

static void a_result_may_stand_where_either_array_stood(void) {
  with_all_vectors(check_binary_over);
}

static void draw_batch_norm(kernel_case *c, ee_rng *rng) {
  ee_shape x = draw_image(rng), channels = {1, {x.dim[1]}};
  x.rank = case_draw(rng, 3, 4);
  case_begin(c, EE_OP_BATCH_NORM);
  c->node.attr.batch_norm.epsilon = 1e-3F;
  c->node.act                     = draw_activation(rng);
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  for (int i = 0; i < 3; i++) case_input(c, rng, EE_VALUE_CONSTANT, channels);
  float *var = case_input(c, rng, EE_VALUE_CONSTANT, channels);
  for (int64_t i = 0; i < x.dim[1]; i++) var[i] = fabsf(var[i]);
  case_output(c, x);
}

static void check_batch_norm(void) {
  check_draws(draw_batch_norm, 150, TOLERANCE);
}

static void batch_normalisation_agrees_with_ref(void) {
  with_all_vectors(check_batch_norm);
}

static void draw_concat(kernel_case *c, ee_rng *rng) {
  ee_shape x = draw_image(rng), out = x;
  case_begin(c, EE_OP_CONCAT);
  c->node.attr.along.axis = 1;
  c->node.act             = draw_activation(rng);
  c->as_pixels            = case_draw(rng, 0, 3) > 0;
  out.dim[1]              = 0;
  for (int n = case_draw(rng, 1, 4); n > 0; n--) {
    x.dim[1] = case_draw(rng, 1, 40);
    out.dim[1] += x.dim[1];
    case_input(c, rng, EE_VALUE_ACTIVATION, x);
  }
  case_output(c, out);
}

static void check_concat(void) {
  check_draws(draw_concat, 100, 0.0);
}

static void concat_puts_all_channels_into_every_pixel(void) {
  with_all_vectors(check_concat);
}

static bool all_near(const float *x, const float *y, int64_t n, float bound) {
  bool near = true;
  for (int64_t i = 0; i < n; i++) {
    near = near && (x[i] == y[i] || fabsf(x[i] - y[i]) <= bound || (isnan(x[i]) && isnan(y[i])));
  }
  return near;
}

static void check_activations(void) {
  for (int i = 0; i < 2 * EE_ACT_COUNT; i++) {
    ee_rng      rng = ee_rng_at(2, (uint64_t)i);
    kernel_case c;
    ee_shape    x = draw_image(&rng);
    case_begin(&c, EE_OP_ACTIVATION);
    c.node.act  = (ee_activation){(ee_act)(i / 2), -0.5F, 0.5F};
    c.as_pixels = i % 2 == 0;
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    case_output(&c, x);
    CU_ASSERT_TRUE_FATAL(ee_backend_simd.can(&c.model, &c.node));
    CU_ASSERT_EQUAL(case_places(&c, &ee_backend_simd), c.as_pixels ? 0 : 1);
    float  *y = case_run(&c, &ee_backend_simd, 0, CASE_BATCH);
    int64_t n = case_elements(&c, CASE_BATCH);
    ee_act_apply(&c.node.act, c.data[0], c.data[0], n);
    bool own = c.node.act.kind == EE_ACT_GELU || c.node.act.kind == EE_ACT_GELU_TANH ||
               c.node.act.kind == EE_ACT_SIGMOID;
    CU_ASSERT_TRUE(all_near(y, c.data[0], n, own ? 1e-6F : 0.0F));  // own: by another formula
    free(y);
    case_end(&c);
  }
}

static void every_activation_is_that_of_the_array_and_may_take_its_place(void) {
  with_all_vectors(check_activations);
}

/* Against double, from where the result is all but 0 to where it is 1. */
static void check_sigmoid(void) {
  const int n = 1601;
  float     x[1604], y[1604];
  double    worst = 0.0;
  for (int i = 0; i < n; i++) x[i] = (float)(i - 800) / 10.0F;
  x[n]     = NAN;
  x[n + 1] = -INFINITY;
  x[n + 2] = INFINITY;
  ee_simd_kernels_get()->sigmoid(x, y, n + 3);
  for (int i = 0; i < n; i++) {
    double exact = 1.0 / (1.0 + exp(-(double)x[i]));
    worst        = fmax(worst, fabs(y[i] - exact) / exact);
  }
  CU_ASSERT_TRUE(worst < 1e-6);
  CU_ASSERT_TRUE(isnan(y[n]) && y[n + 1] >= 0.0F && y[n + 1] < 1e-37F && y[n + 2] == 1.0F);
}

static void sigmoid_is_accurate_at_all_sizes(void) {
  with_all_vectors(check_sigmoid);
}

/* Several samples in one array. */
static void what_pixels_cannot_do_is_left_to_others(void) {
  ee_rng      rng = ee_rng_at(3, 0);
  kernel_case c;
  case_begin(&c, EE_OP_BATCH_NORM);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){4, {2, 2, 3, 3}});
  for (int i = 0; i < 4; i++) case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){1, {2}});
  case_output(&c, (ee_shape){4, {2, 2, 3, 3}});
  CU_ASSERT_FALSE(ee_backend_simd.can(&c.model, &c.node));
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(two_arrays_of_one_shape_agree_with_ref),
    EE_FACT(a_result_may_stand_where_either_array_stood),
    EE_FACT(a_single_pixel_meets_all_pixels),
    EE_FACT(batch_normalisation_agrees_with_ref),
    EE_FACT(concat_puts_all_channels_into_every_pixel),
    EE_FACT(every_activation_is_that_of_the_array_and_may_take_its_place),
    EE_FACT(sigmoid_is_accurate_at_all_sizes),
    EE_FACT(what_pixels_cannot_do_is_left_to_others),
    {NULL, NULL},
};
