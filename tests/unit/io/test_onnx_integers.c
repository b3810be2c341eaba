/* SPDX-License-Identifier: Apache-2.0 */
/* Integers that a file makes from constants: each chain of nodes ends as the amounts of a Pad,
 * which show what it made.  The oracles are lists worked out by hand, or index formulas. */
#include <stdio.h>

#include "ee_test.h"
#include "onnx_maker.h"

#define INT32 ONNX__TENSOR_PROTO__DATA_TYPE__INT32
#define INT64 ONNX__TENSOR_PROTO__DATA_TYPE__INT64
#define FLOAT32 ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
#define FLOAT64 ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE

static const int64_t dims[] = {1, 4, 4, 4};

static void start(maker *m, int64_t opset) {
  maker_start(m, opset, "x", 4, dims);
}

/* Pad x by the eight amounts `p` and import; *got is the amounts, in the order of the file. */
static ee_status finish(maker *m, int got[8]) {
  ee_model *model;
  maker_node(m, "Pad", "x p", "y");
  maker_output(m, "y");
  ee_status status = maker_import(m, NULL, &model);
  if (status == EE_OK) {
    CU_ASSERT_EQUAL_FATAL(model->n_nodes, 1);
    CU_ASSERT_EQUAL_FATAL(model->node[0].op, EE_OP_PAD);
    for (int i = 0; i < 4; i++) {
      got[i]     = model->node[0].attr.pad.before[i];
      got[4 + i] = model->node[0].attr.pad.after[i];
    }
  }
  ee_model_destroy(&model);
  maker_end(m);
  return status;
}

static void check(maker *m, const int want[8]) {
  int got[8] = {0};
  CU_ASSERT_EQUAL(finish(m, got), EE_OK);
  for (int i = 0; i < 8; i++) {
    CU_ASSERT_EQUAL(got[i], want[i]);
    if (got[i] != want[i])
      printf("amount %d is %d, not %d; %s\n", i, got[i], want[i], ee_status_message());
  }
}

static Onnx__NodeProto *cast(maker *m, const char *in, const char *out, int64_t to) {
  Onnx__NodeProto *node = maker_node(m, "Cast", in, out);
  maker_int(m, node, "to", to);
  return node;
}

