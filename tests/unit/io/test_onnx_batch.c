/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the first dimension is a batch; and if so, that samples of a batch stay apart. */
#include <stdio.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "onnx_maker.h"

#define MOST 256

static float numbers[MOST];

/* One network of one or two nodes between x and y, and whether it can run on a batch. */
typedef struct batch_case {
  const char *name;
  int         rank;
  int64_t     dim[4];
  void (*build)(maker *m);
  bool batched;
} batch_case;

static void axis_node(maker *m, const char *op, const char *in, int64_t axis) {
  maker_int(m, maker_node(m, op, in, "y"), "axis", axis);
}

static void relu(maker *m) {
  maker_node(m, "Relu", "x", "y");
}
static void softmax_0(maker *m) {
  axis_node(m, "Softmax", "x", 0);
}
static void softmax_last(maker *m) {
  axis_node(m, "Softmax", "x", -1);
}
static void concat_0(maker *m) {
  axis_node(m, "Concat", "x x", 0);
}
static void concat_1(maker *m) {
  axis_node(m, "Concat", "x x", 1);
}
static void concat_constant(maker *m) {
  maker_floats(m, "c", 2, (int64_t[]){1, 6}, numbers);
  axis_node(m, "Concat", "x c", 1);
}
static void transpose_0(maker *m) {
  maker_list(m, maker_node(m, "Transpose", "x", "y"), "perm", 2, (int64_t[]){1, 0});
}
static void transpose_12(maker *m) {
  maker_list(m, maker_node(m, "Transpose", "x", "y"), "perm", 3, (int64_t[]){0, 2, 1});
}
static void mean_all(maker *m) {
  maker_node(m, "ReduceMean", "x", "y");
}
static void mean_last(maker *m) {
  maker_list(m, maker_node(m, "ReduceMean", "x", "y"), "axes", 1, (int64_t[]){-1});
}
static void pad_0(maker *m) {
  maker_ints(m, "p", 4, (int64_t[]){1, 0, 0, 0});
  maker_node(m, "Pad", "x p", "y");
}
static void pad_1(maker *m) {
  maker_ints(m, "p", 4, (int64_t[]){0, 1, 0, 2});
  maker_node(m, "Pad", "x p", "y");
}
static void row_constant(maker *m) {
  maker_floats(m, "k", 1, (int64_t[]){6}, numbers);
  maker_node(m, "Add", "x k", "y");
}
static void full_constant(maker *m) {
  maker_floats(m, "k", 2, (int64_t[]){3, 6}, numbers);
  maker_node(m, "Add", "x k", "y");
}
static void deeper_constant(maker *m) {
  maker_floats(m, "k", 3, (int64_t[]){1, 2, 6}, numbers);
  maker_node(m, "Add", "x k", "y");
}
static void reshape_literal(maker *m) {
  maker_ints(m, "s", 3, (int64_t[]){1, 3, 2});
  maker_node(m, "Reshape", "x s", "y");
}
static void reshape_open(maker *m) {
  maker_ints(m, "s", 3, (int64_t[]){-1, 3, 2});
  maker_node(m, "Reshape", "x s", "y");
}
static void reshape_away(maker *m) {
  maker_ints(m, "s", 2, (int64_t[]){-1, 3});
  maker_node(m, "Reshape", "x s", "y");
}
static void squeeze_0(maker *m) {
  maker_ints(m, "s", 1, (int64_t[]){0});
  maker_node(m, "Squeeze", "x s", "y");
}
static void constant_on_the_left(maker *m) {
  maker_floats(m, "k", 2, (int64_t[]){6, 1}, numbers);
  maker_node(m, "MatMul", "k x", "y");
}
static void constant_on_the_right(maker *m) {
  maker_floats(m, "k", 2, (int64_t[]){6, 3}, numbers);
  maker_node(m, "MatMul", "x k", "y");
}
static void times_itself_transposed(maker *m) {
  maker_int(m, maker_node(m, "Gemm", "x x", "y"), "transB", 1);
}
static void lower_rank_operand(maker *m) {  // [n, 2, 6] + [n, 6]: n meets the 2
  maker_list(m, maker_node(m, "ReduceMean", "x", "r"), "axes", 1, (int64_t[]){1});
  maker_int(m, m->node[0], "keepdims", 0);
  maker_node(m, "Add", "x r", "y");
}

