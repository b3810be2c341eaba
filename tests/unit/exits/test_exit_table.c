/* SPDX-License-Identifier: Apache-2.0 */
/* Exit tables in memory: rows from logits, and what is refused, named by row and exit. */
#include "ee/exit_table.h"

#include <math.h>
#include <string.h>

#include "ee_test.h"

static const ee_exit_table_parts all = {.confidence = true, .probability = true, .score = true};

/* Two samples, three exits, two classes; every exit answers class 1 with 0.75. */
static ee_exit_table *small(void) {
  ee_exit_table *t = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(2, 3, 2, all, &t), EE_OK);
  for (int k = 0; k < 6; k++) {
    t->probability[2 * k]     = 0.25f;
    t->probability[2 * k + 1] = 0.75f;
    t->prediction[k]          = 1;
    t->confidence[k]          = 0.75f;
  }
  return t;
}

static void expect(ee_exit_table *t, const char *words) {
  CU_ASSERT_EQUAL(ee_exit_table_check(t), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), words));
  ee_exit_table_destroy(&t);
  CU_ASSERT_PTR_NULL(t);
}

static void a_new_table_is_unlabelled_with_a_layer_per_exit(void) {
  ee_exit_table *t = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(2, 3, 2, (ee_exit_table_parts){0}, &t), EE_OK);
  CU_ASSERT_PTR_NULL(t->confidence);
  CU_ASSERT_PTR_NULL(t->probability);
  CU_ASSERT_PTR_NULL(t->score);
  CU_ASSERT(t->label[0] == -1 && t->label[1] == -1);
  CU_ASSERT(t->layers[0] == 1 && t->layers[2] == 3 && t->flops[2] == 3.0);
  CU_ASSERT_EQUAL(ee_exit_table_check(t), EE_OK);
  ee_exit_table_destroy(&t);
}

static void a_sound_table_passes(void) {
  ee_exit_table *t = small();
  t->label[1]      = 1;
  CU_ASSERT_EQUAL(ee_exit_table_check(t), EE_OK);
  ee_exit_table_destroy(&t);
}

static void what_cannot_be_is_named_by_row_and_exit(void) {
  ee_exit_table *t = small();
  t->confidence[4] = NAN;
  expect(t, "row 1, exit 1: confidence is nan");
  t                = small();
  t->confidence[2] = 1.5f;
  expect(t, "row 0, exit 2: confidence is 1.5");
  t                 = small();
  t->probability[7] = 0.5f;
  expect(t, "row 1, exit 0: probabilities add up to 0.75");
  t                 = small();
  t->probability[6] = NAN;
  expect(t, "row 1, exit 0: probability of class 0 is nan");
  t                = small();
  t->prediction[5] = 2;
  expect(t, "row 1, exit 2: prediction is 2, expected 0 to 1");
  t           = small();
  t->label[1] = 2;
  expect(t, "row 1: label is 2, expected 0 to 1");
  t           = small();
  t->label[0] = -2;
  expect(t, "row 0: label is -2");
}

static void a_score_is_not_known_or_in_the_unit_interval(void) {
  ee_exit_table *t = small();
  for (int k = 0; k < 6; k++) CU_ASSERT_TRUE(isnan(t->score[k]));
  t->score[0] = 0.0f;
  t->score[1] = 1.0f;
  CU_ASSERT_EQUAL(ee_exit_table_check(t), EE_OK);
  t->score[4] = 1.25f;
  expect(t, "row 1, exit 1: score is 1.25");
  t           = small();
  t->score[3] = -INFINITY;
  expect(t, "row 1, exit 0: score is -inf");
}

static void exits_stand_in_the_order_of_their_cost(void) {
  ee_exit_table *t = small();
  t->layers[1]     = 0;
  expect(t, "exit 1 stands after 0 layers, expected at least 1");
  t           = small();
  t->flops[2] = 1.0;
  expect(t, "exit 2 costs 1 FLOP, expected at least 2");
  t           = small();
  t->flops[0] = INFINITY;
  expect(t, "exit 0 costs inf FLOP");
}

/* softmax((ln 3, 0) / 1) = (3/4, 1/4); at temperature 2 it is (sqrt 3, 1) / (sqrt 3 + 1). */
static void logits_become_calibrated_probabilities(void) {
  ee_exit_table *t              = small();
  const float    ln3            = logf(3.0f);
  const float    logits[6]      = {ln3, 0, 0, ln3, 5, 5};
  const float    temperature[3] = {1.0f, 2.0f, 1.0f};
  ee_exit_table_set_logits(t, 1, logits, temperature);
  CU_ASSERT(t->prediction[3] == 0 && t->prediction[4] == 1 && t->prediction[5] == 0);
  CU_ASSERT_DOUBLE_EQUAL(t->confidence[3], 0.75, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(t->confidence[4], sqrt(3.0) / (sqrt(3.0) + 1.0), 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(t->confidence[5], 0.5, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(t->probability[6], 0.75, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(t->probability[7], 0.25, 1e-6);
  CU_ASSERT_EQUAL(t->confidence[0], 0.75f);  // row 0 is as it was
  ee_exit_table_destroy(&t);
}

static void a_table_without_probabilities_has_the_same_confidences(void) {
  ee_exit_table *t = NULL, *with = small();
  const float    logits[6]      = {1.5f, -0.25f, 3.0f, 2.75f, 0.0f, 9.0f};
  const float    temperature[3] = {1.3f, 0.7f, 2.0f};
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(1, 3, 2, (ee_exit_table_parts){.confidence = true}, &t), EE_OK);
  ee_exit_table_set_logits(t, 0, logits, temperature);
  ee_exit_table_set_logits(with, 0, logits, temperature);
  CU_ASSERT_EQUAL(memcmp(t->confidence, with->confidence, 3 * sizeof(float)), 0);
  CU_ASSERT_EQUAL(memcmp(t->prediction, with->prediction, 3 * sizeof(int32_t)), 0);
  ee_exit_table_destroy(&t);
  ee_exit_table_destroy(&with);
}

static void impossible_sizes_are_refused(void) {
  static const struct {
    int64_t n;
    int     exits, classes;
  } size[] = {
      {-1, 1, 1}, {1, 0, 1}, {1, 1, 0}, {INT64_MAX / 2, 3, 10}, {1 << 20, 1 << 30, 1 << 30}};
  for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
    ee_exit_table *t = NULL;
    CU_ASSERT_EQUAL(ee_exit_table_create(size[i].n, size[i].exits, size[i].classes, all, &t),
                    EE_ERR_ARG);
    CU_ASSERT_PTR_NULL(t);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(a_new_table_is_unlabelled_with_a_layer_per_exit),
    EE_FACT(a_sound_table_passes),
    EE_FACT(what_cannot_be_is_named_by_row_and_exit),
    EE_FACT(a_score_is_not_known_or_in_the_unit_interval),
    EE_FACT(exits_stand_in_the_order_of_their_cost),
    EE_FACT(logits_become_calibrated_probabilities),
    EE_FACT(a_table_without_probabilities_has_the_same_confidences),
    EE_FACT(impossible_sizes_are_refused),
    {NULL, NULL},
};
