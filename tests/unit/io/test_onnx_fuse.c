/* SPDX-License-Identifier: Apache-2.0 */
/* Folding and fusing must not change what a network computes; checked against loops written here.
 */
#include <math.h>
#include <stdio.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "onnx_maker.h"

#define C 3  // channels of the input
#define K 5  // of the result; as many as the width
#define S 5  // height and width

static const int64_t image[] = {-1, C, S, S};

static void fill(ee_rng *rng, float *x, int n, double low, double high) {
  for (int i = 0; i < n; i++) x[i] = (float)(low + (high - low) * ee_rng_uniform(rng));
}

/* y[k,i,j] = b[k] + sum over c and a 3x3 window, padded by one with zeros. */
static void naive_conv(const float *x, const float *w, const float *b, double *y) {
  for (int k = 0; k < K; k++) {
    for (int i = 0; i < S; i++) {
      for (int j = 0; j < S; j++) {
        double sum = b != NULL ? (double)b[k] : 0.0;
        for (int t = 0; t < C * 9; t++) {
          int c = t / 9, u = i + t % 9 / 3 - 1, v = j + t % 3 - 1;
          if (u < 0 || u >= S || v < 0 || v >= S) continue;
          sum += (double)w[(k * C + c) * 9 + t % 9] * (double)x[(c * S + u) * S + v];
        }
        y[(k * S + i) * S + j] = sum;
      }
    }
  }
}

typedef struct parts {
  float w[K * C * 9], b[K], scale[K], bias[K], mean[K], var[K], x[C * S * S];
} parts;

static parts draw(uint64_t seed) {
  parts  p;
  ee_rng rng = ee_rng_at(seed, 0);
  fill(&rng, p.w, K * C * 9, -1, 1);
  fill(&rng, p.b, K, -1, 1);
  fill(&rng, p.scale, K, -2, 2);
  fill(&rng, p.bias, K, -1, 1);
  fill(&rng, p.mean, K, -1, 1);
  fill(&rng, p.var, K, 0.1, 2);
  fill(&rng, p.x, C * S * S, -1, 1);
  return p;
}

/* Initializers for a convolution and a normalisation, and the convolution itself. */
static void start_conv(maker *m, const parts *p, bool with_bias) {
  int64_t w[] = {K, C, 3, 3}, k[] = {K}, pads[] = {1, 1, 1, 1};
  maker_start(m, 13, "x", 4, image);
  maker_floats(m, "w", 4, w, p->w);
  maker_floats(m, "scale", 1, k, p->scale);
  maker_floats(m, "bias", 1, k, p->bias);
  maker_floats(m, "mean", 1, k, p->mean);
  maker_floats(m, "var", 1, k, p->var);
  if (with_bias) maker_floats(m, "b", 1, k, p->b);
  Onnx__NodeProto *conv = maker_node(m, "Conv", with_bias ? "x w b" : "x w", "conv");
  maker_list(m, conv, "pads", 4, pads);
}

static void add_batch_norm(maker *m, const char *in, const char *out) {
  char list[128];
  snprintf(list, sizeof list, "%s scale bias mean var", in);
  maker_float(m, maker_node(m, "BatchNormalization", list, out), "epsilon", 1e-3f);
}

static double normalised(const parts *p, int k, double x) {
  return (double)p->scale[k] * (x - (double)p->mean[k]) / sqrt((double)p->var[k] + 1e-3) +
         (double)p->bias[k];
}

static void batch_normalisation_and_activation_go_into_the_convolution(void) {
  for (int with_bias = 0; with_bias < 2; with_bias++) {
    parts     p = draw(1 + (uint64_t)with_bias);
    maker     m;
    ee_model *model;
    float     y[K * S * S];
    double    want[K * S * S];
    start_conv(&m, &p, with_bias);
    add_batch_norm(&m, "conv", "bn");
    maker_node(&m, "Relu", "bn", "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_EQUAL(model->n_nodes, 1);
    CU_ASSERT_EQUAL(model->node[0].op, EE_OP_CONV);
    CU_ASSERT_EQUAL(model->node[0].act.kind, EE_ACT_RELU);
    CU_ASSERT_EQUAL(model->n_values, 4);  // x, weights, bias, y: no other constant is left
    CU_ASSERT_STRING_EQUAL(model->value[model->exit[0].logits].name, "y");

    CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, y, K * S * S), EE_OK);
    naive_conv(p.x, p.w, with_bias ? p.b : NULL, want);
    for (int i = 0; i < K * S * S; i++)
      CU_ASSERT_DOUBLE_EQUAL((double)y[i], fmax(normalised(&p, i / (S * S), want[i]), 0), 2e-5);
    ee_model_destroy(&model);
    maker_end(&m);
  }
}