static const batch_case cases[] = {
    {"relu", 2, {-1, 6}, relu, true},
    {"relu with a fixed 1", 2, {1, 6}, relu, true},
    {"relu with a fixed 2", 2, {2, 6}, relu, false},
    {"softmax over 0", 2, {-1, 6}, softmax_0, false},
    {"softmax over the last", 2, {-1, 6}, softmax_last, true},
    {"concat along 0", 2, {-1, 6}, concat_0, false},
    {"concat along 1", 2, {-1, 6}, concat_1, true},
    {"concat with a constant", 2, {-1, 6}, concat_constant, false},
    {"transpose of 0", 2, {-1, 6}, transpose_0, false},
    {"transpose of 0 where all is 1", 2, {-1, 1}, transpose_0, false},
    {"transpose of 1 and 2", 3, {-1, 2, 3}, transpose_12, true},
    {"mean of all", 2, {-1, 6}, mean_all, false},
    {"mean of the last", 2, {-1, 6}, mean_last, true},
    {"pad of 0", 2, {-1, 6}, pad_0, false},
    {"pad of 1", 2, {-1, 6}, pad_1, true},
    {"a constant row", 2, {-1, 6}, row_constant, true},
    {"a constant of three rows", 2, {-1, 6}, full_constant, false},
    {"a constant of more dimensions", 2, {-1, 6}, deeper_constant, false},
    {"reshape to a literal 1", 2, {-1, 6}, reshape_literal, true},
    {"reshape to an open first dimension", 2, {-1, 6}, reshape_open, true},
    {"reshape into the first dimension", 2, {-1, 6}, reshape_away, false},
    {"squeeze of 0", 2, {-1, 6}, squeeze_0, false},
    {"a constant on the left", 2, {-1, 6}, constant_on_the_left, false},
    {"a constant on the right", 2, {-1, 6}, constant_on_the_right, true},
    {"x times x transposed", 2, {-1, 6}, times_itself_transposed, false},
    {"an operand of fewer dimensions", 3, {-1, 2, 6}, lower_rank_operand, false},
};

static ee_status import_case(const batch_case *c, ee_model **model) {
  maker m;
  maker_start(&m, 13, "x", c->rank, c->dim);
  c->build(&m);
  maker_output(&m, "y");
  ee_status status = maker_import(&m, NULL, model);
  maker_end(&m);
  return status;
}

static void a_batch_is_found_where_no_operator_mixes_it(void) {
  for (int i = 0; i < MOST; i++) numbers[i] = (float)(i % 7) - 3.5f;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    ee_model *model       = NULL;
    ee_status status      = import_case(&cases[i], &model);
    bool      as_expected = status == EE_OK && model->batched == cases[i].batched;
    CU_ASSERT_TRUE(as_expected);
    if (!as_expected) printf("%s: %s\n", cases[i].name, ee_status_message());
    ee_model_destroy(&model);
  }
}

/* The oracle is the model itself with one sample at a time. */
static void samples_of_a_batch_are_computed_as_if_alone(void) {
  enum { N = 5 };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    ee_model *model = NULL;
    ee_rng    rng   = ee_rng_at(3, i);
    float     x[MOST], together[MOST], alone[MOST];
    CU_ASSERT_EQUAL_FATAL(import_case(&cases[i], &model), EE_OK);
    size_t in  = (size_t)ee_model_value_elements(model, model->input),
           out = (size_t)model->n_classes;
    for (size_t k = 0; k < N * in; k++) x[k] = (float)ee_rng_uniform(&rng) - 0.5f;
    if (model->batched) {
      CU_ASSERT_EQUAL(maker_run(model, 0, x, N, together, MOST), EE_OK);
      for (size_t s = 0; s < N; s++)
        CU_ASSERT_EQUAL(maker_run(model, 0, x + s * in, 1, alone + s * out, out), EE_OK);
      CU_ASSERT_EQUAL(memcmp(together, alone, N * out * sizeof *alone), 0);
    } else {
      CU_ASSERT_EQUAL(maker_run(model, 0, x, 2, together, MOST), EE_ERR_ARG);
    }
    ee_model_destroy(&model);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(a_batch_is_found_where_no_operator_mixes_it),
    EE_FACT(samples_of_a_batch_are_computed_as_if_alone),
    {NULL, NULL},
};
