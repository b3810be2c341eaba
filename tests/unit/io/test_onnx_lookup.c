/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that look up rows, parts that are taken, and shapes that a file computes. */
#include <stdio.h>

#include "ee_test.h"
#include "onnx_maker.h"

#define INT64 ONNX__TENSOR_PROTO__DATA_TYPE__INT64
#define FLOAT32 ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT

enum { ROWS = 7, WIDTH = 3, IDS = 4 };

/* A model of ids, [free, IDS] of @p type, and a table whose element (r, c) is 10 r + c. */
static void start_ids(maker *m, int type) {
  float table[ROWS * WIDTH];
  for (int i = 0; i < ROWS * WIDTH; i++) table[i] = (float)(10 * (i / WIDTH) + i % WIDTH);
  maker_start(m, 13, "ids", 2, (int64_t[]){-1, IDS});
  m->input[0]->type->tensor_type->elem_type = type;
  maker_floats(m, "table", 2, (int64_t[]){ROWS, WIDTH}, table);
}

static void ids_look_up_the_rows_of_a_table(void) {
  const int   types[]      = {INT64, ONNX__TENSOR_PROTO__DATA_TYPE__INT32};
  const float ids[2 * IDS] = {0, 6, 3, 3, 5, 0, 1, -1};
  for (int t = 0; t < 2; t++) {
    maker     m;
    ee_model *model;
    float     y[2 * IDS * WIDTH];
    start_ids(&m, types[t]);
    maker_int(&m, maker_node(&m, "Cast", "ids", "same"), "to", INT64);
    maker_node(&m, "Gather", "table same", "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_TRUE(model->batched && model->n_nodes == 1);
    CU_ASSERT_EQUAL(ee_model_ids(model), ROWS);
    CU_ASSERT_EQUAL(maker_run(model, 0, ids, 2, y, 2 * IDS * WIDTH), EE_OK);
    for (int i = 0; i < 2 * IDS * WIDTH; i++) {
      float id = ids[i / WIDTH] < 0 ? ids[i / WIDTH] + ROWS : ids[i / WIDTH];
      CU_ASSERT_EQUAL(y[i], 10.0f * id + (float)(i % WIDTH));
    }
    ee_model_destroy(&model);
    maker_end(&m);
  }
}

/* The class token: place 0 of the sequence, whose dimension goes. */
static void a_constant_place_is_taken_of_every_sample(void) {
  maker     m;
  ee_model *model;
  float     x[2 * IDS * WIDTH], y[2 * WIDTH];
  int64_t   place = -IDS;
  maker_start(&m, 13, "x", 3, (int64_t[]){-1, IDS, WIDTH});
  Onnx__TensorProto *index = maker_ints(&m, "place", 1, &place);
  index->n_dims            = 0;
  maker_int(&m, maker_node(&m, "Gather", "x place", "y"), "axis", 1);
  maker_output(&m, "y");
  for (int i = 0; i < 2 * IDS * WIDTH; i++) x[i] = (float)i;
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_TRUE(model->batched);
  CU_ASSERT_EQUAL(model->n_classes, WIDTH);
  CU_ASSERT_EQUAL(maker_run(model, 0, x, 2, y, 2 * WIDTH), EE_OK);
  for (int i = 0; i < 2 * WIDTH; i++) {
    CU_ASSERT_EQUAL(y[i], x[i / WIDTH * IDS * WIDTH + i % WIDTH]);
  }
  ee_model_destroy(&model);
  maker_end(&m);
}

static void lookups_that_cannot_be_are_refused_by_name(void) {
  static const struct {
    const char *in;
    int         type;
    ee_status   status;
    const char *said;
  } bad[] = {
      {"table ids", FLOAT32, EE_ERR_UNSUPPORTED, "'ids' is of float32"},
      {"ids zero", INT64, EE_ERR_UNSUPPORTED, "'ids' is of int64"},
      {"numbers ids", INT64, EE_ERR_UNSUPPORTED, "'numbers' is of int64"},
      {"table seven", INT64, EE_ERR_FORMAT, "place 7 of 7"},
      {"table low", INT64, EE_ERR_FORMAT, "place -8 of 7"},
      {"scalar ids", INT64, EE_ERR_FORMAT, "axis 0 of an array of 0 dimensions"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    maker     m;
    ee_model *model;
    start_ids(&m, bad[i].type);
    maker_ints(&m, "numbers", 3, (int64_t[]){1, 2, 3});
    maker_ints(&m, "zero", 1, (int64_t[]){0});
    maker_ints(&m, "seven", 1, (int64_t[]){ROWS});
    maker_ints(&m, "low", 1, (int64_t[]){-ROWS - 1});
    maker_floats(&m, "scalar", 0, NULL, (float[]){1.0f});
    maker_node(&m, "Gather", bad[i].in, "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), bad[i].status);
    CU_ASSERT_PTR_NULL(model);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), bad[i].said));
    if (strstr(ee_status_message(), bad[i].said) == NULL) printf("%s\n", ee_status_message());
    maker_end(&m);
  }
}