static void scales_and_shifts_per_channel_go_into_the_convolution(void) {
  static const char *const ops[] = {"Add", "Mul", "Sub", "Div"};
  for (int t = 0; t < 8; t++) {
    parts     p = draw(10 + (uint64_t)t);
    maker     m;
    ee_model *model;
    float     y[K * S * S], c[K];
    double    conv[K * S * S];
    bool      constant_first = t >= 4;
    int64_t   dim[]          = {K, 1, 1};
    for (int k = 0; k < K; k++) c[k] = p.var[k];
    start_conv(&m, &p, true);
    maker_floats(&m, "c", 3, dim, c);
    maker_node(&m, ops[t % 4], constant_first ? "c conv" : "conv c", "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_EQUAL(model->n_nodes, t == 7 ? 2 : 1);  // c / x is not affine
    CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, y, K * S * S), EE_OK);
    naive_conv(p.x, p.w, p.b, conv);
    for (int i = 0; i < K * S * S; i++) {
      double z = conv[i], k = (double)c[i / (S * S)];
      double want[] = {z + k, z * k, constant_first ? k - z : z - k,
                       constant_first ? k / z : z / k};
      CU_ASSERT_DOUBLE_EQUAL((double)y[i] / (1 + fabs(want[t % 4])),
                             want[t % 4] / (1 + fabs(want[t % 4])), 1e-4);
    }
    ee_model_destroy(&model);
    maker_end(&m);
  }
}

/* The last dimension of the constant is the width here, not the channel. */
static void a_constant_along_the_width_is_not_folded(void) {
  parts     p = draw(30);
  maker     m;
  ee_model *model;
  float     c[S] = {1, 2, 3, 4, 5}, y[K * S * S];
  double    conv[K * S * S];
  int64_t   dim[] = {S};
  start_conv(&m, &p, false);
  maker_floats(&m, "c", 1, dim, c);
  maker_node(&m, "Mul", "conv c", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 2);
  CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, y, K * S * S), EE_OK);
  naive_conv(p.x, p.w, NULL, conv);
  for (int i = 0; i < K * S * S; i++)
    CU_ASSERT_DOUBLE_EQUAL((double)y[i], conv[i] * (double)c[i % S], 1e-4);
  ee_model_destroy(&model);
  maker_end(&m);
}

static void what_others_read_is_not_folded(void) {
  parts     p = draw(40);
  maker     m;
  ee_model *model;
  float     y[K * S * S];
  double    conv[K * S * S];
  start_conv(&m, &p, true);
  maker_node(&m, "Relu", "conv", "relu");
  add_batch_norm(&m, "conv", "bn");
  maker_node(&m, "Add", "bn relu", "y");
  maker_output(&m, "conv");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 4);
  naive_conv(p.x, p.w, p.b, conv);
  for (int e = 0; e < 2; e++) {
    CU_ASSERT_EQUAL(maker_run(model, e, p.x, 1, y, K * S * S), EE_OK);
    for (int i = 0; i < K * S * S; i++) {
      double both = normalised(&p, i / (S * S), conv[i]) + fmax(conv[i], 0);
      CU_ASSERT_DOUBLE_EQUAL((double)y[i], e == 0 ? conv[i] : both, 2e-5);
    }
  }
  ee_model_destroy(&model);
  maker_end(&m);
}

/* The two convolutions share weights and bias; only the first is normalised. */
static void shared_weights_stay_whole_for_the_other_user(void) {
  parts     p = draw(50);
  maker     m;
  ee_model *model;
  float     y[K * S * S];
  double    conv[K * S * S];
  int64_t   pads[] = {1, 1, 1, 1};
  start_conv(&m, &p, true);
  maker_list(&m, maker_node(&m, "Conv", "x w b", "plain"), "pads", 4, pads);
  add_batch_norm(&m, "conv", "bn");
  maker_node(&m, "Add", "bn plain", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 3);
  CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, y, K * S * S), EE_OK);
  naive_conv(p.x, p.w, p.b, conv);
  for (int i = 0; i < K * S * S; i++)
    CU_ASSERT_DOUBLE_EQUAL((double)y[i], normalised(&p, i / (S * S), conv[i]) + conv[i], 2e-5);
  ee_model_destroy(&model);
  maker_end(&m);
}

