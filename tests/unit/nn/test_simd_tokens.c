/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"
#include "simd_case.h"

#define TOLERANCE 4e-6  // of the largest result

/* Attention of `heads` heads over [1, rows, heads * depth]; with a mask of one of three shapes. */
static void draw_attention(kernel_case *c, ee_rng *rng) {
  int64_t rows = case_draw(rng, 1, 40), keys = case_draw(rng, 1, 70), heads = case_draw(rng, 1, 3);
  int64_t depth = case_draw(rng, 1, 40), width = case_draw(rng, 1, 40);
  case_begin(c, EE_OP_ATTENTION);
  c->node.attr.attention.n_heads = (int)heads;
  c->node.attr.attention.scale   = 0.5F * case_random(rng);
  case_input(c, rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, rows, heads * depth}});
  case_input(c, rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, keys, heads * depth}});
  case_input(c, rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, keys, heads * width}});
  switch (case_draw(rng, 0, 2)) {
    case 0:
      case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){1, {keys}});
      break;
    case 1:
      case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){3, {heads, 1, keys}});
      break;
    default:
      break;
  }
  case_output(c, (ee_shape){3, {1, rows, heads * width}});
}

static void draw_layer_norm(kernel_case *c, ee_rng *rng) {
  int64_t features = case_draw(rng, 1, 100);
  case_begin(c, EE_OP_LAYER_NORM);
  c->node.attr.layer_norm.axis    = 2;
  c->node.attr.layer_norm.epsilon = 1e-5F;
  ee_shape x                      = {3, {1, case_draw(rng, 1, 5), features}};
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){1, {features}});
  if (case_draw(rng, 0, 1) == 1) case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){1, {features}});
  case_output(c, x);
}

static void draw_softmax(kernel_case *c, ee_rng *rng) {
  ee_shape x = {3, {1, case_draw(rng, 1, 5), case_draw(rng, 1, 100)}};
  case_begin(c, EE_OP_SOFTMAX);
  c->node.attr.along.axis = 2;
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_output(c, x);
}

/* Over the last one or two of three dimensions. */
static void draw_row_mean(kernel_case *c, ee_rng *rng) {
  ee_shape x    = {3, {1, case_draw(rng, 1, 5), case_draw(rng, 1, 100)}};
  bool     both = case_draw(rng, 0, 1) == 1;
  case_begin(c, EE_OP_REDUCE_MEAN);
  c->node.attr.reduce.axis[1] = both;
  c->node.attr.reduce.axis[2] = true;
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_output(c, (ee_shape){3, {1, both ? 1 : x.dim[1], 1}});
}

typedef void (*draw_fn)(kernel_case *c, ee_rng *rng);
static const draw_fn draws[] = {draw_attention, draw_layer_norm, draw_softmax, draw_row_mean};

static void check_against_ref(void) {
  for (size_t op = 0; op < sizeof draws / sizeof draws[0]; op++) {
    for (uint64_t draw = 0; draw < 60; draw++) {
      ee_rng      rng = ee_rng_at(op, draw);
      kernel_case c;
      draws[op](&c, &rng);
      CU_ASSERT_TRUE_FATAL(ee_backend_simd.can(&c.model, &c.node));
      bool agrees = case_agrees_with_ref(&c, &ee_backend_simd, TOLERANCE);
      if (!agrees) printf("in draw %d of operator %d\n", (int)draw, (int)op);
      CU_ASSERT_TRUE(agrees);
      case_end(&c);
    }
  }
}

static void attention_normalisation_softmax_and_means_agree_with_ref(void) {
  with_all_vectors(check_against_ref);
}

static void check_batches(void) {
  for (size_t op = 0; op < sizeof draws / sizeof draws[0]; op++) {
    for (uint64_t draw = 0; draw < 20; draw++) {
      ee_rng      rng = ee_rng_at(op, draw);
      kernel_case c;
      draws[op](&c, &rng);
      CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_simd));
      case_end(&c);
    }
  }
}

static void a_batch_has_the_bits_of_its_samples(void) {
  with_all_vectors(check_batches);
}

/* From -20 to 20 in steps that meet neither zero nor the ends; and what is no number. */
static void check_gelu(void) {
  enum { N = 1003 };
  float x[N], y[N];
  for (int i = 0; i < N; i++) x[i] = -20.0F + 40.0F * (float)i / N;
  x[N - 1] = NAN;
  x[N - 2] = 0.0F;
  for (int form = 0; form < 2; form++) {
    const ee_simd_kernels *k = ee_simd_kernels_get();
    (form == 0 ? k->gelu : k->gelu_tanh)(x, y, N);
    for (int i = 0; i < N - 2; i++) {
      double z = (double)x[i], u = sqrt(2.0 / acos(-1.0)) * (z + 0.044715 * z * z * z);
      double want = form == 0 ? 0.5 * z * erfc(-z * sqrt(0.5)) : 0.5 * z * (1.0 + tanh(u));
      CU_ASSERT_TRUE(fabs((double)y[i] - want) <= 3e-7 * fmax(1.0, fabs(z)));
    }
    CU_ASSERT_EQUAL(y[N - 2], 0.0F);
    CU_ASSERT_TRUE(isnan(y[N - 1]));
  }
}

static void both_forms_of_gelu_are_within_their_bound(void) {
  with_all_vectors(check_gelu);
}

/* A mask of -inf must leave nothing of a key. */
static void check_mask(void) {
  float       x[5]    = {0.5F, 3.0F, -1.0F, 2.0F, 0.25F};
  const float mask[5] = {0.0F, -INFINITY, 0.0F, -INFINITY, 0.0F};
  ee_simd_kernels_get()->softmax(x, 5, -2.0F, mask);  // scaled: -1, -6, 2, -4, -0.5
  double sum = exp(-1.0) + exp(2.0) + exp(-0.5);
  CU_ASSERT_DOUBLE_EQUAL(x[0], exp(-1.0) / sum, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(x[2], exp(2.0) / sum, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(x[4], exp(-0.5) / sum, 1e-6);
  CU_ASSERT_TRUE(x[1] < 1e-30F && x[3] < 1e-30F);
}

static void masked_keys_have_no_share(void) {
  with_all_vectors(check_mask);
}

const ee_fact ee_facts[] = {
    EE_FACT(attention_normalisation_softmax_and_means_agree_with_ref),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    EE_FACT(both_forms_of_gelu_are_within_their_bound),
    EE_FACT(masked_keys_have_no_share),
    {NULL, NULL},
};