/* A Constant of integers whose tensor has no name. */
static void constant(maker *m, const char *out, int64_t n, const int64_t *x) {
  Onnx__AttributeProto *a = maker_attribute(m, maker_node(m, "Constant", "", out), "value",
                                            ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
  a->t                    = maker_ints(m, "", n, x);
  m->graph.n_initializer--;
}

/* F.pad(x, (1, 2, 3, 4)) as PyTorch 1.13 writes it: zeros behind, rows of two, the rows turned
 * round, the columns behind each other. */
static void the_amounts_of_a_pad_may_be_computed_as_pytorch_does(void) {
  maker m;
  start(&m, 13);
  constant(&m, "given", 4, (int64_t[]){1, 2, 3, 4});
  constant(&m, "missing", 1, (int64_t[]){4});
  constant(&m, "pairs", 2, (int64_t[]){-1, 2});
  constant(&m, "zero", 1, (int64_t[]){0});
  constant(&m, "last", 1, (int64_t[]){-1});
  constant(&m, "least", 1, (int64_t[]){-INT64_MAX});
  constant(&m, "all", 1, (int64_t[]){-1});
  Onnx__NodeProto      *node = maker_node(&m, "ConstantOfShape", "missing", "zeros");
  Onnx__AttributeProto *a =
      maker_attribute(&m, node, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
  a->t = maker_ints(&m, "", 1, (int64_t[]){0});
  m.graph.n_initializer--;
  maker_int(&m, maker_node(&m, "Concat", "given zeros", "joined"), "axis", 0);
  maker_node(&m, "Reshape", "joined pairs", "rows");
  maker_node(&m, "Slice", "rows last least zero last", "turned");
  maker_list(&m, maker_node(&m, "Transpose", "turned", "columns"), "perm", 2, (int64_t[]){1, 0});
  maker_node(&m, "Reshape", "columns all", "flat");
  cast(&m, "flat", "p", INT64);
  check(&m, (int[]){0, 0, 3, 1, 0, 0, 4, 2});
}

/* One slice of the numbers 0 to 9; steps 0: attributes, of operator set 9. */
typedef struct slice_case {
  int64_t start, end, step;
  int     want[8];
} slice_case;

static const slice_case slices[] = {
    {0, 8, 1, {0, 1, 2, 3, 4, 5, 6, 7}},
    {2, 1000, 1, {2, 3, 4, 5, 6, 7, 8, 9}},
    {-8, INT64_MAX, 1, {2, 3, 4, 5, 6, 7, 8, 9}},
    {-1000, -2, 1, {0, 1, 2, 3, 4, 5, 6, 7}},
    {-1, INT64_MIN, -1, {9, 8, 7, 6, 5, 4, 3, 2}},
    {8, 0, -1, {8, 7, 6, 5, 4, 3, 2, 1}},
    {1000, 1, -1, {9, 8, 7, 6, 5, 4, 3, 2}},
    {1, 9, 3, {1, 4, 7}},
    {9, -11, -4, {9, 5, 1}},
    {3, -1, INT64_MAX, {3}},
    {3, -1000, INT64_MIN, {3}},
    {5, 5, 1, {0}},
    {7, 2, 1, {0}},
    {1, 9, 0, {1, 2, 3, 4, 5, 6, 7, 8}},
    {-9, -1, 0, {1, 2, 3, 4, 5, 6, 7, 8}},
};

/* The result is brought to eight amounts by zeros behind it, and by cutting what is beyond. */
static void a_slice_takes_the_places_from_start_to_before_end(void) {
  const int64_t digits[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, zeros[8] = {0};
  for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
    const slice_case *c = &slices[i];
    maker             m;
    bool              old = c->step == 0;
    start(&m, old ? 9 : 13);
    maker_ints(&m, "digits", 10, digits);
    maker_ints(&m, "zeros", 8, zeros);
    maker_ints(&m, "s", 1, &c->start);
    maker_ints(&m, "e", 1, &c->end);
    maker_ints(&m, "step", 1, &c->step);
    Onnx__NodeProto *node = maker_node(&m, "Slice", old ? "digits" : "digits s e - step", "cut");
    if (old) maker_list(&m, node, "starts", 1, &c->start);
    if (old) maker_list(&m, node, "ends", 1, &c->end);
    maker_int(&m, maker_node(&m, "Concat", "cut zeros", "joined"), "axis", 0);
    maker_ints(&m, "zero", 1, (int64_t[]){0});
    maker_ints(&m, "eight", 1, (int64_t[]){8});
    if (old) {
      node = maker_node(&m, "Slice", "joined", "p");
      maker_list(&m, node, "starts", 1, (int64_t[]){0});
      maker_list(&m, node, "ends", 1, (int64_t[]){8});
      maker_list(&m, node, "axes", 1, (int64_t[]){-1});
    } else {
      maker_node(&m, "Slice", "joined zero eight", "p");
    }
    check(&m, c->want);
  }
}

/* A [4, 6] array is sliced to [2, 4] along both axes, the later one given first. */
static void a_slice_runs_along_the_axes_it_names(void) {
  maker   m;
  int64_t list[24];
  int     want[8];
  for (int i = 0; i < 24; i++) list[i] = i;
  for (int i = 0; i < 8; i++) want[i] = 6 * (3 - 2 * (i / 4)) + 1 + i % 4;
  start(&m, 13);
  maker_ints(&m, "list", 24, list);
  maker_ints(&m, "shape", 2, (int64_t[]){4, 6});
  maker_ints(&m, "s", 2, (int64_t[]){1, -1});
  maker_ints(&m, "e", 2, (int64_t[]){5, -5});
  maker_ints(&m, "a", 2, (int64_t[]){-1, 0});
  maker_ints(&m, "steps", 2, (int64_t[]){1, -2});
  maker_ints(&m, "all", 1, (int64_t[]){-1});
  maker_node(&m, "Reshape", "list shape", "array");
  maker_node(&m, "Slice", "array s e a steps", "part");
  maker_node(&m, "Reshape", "part all", "p");
  check(&m, want);
}

/* Two [2, 2] arrays side by side: rows of four. */
static void integers_are_joined_along_any_axis(void) {
  for (int axis = 0; axis < 2; axis++) {
    maker m;
    int   want[2][8] = {{1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 5, 6, 3, 4, 7, 8}};
    start(&m, 13);
    maker_ints(&m, "a", 4, (int64_t[]){1, 2, 3, 4});
    maker_ints(&m, "b", 4, (int64_t[]){5, 6, 7, 8});
    maker_ints(&m, "shape", 2, (int64_t[]){2, 2});
    maker_ints(&m, "all", 1, (int64_t[]){-1});
    maker_node(&m, "Reshape", "a shape", "c");
    maker_node(&m, "Reshape", "b shape", "d");
    maker_int(&m, maker_node(&m, "Concat", "c d", "e"), "axis", axis - 2);
    maker_node(&m, "Reshape", "e all", "p");
    check(&m, want[axis]);
  }
}

static void a_cast_cuts_floats_towards_zero_and_keeps_integers(void) {
  const float list[] = {0.9f, 1.0f, -0.9f, 2.5f, 3.5f, -1.5f, 0, 7.99f};
  for (int t = 0; t < 2; t++) {
    maker m;
    start(&m, 13);
    maker_floats(&m, "f", 1, (int64_t[]){8}, list);
    cast(&m, "f", "i", t == 0 ? INT32 : INT64);
    cast(&m, "i", "g", FLOAT32);
    cast(&m, "g", "h", FLOAT32);
    cast(&m, "h", "j", INT64);
    cast(&m, "j", "p", INT32);
    check(&m, (int[]){0, 1, 0, 2, 3, -1, 0, 7});
  }
}

static void slices_and_casts_that_cannot_be_are_refused_by_name(void) {
  static const struct {
    const char *op, *in;
    int64_t     to;
    ee_status   status;
    const char *said;
  } bad[] = {
      {"Slice", "x one one", 0, EE_ERR_UNSUPPORTED, "Slice 'z': its result has no elements"},
      {"Slice", "f one one", 0, EE_ERR_UNSUPPORTED, "Slice 'z': its result has no elements"},
      {"Slice", "eight one", 0, EE_ERR_FORMAT, "Slice 'z'"},
      {"Slice", "eight", 0, EE_ERR_FORMAT, "Slice 'z'"},
      {"Slice", "eight two one", 0, EE_ERR_FORMAT, "Slice 'z'"},
      {"Slice", "eight two two", 0, EE_ERR_FORMAT, "Slice 'z'"},
      {"Slice", "eight one one one", 0, EE_ERR_FORMAT, "axis 1"},
      {"Slice", "eight one one zero zero", 0, EE_ERR_FORMAT, "step of 0"},
      {"Slice", "eight one f", 0, EE_ERR_UNSUPPORTED, "'f'"},
      {"Cast", "x", INT64, EE_ERR_UNSUPPORTED, "Cast 'z' of 'x'"},
      {"Cast", "eight", FLOAT64, EE_ERR_UNSUPPORTED, "Cast 'z' to float64"},
      {"Cast", "f", FLOAT64, EE_ERR_UNSUPPORTED, "Cast 'z' to float64"},
      {"Cast", "eight", 1000, EE_ERR_UNSUPPORTED, "Cast 'z' to no type"},
      {"Cast", "f", INT32, EE_ERR_UNSUPPORTED, "is no int32"},
      {"Cast", "wide", INT32, EE_ERR_UNSUPPORTED, "is no int32"},
      {"Concat", "eight x", 0, EE_ERR_UNSUPPORTED, "'x' is not a constant of integers"},
      {"Reshape", "eight two", 0, EE_ERR_FORMAT, "cannot become"},
      {"Relu", "unnamed", 0, EE_ERR_UNSUPPORTED, "'unnamed' is of int64"},
      {"Clip", "x unnamed", 0, EE_ERR_FORMAT, "'unnamed'"},
      {"Clip", "x single", 0, EE_ERR_UNSUPPORTED, "'single' is of int64"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    maker m;
    int   got[8];
    start(&m, 13);
    maker_floats(&m, "f", 1, (int64_t[]){1}, (float[]){0x1p31f});
    maker_ints(&m, "p", 8, (int64_t[]){0, 0, 0, 0, 0, 0, 0, 0});
    maker_ints(&m, "eight", 8, (int64_t[]){1, 2, 3, 4, 5, 6, 7, 8});
    maker_ints(&m, "wide", 1, (int64_t[]){(int64_t)INT32_MIN - 1});
    maker_ints(&m, "zero", 1, (int64_t[]){0});
    maker_ints(&m, "one", 1, (int64_t[]){1});
    maker_ints(&m, "two", 2, (int64_t[]){1, 2});
    constant(&m, "unnamed", 2, (int64_t[]){1, 2});
    constant(&m, "single", 1, (int64_t[]){1});
    Onnx__NodeProto *node = maker_node(&m, bad[i].op, bad[i].in, "z");
    if (strcmp(bad[i].op, "Cast") == 0) maker_int(&m, node, "to", bad[i].to);
    if (strcmp(bad[i].op, "Concat") == 0) maker_int(&m, node, "axis", 0);
    CU_ASSERT_EQUAL(finish(&m, got), bad[i].status);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), bad[i].said));
    if (strstr(ee_status_message(), bad[i].said) == NULL)
      printf("%s %s: %s\n", bad[i].op, bad[i].in, ee_status_message());
  }
}