/* alpha A B' + beta C, normalised; C is a vector, one number, or left out. */
static void batch_normalisation_goes_into_gemm(void) {
  for (int t = 0; t < 6; t++) {
    parts     p = draw(60 + (uint64_t)t);
    maker     m;
    ee_model *model;
    int       size       = t % 3 == 0 ? K : 1;
    bool      transposed = t >= 3, with_c = t % 3 != 2;
    float     y[K];
    int64_t   in[] = {-1, 9}, k[] = {K}, c[] = {size}, w[] = {9, K}, wt[] = {K, 9};
    maker_start(&m, 13, "x", 2, in);
    maker_floats(&m, "w", 2, transposed ? wt : w, p.w);
    maker_floats(&m, "scale", 1, k, p.scale);
    maker_floats(&m, "bias", 1, k, p.bias);
    maker_floats(&m, "mean", 1, k, p.mean);
    maker_floats(&m, "var", 1, k, p.var);
    maker_floats(&m, "c", 1, c, p.b);
    Onnx__NodeProto *gemm = maker_node(&m, "Gemm", with_c ? "x w c" : "x w", "g");
    maker_float(&m, gemm, "alpha", 0.5f);
    maker_float(&m, gemm, "beta", 3.0f);
    maker_int(&m, gemm, "transB", transposed);
    add_batch_norm(&m, "g", "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_EQUAL(model->n_nodes, 1);
    CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, y, K), EE_OK);
    for (int j = 0; j < K; j++) {
      double sum = with_c ? 3.0 * (double)p.b[size == 1 ? 0 : j] : 0.0;
      for (int i = 0; i < 9; i++)
        sum += 0.5 * (double)p.x[i] * (double)p.w[transposed ? j * 9 + i : i * K + j];
      CU_ASSERT_DOUBLE_EQUAL((double)y[j], normalised(&p, j, sum), 2e-5);
    }
    ee_model_destroy(&model);
    maker_end(&m);
  }
}

static void without_fusing_every_node_stays(void) {
  parts           p = draw(70);
  maker           m;
  ee_model       *model;
  ee_onnx_options options = {.keep_unfused = true};
  float           fused[K * S * S], unfused[K * S * S];
  start_conv(&m, &p, true);
  add_batch_norm(&m, "conv", "bn");
  maker_node(&m, "HardSwish", "bn", "y");
  maker_output(&m, "y");
  m.opset.version = 14;
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, &options, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 3);
  CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, unfused, K * S * S), EE_OK);
  ee_model_destroy(&model);
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, fused, K * S * S), EE_OK);
  for (int i = 0; i < K * S * S; i++)
    CU_ASSERT_DOUBLE_EQUAL((double)fused[i], (double)unfused[i], 2e-5);
  ee_model_destroy(&model);
  maker_end(&m);
}

/* Two activations in a row: the second cannot go where the first one is. */
static void a_second_activation_stays_a_node(void) {
  parts     p = draw(80);
  maker     m;
  ee_model *model;
  float     y[K * S * S];
  double    conv[K * S * S];
  start_conv(&m, &p, true);
  maker_node(&m, "Relu", "conv", "relu");
  maker_node(&m, "Tanh", "relu", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 2);
  CU_ASSERT_EQUAL(maker_run(model, 0, p.x, 1, y, K * S * S), EE_OK);
  naive_conv(p.x, p.w, p.b, conv);
  for (int i = 0; i < K * S * S; i++)
    CU_ASSERT_DOUBLE_EQUAL((double)y[i], tanh(fmax(conv[i], 0)), 2e-5);
  ee_model_destroy(&model);
  maker_end(&m);
}

static void a_variance_that_has_no_root_is_refused(void) {
  parts     p = draw(90);
  maker     m;
  ee_model *model;
  p.var[2] = -1.0f;
  start_conv(&m, &p, true);
  add_batch_norm(&m, "conv", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(model);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "BatchNormalization"));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "is -1 at element 2"));
  maker_end(&m);
}

/* Folding would move it into the weights; the name must be that of the array in the file. */
static void a_scale_that_is_not_finite_is_refused_by_its_own_name(void) {
  parts     p = draw(91);
  maker     m;
  ee_model *model;
  p.scale[1] = NAN;
  start_conv(&m, &p, true);
  add_batch_norm(&m, "conv", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'scale'"));
  maker_end(&m);
}

/* The weights would be infinite; to blame is who divides. */
static void a_division_by_zero_is_refused_by_the_name_of_its_node(void) {
  parts     p    = draw(92);
  float     zero = 0.0F;
  maker     m;
  ee_model *model;
  start_conv(&m, &p, true);
  maker_floats(&m, "zero", 0, NULL, &zero);
  maker_node(&m, "Div", "conv zero", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(model);
  CU_ASSERT_PTR_NOT_NULL(strstr(
      ee_status_message(), "node 'y' (Div) would make weights of node 'conv' that are not finite"));
  maker_end(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(batch_normalisation_and_activation_go_into_the_convolution),
    EE_FACT(scales_and_shifts_per_channel_go_into_the_convolution),
    EE_FACT(a_constant_along_the_width_is_not_folded),
    EE_FACT(what_others_read_is_not_folded),
    EE_FACT(shared_weights_stay_whole_for_the_other_user),
    EE_FACT(batch_normalisation_goes_into_gemm),
    EE_FACT(without_fusing_every_node_stays),
    EE_FACT(a_second_activation_stays_a_node),
    EE_FACT(a_variance_that_has_no_root_is_refused),
    EE_FACT(a_scale_that_is_not_finite_is_refused_by_its_own_name),
    EE_FACT(a_division_by_zero_is_refused_by_the_name_of_its_node),
    {NULL, NULL},
};
