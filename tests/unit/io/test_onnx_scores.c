/* SPDX-License-Identifier: Apache-2.0 */
/* Learned scores in ONNX models: which outputs are one, whose, and what they compute. */
#include <math.h>
#include <stdio.h>

#include "ee_test.h"
#include "onnx_maker.h"

enum { N = 3, WIDE = 4 };

static const int64_t row[]    = {-1, WIDE};
static const int64_t square[] = {WIDE, WIDE};
static const int64_t column[] = {WIDE, 1};

static const float w1[] = {.5f, -1, 2, .25f, 1, 1, -1, 0, 0, .5f, 1, -2, 3, 0, -.5f, 1};
static const float w2[] = {1, 2, 3, 4, 0, 1, 0, 1, -1, -2, 1, 1, 2, 0, 0, 5};
static const float ws[] = {0.75f, -1.5f, 0.5f, 0.25f};

/* x -> r, an exit "early" on it with a score called @p score, and a last exit behind it. */
static void start_scored(maker *m, const char *score) {
  maker_start(m, 13, "x", 2, row);
  maker_floats(m, "w1", 2, square, w1);
  maker_floats(m, "w2", 2, square, w2);
  maker_floats(m, "w3", 2, square, w1);
  maker_floats(m, "ws", 2, column, ws);
  maker_node(m, "Gemm", "x w1", "a");
  maker_node(m, "Relu", "a", "r");
  maker_node(m, "Gemm", "r w2", "early");
  maker_node(m, "Gemm", "r ws", "raw");
  maker_node(m, "Sigmoid", "raw", score);
  maker_node(m, "Gemm", "r w3", "late");
  maker_output(m, "early");
  maker_output(m, score);
  maker_output(m, "late");
}

static ee_model *import(maker *m, const char *list) {
  ee_onnx_options options = {.scores = list};
  ee_model       *model   = NULL;
  ee_status       status  = maker_import(m, &options, &model);
  if (status != EE_OK) printf("  %s\n", ee_status_message());
  CU_ASSERT_EQUAL_FATAL(status, EE_OK);
  return model;
}

/* Logits and scores of exit 0 for N samples. */
static void run_first(const ee_model *model, const float *x, float *logits, float *score) {
  ee_resident *resident = NULL;
  ee_exec     *exec     = NULL;
  const float *z        = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(model, &ee_backend_ref, &resident), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_resident_add(resident, 0, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(resident, 0, 1, N, &exec), EE_OK);
  memcpy(ee_exec_input(exec, model->input), x, N * WIDE * sizeof *x);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, 1, N), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, 0, N, &z), EE_OK);
  memcpy(logits, z, N * WIDE * sizeof *z);
  CU_ASSERT_PTR_NOT_NULL_FATAL(ee_exec_score(exec, 0));
  memcpy(score, ee_exec_score(exec, 0), N * sizeof *score);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&resident);
}

static double dot(const double *x, const float *w, int stride) {
  double sum = 0.0;
  for (int k = 0; k < WIDE; k++) sum += x[k] * (double)w[k * stride];
  return sum;
}