/* Doubling a list again and again would fill all memory. */
static void integers_that_are_too_many_are_refused(void) {
  maker m;
  char  in[32], out[16];
  int   got[8];
  start(&m, 13);
  maker_ints(&m, "d0", 8, (int64_t[]){1, 2, 3, 4, 5, 6, 7, 8});
  for (int i = 0; i < 60; i++) {
    snprintf(in, sizeof in, "d%d d%d", i, i);
    snprintf(out, sizeof out, "d%d", i + 1);
    maker_int(&m, maker_node(&m, "Concat", in, out), "axis", 0);
  }
  maker_node(&m, "Identity", "d60", "p");
  CU_ASSERT_EQUAL(finish(&m, got), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "the most are"));
}

const ee_fact ee_facts[] = {
    EE_FACT(the_amounts_of_a_pad_may_be_computed_as_pytorch_does),
    EE_FACT(a_slice_takes_the_places_from_start_to_before_end),
    EE_FACT(a_slice_runs_along_the_axes_it_names),
    EE_FACT(integers_are_joined_along_any_axis),
    EE_FACT(a_cast_cuts_floats_towards_zero_and_keeps_integers),
    EE_FACT(slices_and_casts_that_cannot_be_are_refused_by_name),
    EE_FACT(integers_that_are_too_many_are_refused),
    {NULL, NULL},
};
