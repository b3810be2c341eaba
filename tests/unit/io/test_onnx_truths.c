/* SPDX-License-Identifier: Apache-2.0 */
/* Masks that a file makes of ids. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "ee_test.h"
#include "onnx_maker.h"

enum { IDS = 4 };

static const float ids[2 * IDS] = {5, 7, 0, 9, 7, 7, 0, 1};

/* A model of ids, [free, IDS], with numbers to compare with. */
static void start(maker *m) {
  maker_start(m, 13, "ids", 2, (int64_t[]){-1, IDS});
  m->input[0]->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
  maker_ints(m, "seven", 1, (int64_t[]){7});
  maker_ints(m, "axes", 2, (int64_t[]){1, 2});
  maker_floats(m, "yes", 0, NULL, (float[]){2.5f});
  maker_floats(m, "no", 0, NULL, (float[]){-3.0f});
  maker_floats(m, "nothing", 0, NULL, (float[]){-INFINITY});
  maker_floats(m, "each", 1, (int64_t[]){IDS}, (float[]){10, 20, 30, 40});
}

static void cast(maker *m, const char *in, const char *out) {
  maker_int(m, maker_node(m, "Cast", in, out), "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
}

/* Run both samples; @p y has shape [2 IDS]. */
static void run(maker *m, float *y) {
  ee_model *model;
  maker_output(m, "y");
  if (maker_import(m, NULL, &model) != EE_OK) CU_FAIL_FATAL(ee_status_message());
  CU_ASSERT_TRUE(model->batched);
  CU_ASSERT_EQUAL(maker_run(model, 0, ids, 2, y, 2 * IDS), EE_OK);
  ee_model_destroy(&model);
  maker_end(m);
}

static void ids_are_compared(void) {
  static const char *const op[] = {"Equal", "Greater", "Less"};
  for (int k = 0; k < 6; k++) {
    maker m;
    float y[2 * IDS];
    start(&m);
    maker_node(&m, op[k % 3], k < 3 ? "ids seven" : "seven ids", "truth");
    cast(&m, "truth", "y");
    run(&m, y);
    for (int i = 0; i < 2 * IDS; i++) {
      float a = k < 3 ? ids[i] : 7, b = k < 3 ? 7 : ids[i];
      CU_ASSERT_EQUAL(y[i], k % 3 == 0 ? a == b : k % 3 == 1 ? a > b : a < b);
    }
  }
}

static void a_truth_is_moved_and_negated(void) {
  maker m;
  float y[2 * IDS];
  start(&m);
  maker_node(&m, "Equal", "ids seven", "is");
  maker_node(&m, "Unsqueeze", "is axes", "far");
  maker_node(&m, "Not", "far", "not");
  cast(&m, "not", "y");
  run(&m, y);
  for (int i = 0; i < 2 * IDS; i++) CU_ASSERT_EQUAL(y[i], ids[i] != 7);
}

static void ids_become_floats(void) {
  maker m;
  float y[2 * IDS];
  start(&m);
  cast(&m, "ids", "y");
  run(&m, y);
  CU_ASSERT_EQUAL(memcmp(y, ids, sizeof ids), 0);
}

static void one_of_two_is_chosen_for_each_element(void) {
  maker m;
  float y[2 * IDS];
  start(&m);
  maker_node(&m, "Equal", "ids seven", "is");
  maker_node(&m, "Where", "is yes no", "y");
  run(&m, y);
  for (int i = 0; i < 2 * IDS; i++) CU_ASSERT_EQUAL(y[i], ids[i] == 7 ? 2.5f : -3.0f);
  start(&m);
  maker_node(&m, "Greater", "ids seven", "is");
  cast(&m, "ids", "numbers");
  maker_node(&m, "Where", "is numbers each", "y");
  run(&m, y);
  for (int i = 0; i < 2 * IDS; i++)
    CU_ASSERT_EQUAL(y[i], ids[i] > 7 ? ids[i] : 10.0f * (float)(i % IDS + 1));
}

static void an_infinite_mask_becomes_the_largest_number(void) {
  maker m;
  float y[2 * IDS];
  start(&m);
  maker_node(&m, "Equal", "ids seven", "is");
  maker_node(&m, "Where", "is nothing no", "y");
  run(&m, y);
  for (int i = 0; i < 2 * IDS; i++) CU_ASSERT_EQUAL(y[i], ids[i] == 7 ? -FLT_MAX : -3.0f);
}

static void truths_are_not_computed_with_and_floats_not_compared(void) {
  static const struct {
    const char *op, *in, *said;
  } bad[] = {
      {"Relu", "is", "'is' is of bool"},
      {"Add", "is is", "'is' is of bool"},
      {"Equal", "ids yes", "'yes'"},
      {"Greater", "yes ids", "'yes'"},
      {"Less", "seven seven", "of constants"},
      {"Not", "ids", "'ids', which is no truth"},
      {"Not", "seven", "which is no truth"},
      {"Where", "yes yes no", "'yes'"},
      {"Where", "is seven no", "'seven' is of"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    maker     m;
    ee_model *model;
    start(&m);
    maker_node(&m, "Equal", "ids seven", "is");
    maker_node(&m, bad[i].op, bad[i].in, "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), bad[i].said));
    if (strstr(ee_status_message(), bad[i].said) == NULL) printf("%s\n", ee_status_message());
    maker_end(&m);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(ids_are_compared),
    EE_FACT(a_truth_is_moved_and_negated),
    EE_FACT(ids_become_floats),
    EE_FACT(one_of_two_is_chosen_for_each_element),
    EE_FACT(an_infinite_mask_becomes_the_largest_number),
    EE_FACT(truths_are_not_computed_with_and_floats_not_compared),
    {NULL, NULL},
};