static void ids_cannot_be_computed_with(void) {
  static const char *const op[] = {"Relu", "Softmax", "Erf"};
  for (int i = 0; i < 3; i++) {
    maker     m;
    ee_model *model;
    start_ids(&m, INT64);
    maker_node(&m, op[i], "ids", "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'ids' is of int64"));
    maker_end(&m);
  }
}

/* A model of x, [free, 6] if @p free, whose only output is "y"; its elements go to @p y. */
static ee_status run_row(maker *m, bool *batched, int n, float *y, int most) {
  float     x[12];
  ee_model *model;
  for (int i = 0; i < 12; i++) x[i] = (float)i;
  maker_output(m, "y");
  ee_status status = maker_import(m, NULL, &model);
  if (status == EE_OK) {
    *batched = model->batched;
    status   = maker_run(model, 0, x, *batched ? n : 1, y, (size_t)most);
  }
  ee_model_destroy(&model);
  maker_end(m);
  return status;
}

static void start_row(maker *m) {
  maker_start(m, 13, "x", 2, (int64_t[]){-1, 6});
  maker_ints(m, "zero", 1, (int64_t[]){0});
  maker_ints(m, "one", 1, (int64_t[]){1});
  maker_ints(m, "minus", 1, (int64_t[]){-1});
  maker_ints(m, "end", 1, (int64_t[]){INT64_MAX});
  maker_ints(m, "start", 1, (int64_t[]){INT64_MIN});
  maker_ints(m, "lengths", 2, (int64_t[]){2, 4});
}

static void a_part_is_taken_of_every_sample(void) {
  maker m;
  float y[12];
  bool  batched;
  start_row(&m);
  maker_node(&m, "Slice", "x minus start one minus", "y");  // backwards
  CU_ASSERT_EQUAL(run_row(&m, &batched, 2, y, 12), EE_OK);
  CU_ASSERT_TRUE(batched);
  for (int i = 0; i < 12; i++) CU_ASSERT_EQUAL(y[i], (float)(i / 6 * 6 + 5 - i % 6));
}

static void all_samples_are_a_batch_and_some_are_not(void) {
  maker m;
  float y[6];
  bool  batched;
  start_row(&m);
  maker_node(&m, "Slice", "x zero end zero", "same");
  maker_node(&m, "Relu", "same", "y");
  CU_ASSERT_EQUAL(run_row(&m, &batched, 1, y, 6), EE_OK);
  CU_ASSERT_TRUE(batched);
  start_row(&m);
  maker_node(&m, "Slice", "x zero one zero", "same");
  maker_node(&m, "Relu", "same", "y");
  CU_ASSERT_EQUAL(run_row(&m, &batched, 1, y, 6), EE_OK);
  CU_ASSERT_FALSE(batched);
}

static void pieces_are_split_along_an_axis(void) {
  maker m;
  float y[4];
  bool  batched;
  start_row(&m);
  maker_int(&m, maker_node(&m, "Split", "x lengths", "left right"), "axis", -1);
  maker_node(&m, "Relu", "right", "y");
  CU_ASSERT_EQUAL(run_row(&m, &batched, 1, y, 4), EE_OK);
  CU_ASSERT_TRUE(batched);
  for (int i = 0; i < 4; i++) CU_ASSERT_EQUAL(y[i], (float)(2 + i));
}