static void check_first(const ee_model *model) {
  float x[N * WIDE], logits[N * WIDE], score[N];
  for (int k = 0; k < N * WIDE; k++) x[k] = 0.3f * (float)(k % 5) - 0.5f;
  run_first(model, x, logits, score);
  for (int i = 0; i < N; i++) {
    double in[WIDE], r[WIDE];
    for (int k = 0; k < WIDE; k++) in[k] = (double)x[i * WIDE + k];
    for (int k = 0; k < WIDE; k++) r[k] = fmax(dot(in, w1 + k, WIDE), 0.0);
    for (int k = 0; k < WIDE; k++)
      CU_ASSERT_DOUBLE_EQUAL(logits[i * WIDE + k], dot(r, w2 + k, WIDE), 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(score[i], 1.0 / (1.0 + exp(-dot(r, ws, 1))), 1e-6);
  }
}

static void is_scored(ee_model *model) {
  CU_ASSERT_EQUAL_FATAL(model->n_exits, 2);
  CU_ASSERT_STRING_EQUAL(model->exit[0].name, "early");
  CU_ASSERT_TRUE_FATAL(model->exit[0].has_score);
  CU_ASSERT_FALSE(model->exit[1].has_score);
  CU_ASSERT_EQUAL(model->n_classes, WIDE);
  CU_ASSERT_EQUAL(model->n_layers, 2);
  CU_ASSERT_TRUE(model->batched);
  check_first(model);
  ee_model_destroy(&model);
}

static void an_output_named_after_an_exit_is_its_score(void) {
  static const char *const name[] = {"early_score", "early.score"};
  for (int k = 0; k < 2; k++) {
    maker m;
    start_scored(&m, name[k]);
    is_scored(import(&m, NULL));
    is_scored(import(&m, k == 0 ? "early=early_score" : "early=early.score"));  // the same twice
    maker_end(&m);
  }
}

static void a_score_may_be_given_by_any_name(void) {
  maker m;
  start_scored(&m, "h");
  is_scored(import(&m, "early=h"));
  maker_end(&m);
}

static void a_score_may_be_a_vector_over_the_batch(void) {
  maker m;
  start_scored(&m, "h");
  Onnx__NodeProto *mean = maker_node(&m, "ReduceMean", "h", "early_score");
  maker_list(&m, mean, "axes", 1, (int64_t[]){1});
  maker_int(&m, mean, "keepdims", 0);
  m.output[1] = maker_value(&m, "early_score", 0, NULL);
  is_scored(import(&m, NULL));
  maker_end(&m);
}

static void the_nodes_of_a_score_belong_to_the_head(void) {
  maker m;
  start_scored(&m, "early_score");
  ee_model *model = import(&m, NULL);
  double    heads = 2.0 * WIDE * WIDE + (2.0 * WIDE + 1.0);  // logits; score and its sigmoid
  CU_ASSERT_EQUAL(model->head_flops[0], heads);
  CU_ASSERT_EQUAL(model->layer[0].weight_bytes, (16 + 16 + 4) * sizeof(float));
  ee_model_destroy(&model);
  maker_end(&m);
}

static void refuse(const char *score, const char *list, ee_status wanted, const char *words) {
  maker           m;
  ee_onnx_options options = {.scores = list};
  ee_model       *model;
  start_scored(&m, score);
  CU_ASSERT_EQUAL(maker_import(&m, &options, &model), wanted);
  CU_ASSERT_PTR_NULL(model);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), words));
  maker_end(&m);
}

static void an_output_of_one_number_that_is_nobodys_score_is_refused(void) {
  const char *words = "have 4 and 1 classes";
  refuse("h", NULL, EE_ERR_UNSUPPORTED, words);
  refuse("early-score", NULL, EE_ERR_UNSUPPORTED, words);
  refuse("other_score", NULL, EE_ERR_UNSUPPORTED, words);
  refuse("_score", NULL, EE_ERR_UNSUPPORTED, words);
  refuse("score", NULL, EE_ERR_UNSUPPORTED, words);
}

static void what_cannot_be_a_score_is_named(void) {
  refuse("h", "early", EE_ERR_ARG, "a score is given as 'early', expected EXIT=OUTPUT");
  refuse("h", "", EE_ERR_ARG, "expected EXIT=OUTPUT");
  refuse("h", "early=h,", EE_ERR_ARG, "expected EXIT=OUTPUT");
  refuse("h", "earl=h", EE_ERR_ARG, "'earl', which is no output; there are: early, h, late");
  refuse("h", "early=g", EE_ERR_ARG, "'g', which is no output; there are: early, h, late");
  refuse("h", "early=late", EE_ERR_ARG, "'late' has 4 numbers and cannot be the score of 'early'");
  refuse("h", "h=h", EE_ERR_ARG, "cannot be the score of 'h', which has 1");
  refuse("h", "early=h,late=h", EE_ERR_ARG, "the score of two exits, 'early' and 'late'");
  refuse("h", "late=h", EE_ERR_FORMAT, "exit 'late' is the last one");
  refuse("late_score", NULL, EE_ERR_FORMAT, "exit 'late' is the last one");
}

static void an_exit_has_one_score(void) {
  maker           m;
  ee_onnx_options options = {.scores = "early=h"};
  ee_model       *model;
  start_scored(&m, "early_score");
  maker_node(&m, "Tanh", "raw", "h");
  maker_output(&m, "h");
  CU_ASSERT_EQUAL(maker_import(&m, &options, &model), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(ee_status_message(), "exit 'early' has two scores, 'early_score' and 'h'"));
  maker_end(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(an_output_named_after_an_exit_is_its_score),
    EE_FACT(a_score_may_be_given_by_any_name),
    EE_FACT(a_score_may_be_a_vector_over_the_batch),
    EE_FACT(the_nodes_of_a_score_belong_to_the_head),
    EE_FACT(an_output_of_one_number_that_is_nobodys_score_is_refused),
    EE_FACT(what_cannot_be_a_score_is_named),
    EE_FACT(an_exit_has_one_score),
    {NULL, NULL},
};
