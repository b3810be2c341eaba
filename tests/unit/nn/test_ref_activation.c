/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "kernel_case.h"

#define N 4001  // from -10 to 10, with 0

static double formula(ee_activation act, double x) {
  double p = act.alpha, q = act.beta;
  switch (act.kind) {
    case EE_ACT_RELU:
      return fmax(x, 0.0);
    case EE_ACT_LEAKY_RELU:
      return x >= 0.0 ? x : p * x;
    case EE_ACT_CLIP:
      return fmin(fmax(x, p), q);
    case EE_ACT_SIGMOID:
      return 1.0 / (1.0 + exp(-x));
    case EE_ACT_HARD_SIGMOID:
      return fmin(fmax(p * x + q, 0.0), 1.0);
    case EE_ACT_HARD_SWISH:
      return x * fmin(fmax(x / 6.0 + 0.5, 0.0), 1.0);
    case EE_ACT_TANH:
      return tanh(x);
    case EE_ACT_ERF:
      return erf(x);
    case EE_ACT_SQRT:
      return sqrt(x);
    case EE_ACT_GELU:  // x times the normal distribution function
      return x * 0.5 * erfc(-x * sqrt(0.5));
    case EE_ACT_GELU_TANH:
      return x / (1.0 + exp(-2.0 * sqrt(2.0 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    default:
      return x;
  }
}

static const ee_activation acts[] = {
    {EE_ACT_NONE, 0.0F, 0.0F},         {EE_ACT_RELU, 0.0F, 0.0F},
    {EE_ACT_LEAKY_RELU, 0.1F, 0.0F},   {EE_ACT_CLIP, -1.5F, 6.0F},
    {EE_ACT_SIGMOID, 0.0F, 0.0F},      {EE_ACT_HARD_SIGMOID, 0.2F, 0.5F},
    {EE_ACT_HARD_SWISH, 0.0F, 0.0F},   {EE_ACT_TANH, 0.0F, 0.0F},
    {EE_ACT_HARD_SIGMOID, 0.3F, 0.1F}, {EE_ACT_ERF, 0.0F, 0.0F},
    {EE_ACT_SQRT, 0.0F, 0.0F},         {EE_ACT_GELU, 0.0F, 0.0F},
    {EE_ACT_GELU_TANH, 0.0F, 0.0F},
};

#define N_ACTS (sizeof acts / sizeof acts[0])

/* As the formula, or no number where it has none. */
static bool is_close(float y, double expected, double tolerance) {
  return isnan(expected) ? isnan(y) : fabs(y - expected) <= tolerance;
}

static void every_activation_is_its_formula(void) {
  bool seen[EE_ACT_COUNT] = {false};
  for (size_t a = 0; a < N_ACTS; a++) {
    float x[N], y[N];
    for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2) / 200.0F;
    ee_act_apply(&acts[a], x, y, N);
    for (int i = 0; i < N; i++) {
      double expected = formula(acts[a], x[i]);
      CU_ASSERT_TRUE(is_close(y[i], expected, 3e-7 * fmax(fabs(expected), 1.0)));
    }
    seen[acts[a].kind] = true;
  }
  for (int kind = 0; kind < EE_ACT_COUNT; kind++) CU_ASSERT_TRUE(seen[kind]);
}

static void an_array_can_be_changed_in_place(void) {
  for (size_t a = 0; a < N_ACTS; a++) {
    float x[N], y[N];
    for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2) / 200.0F;
    ee_act_apply(&acts[a], x, y, N);
    ee_act_apply(&acts[a], x, x, N);
    CU_ASSERT_EQUAL(memcmp(x, y, sizeof x), 0);
  }
}

static void a_nan_stays_and_large_values_saturate(void) {
  for (size_t a = 0; a < N_ACTS; a++) {
    float x[] = {NAN, 1e30F, -1e30F}, y[3];
    ee_act_apply(&acts[a], x, y, 3);
    CU_ASSERT_TRUE(isnan(y[0]));
    for (int i = 1; i < 3; i++) {
      double expected = formula(acts[a], x[i]);
      CU_ASSERT_TRUE(is_close(y[i], expected, 1e-6 * fabs(expected)));
    }
  }
}

static void an_activation_node_applies_its_activation(void) {
  ee_rng rng = ee_rng_at(1, 0);
  for (size_t a = 0; a < N_ACTS; a++) {
    kernel_case c;
    case_begin(&c, EE_OP_ACTIVATION);
    c.node.act = acts[a];
    case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {1, 30}});
    case_output(&c, (ee_shape){2, {1, 30}});
    float *y = case_run(&c, &ee_backend_ref, 0, CASE_BATCH);
    for (int i = 0; i < 30 * CASE_BATCH; i++) {
      CU_ASSERT_TRUE(is_close(y[i], formula(acts[a], c.data[0][i]), 2e-7));
    }
    free(y);
    case_end(&c);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(every_activation_is_its_formula),
    EE_FACT(an_array_can_be_changed_in_place),
    EE_FACT(a_nan_stays_and_large_values_saturate),
    EE_FACT(an_activation_node_applies_its_activation),
    {NULL, NULL},
};