static void pieces_that_do_not_add_up_are_refused(void) {
  const int64_t lengths[][2] = {{2, 3}, {2, 5}, {7, -1}, {6, 0}};
  for (int i = 0; i < 4; i++) {
    maker m;
    float y[6];
    bool  batched;
    start_row(&m);
    maker_ints(&m, "wrong", 2, lengths[i]);
    maker_int(&m, maker_node(&m, "Split", "x wrong", "y right"), "axis", 1);
    CU_ASSERT_EQUAL(run_row(&m, &batched, 1, y, 6), i < 3 ? EE_ERR_FORMAT : EE_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "Split 'y'"));
  }
}

/* As exports with a free batch do: [shape of x at 0, 2, shape of x at 1 over 2]. */
static void a_shape_is_computed_from_that_of_the_input(void) {
  maker m;
  float y[12];
  bool  batched;
  start_row(&m);
  maker_ints(&m, "two", 1, (int64_t[]){2});
  maker_node(&m, "Shape", "x", "shape");
  maker_node(&m, "Gather", "shape zero", "batch");
  maker_node(&m, "Gather", "shape minus", "width");
  maker_node(&m, "Div", "width two", "half");
  maker_int(&m, maker_node(&m, "Concat", "batch two half", "wanted"), "axis", 0);
  maker_node(&m, "Reshape", "x wanted", "pair");
  maker_list(&m, maker_node(&m, "Transpose", "pair", "y"), "perm", 3, (int64_t[]){0, 2, 1});
  CU_ASSERT_EQUAL(run_row(&m, &batched, 2, y, 12), EE_OK);
  CU_ASSERT_TRUE(batched);
  for (int i = 0; i < 12; i++) CU_ASSERT_EQUAL(y[i], (float)(i / 6 * 6 + i % 2 * 3 + i % 6 / 2));
}

/* Numbers that nodes compute from constants, as the lengths of a Split: 2 and 4. */
static void integers_are_computed_like_numbers(void) {
  static const char *const first[][2] = {
      {"Add", "one one"},        {"Sub", "four two"},  {"Mul", "two one"}, {"Div", "five two"},
      {"Where", "one two four"}, {"Neg", "minus_two"}, {"Size", "pair"},   {"Expand", "two one"},
  };
  for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
    maker m;
    float y[4];
    bool  batched;
    start_row(&m);
    maker_ints(&m, "two", 1, (int64_t[]){2});
    maker_ints(&m, "four", 1, (int64_t[]){4});
    maker_ints(&m, "five", 1, (int64_t[]){5});
    maker_ints(&m, "pair", 2, (int64_t[]){7, 8});
    maker_ints(&m, "minus_two", 1, (int64_t[]){-2});
    maker_node(&m, first[i][0], first[i][1], "scalar_or_vector");
    maker_node(&m, "Reshape", "scalar_or_vector one", "left");
    maker_int(&m, maker_node(&m, "Concat", "left four", "both"), "axis", 0);
    maker_int(&m, maker_node(&m, "Split", "x both", "z y"), "axis", 1);
    CU_ASSERT_EQUAL(run_row(&m, &batched, 1, y, 4), EE_OK);
    for (int k = 0; k < 4; k++) CU_ASSERT_EQUAL(y[k], (float)(2 + k));
  }
}

static void impossible_integers_are_refused(void) {
  static const char *const bad[][2] = {
      {"Div", "one zero"}, {"Add", "end one"},     {"Sub", "start one"},
      {"Mul", "end end"},  {"Div", "start minus"}, {"Neg", "start"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    maker m;
    float y[6];
    bool  batched;
    start_row(&m);
    maker_node(&m, bad[i][0], bad[i][1], "z");
    maker_node(&m, "Reshape", "x z", "y");
    CU_ASSERT_EQUAL(run_row(&m, &batched, 1, y, 6), EE_ERR_FORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'z'"));
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(ids_look_up_the_rows_of_a_table),
    EE_FACT(a_constant_place_is_taken_of_every_sample),
    EE_FACT(lookups_that_cannot_be_are_refused_by_name),
    EE_FACT(ids_cannot_be_computed_with),
    EE_FACT(a_part_is_taken_of_every_sample),
    EE_FACT(all_samples_are_a_batch_and_some_are_not),
    EE_FACT(pieces_are_split_along_an_axis),
    EE_FACT(pieces_that_do_not_add_up_are_refused),
    EE_FACT(a_shape_is_computed_from_that_of_the_input),
    EE_FACT(integers_are_computed_like_numbers),
    EE_FACT(impossible_integers_are_refused),
    {NULL, NULL},
};
