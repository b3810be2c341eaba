/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of operators that ONNX's own tests leave out: older operator sets, attributes against
 * inputs, modes.  The oracles are index formulas. */
#include <math.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "onnx_maker.h"

#define MOST 1024

static float x_data[MOST], y_data[MOST];

static void draw(void) {
  ee_rng rng = ee_rng_at(23, 0);
  for (int i = 0; i < MOST; i++) x_data[i] = (float)(2 * ee_rng_uniform(&rng) - 1);
}

/* Start at opset with an input that is no batch, so that all axes are alike. */
static void start(maker *m, int64_t opset, int rank, const int64_t *dim) {
  draw();
  maker_start(m, opset, "x", rank, dim);
}

/* Import and run; gives the shape of the output y. */
static ee_shape finish(maker *m) {
  ee_model *model;
  ee_shape  shape = {.rank = -1};
  maker_output(m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(maker_run(model, 0, x_data, 1, y_data, MOST), EE_OK);
  shape = model->value[model->exit[0].logits].shape;
  ee_model_destroy(&model);
  maker_end(m);
  return shape;
}

static void check_shape(const ee_shape *shape, int rank, const int64_t *dim) {
  CU_ASSERT_EQUAL_FATAL(shape->rank, rank);
  for (int i = 0; i < rank; i++) CU_ASSERT_EQUAL(shape->dim[i], dim[i]);
}

/* exp(x) over the sum of exp(x) in blocks of n elements that are `step` apart. */
static double naive_softmax(int first, int n, int step, int at) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += exp((double)x_data[first + i * step]);
  return exp((double)x_data[at]) / sum;
}

static void softmax_before_13_runs_over_all_axes_from_its_own_on(void) {
  for (int with_axis = 0; with_axis < 2; with_axis++) {
    for (int logarithm = 0; logarithm < 2; logarithm++) {
      maker m;
      start(&m, 11, 3, (int64_t[]){2, 3, 4});
      Onnx__NodeProto *node = maker_node(&m, logarithm ? "LogSoftmax" : "Softmax", "x", "y");
      if (with_axis) maker_int(&m, node, "axis", -2);  // is 1, the default
      finish(&m);
      for (int i = 0; i < 24; i++) {
        double p = naive_softmax(i / 12 * 12, 12, 1, i);
        CU_ASSERT_DOUBLE_EQUAL((double)y_data[i], logarithm ? log(p) : p, 1e-6);
      }
    }
  }
}

static void softmax_from_13_runs_over_one_axis_the_last_by_default(void) {
  for (int middle = 0; middle < 2; middle++) {
    maker m;
    start(&m, 13, 3, (int64_t[]){2, 3, 4});
    Onnx__NodeProto *node = maker_node(&m, "Softmax", "x", "y");
    if (middle) maker_int(&m, node, "axis", 1);
    finish(&m);
    for (int i = 0; i < 24; i++) {
      double p =
          middle ? naive_softmax(i / 12 * 12 + i % 4, 3, 4, i) : naive_softmax(i / 4 * 4, 4, 1, i);
      CU_ASSERT_DOUBLE_EQUAL((double)y_data[i], p, 1e-6);
    }
  }
}

static void axes_of_squeeze_and_unsqueeze_come_as_attribute_or_input(void) {
  for (int as_input = 0; as_input < 2; as_input++) {
    maker m;
    start(&m, as_input ? 13 : 11, 4, (int64_t[]){2, 1, 3, 1});
    if (as_input) {
      maker_ints(&m, "s", 1, (int64_t[]){-1});
      maker_ints(&m, "u", 2, (int64_t[]){0, -2});
      maker_node(&m, "Squeeze", "x s", "t");
      maker_node(&m, "Unsqueeze", "t u", "y");
    } else {
      maker_list(&m, maker_node(&m, "Squeeze", "x", "t"), "axes", 1, (int64_t[]){-1});
      maker_list(&m, maker_node(&m, "Unsqueeze", "t", "y"), "axes", 2, (int64_t[]){0, -2});
    }
    ee_shape shape = finish(&m);
    check_shape(&shape, 5, (int64_t[]){1, 2, 1, 1, 3});
    CU_ASSERT_EQUAL(memcmp(x_data, y_data, 6 * sizeof(float)), 0);
  }
}

static void squeeze_without_axes_drops_all_ones(void) {
  maker m;
  start(&m, 13, 4, (int64_t[]){2, 1, 3, 1});
  maker_node(&m, "Squeeze", "x", "y");
  ee_shape shape = finish(&m);
  check_shape(&shape, 2, (int64_t[]){2, 3});
}

/* Where element i of a padded dimension of n comes from; -1: the constant. */
static int padded_from(const char *mode, int i, int n) {
  if (strcmp(mode, "edge") == 0) return i < 0 ? 0 : i >= n ? n - 1 : i;
  if (strcmp(mode, "wrap") == 0) return (i % n + n) % n;
  if (strcmp(mode, "reflect") == 0) return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
  return i < 0 || i >= n ? -1 : i;
}

static void check_pad(const char *mode, int before0, int before1, int rows, int columns,
                      double value) {
  for (int i = 0; i < rows * columns; i++) {
    int u       = padded_from(mode, i / columns - before0, 4),
        v       = padded_from(mode, i % columns - before1, 5);
    double want = u < 0 || v < 0 ? value : (double)x_data[u * 5 + v];
    CU_ASSERT_EQUAL((double)y_data[i], want);
  }
}

static void pad_takes_every_mode_and_amounts_as_attribute_or_input(void) {
  static const char *const modes[] = {"constant", "reflect", "edge", "wrap"};
  const int64_t            pads[]  = {1, 3, 2, 1};
  for (int t = 0; t < 8; t++) {
    maker m;
    bool  as_input = t >= 4;
    start(&m, as_input ? 19 : 10, 2, (int64_t[]){4, 5});
    maker_ints(&m, "p", 4, pads);
    maker_floats(&m, "v", 0, NULL, (float[]){7});
    Onnx__NodeProto *node = maker_node(&m, "Pad", as_input ? "x p v" : "x", "y");
    maker_string(&m, node, "mode", modes[t % 4]);
    if (!as_input) maker_list(&m, node, "pads", 4, pads);
    if (!as_input) maker_float(&m, node, "value", 7);
    ee_shape shape = finish(&m);
    check_shape(&shape, 2, (int64_t[]){7, 9});
    check_pad(modes[t % 4], 1, 3, 7, 9, 7);
  }
}

static void pad_takes_axes_and_negative_amounts_crop(void) {
  maker m;
  start(&m, 18, 2, (int64_t[]){4, 5});
  maker_ints(&m, "p", 2, (int64_t[]){-1, 2});
  maker_ints(&m, "a", 1, (int64_t[]){-1});
  maker_node(&m, "Pad", "x p - a", "y");
  ee_shape shape = finish(&m);
  check_shape(&shape, 2, (int64_t[]){4, 6});
  check_pad("constant", 0, -1, 4, 6, 0);
}

static void mean_takes_axes_as_attribute_or_input_and_keeps_dimensions_if_told(void) {
  for (int t = 0; t < 4; t++) {
    maker m;
    bool  as_input = t % 2 == 1, keep = t >= 2;
    start(&m, as_input ? 18 : 13, 3, (int64_t[]){2, 3, 4});
    maker_ints(&m, "a", 2, (int64_t[]){0, -1});
    Onnx__NodeProto *node = maker_node(&m, "ReduceMean", as_input ? "x a" : "x", "y");
    if (!as_input) maker_list(&m, node, "axes", 2, (int64_t[]){0, -1});
    maker_int(&m, node, "keepdims", keep);
    ee_shape shape = finish(&m);
    if (keep)
      check_shape(&shape, 3, (int64_t[]){1, 3, 1});
    else
      check_shape(&shape, 1, (int64_t[]){3});
    for (int c = 0; c < 3; c++) {
      double sum = 0;
      for (int i = 0; i < 8; i++) sum += (double)x_data[i / 4 * 12 + c * 4 + i % 4];
      CU_ASSERT_DOUBLE_EQUAL((double)y_data[c], sum / 8, 1e-6);
    }
  }
}

static void mean_of_no_axes_is_of_all_or_of_none(void) {
  for (int noop = 0; noop < 2; noop++) {
    maker m;
    start(&m, 18, 2, (int64_t[]){2, 3});
    Onnx__NodeProto *node = maker_node(&m, "ReduceMean", "x", "y");
    maker_int(&m, node, "noop_with_empty_axes", noop);
    ee_shape shape = finish(&m);
    check_shape(&shape, 2, noop ? (int64_t[]){2, 3} : (int64_t[]){1, 1});
    if (noop) CU_ASSERT_EQUAL(memcmp(x_data, y_data, 6 * sizeof(float)), 0);
  }
}

static void clip_takes_bounds_as_attributes_or_inputs_and_either_may_miss(void) {
  for (int t = 0; t < 8; t++) {
    maker m;
    bool  as_input = t >= 4, low = t % 2 == 1, high = t % 4 >= 2;
    start(&m, as_input ? 11 : 7, 1, (int64_t[]){100});
    maker_floats(&m, "l", 0, NULL, (float[]){-0.25f});
    maker_floats(&m, "h", 0, NULL, (float[]){0.5f});
    static const char *const in[] = {"x", "x l", "x - h", "x l h"};
    Onnx__NodeProto         *node = maker_node(&m, "Clip", as_input ? in[t % 4] : "x", "y");
    if (!as_input && low) maker_float(&m, node, "min", -0.25f);
    if (!as_input && high) maker_float(&m, node, "max", 0.5f);
    finish(&m);
    for (int i = 0; i < 100; i++) {
      float want = x_data[i];
      if (low && want < -0.25f) want = -0.25f;
      if (high && want > 0.5f) want = 0.5f;
      CU_ASSERT_EQUAL(y_data[i], want);
    }
  }
}

static void a_bound_that_is_no_float_is_refused_by_name(void) {
  maker     m;
  ee_model *model;
  start(&m, 13, 1, (int64_t[]){4});
  maker_ints(&m, "low", 1, (int64_t[]){0});
  maker_node(&m, "Clip", "x low", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'low' is of int64"));
  maker_end(&m);
}

static void windows_that_do_not_fit_are_refused(void) {
  static const int64_t kernel[] = {7, 3, 0, 3}, pads[][2] = {{0, 0}, {3, 0}, {0, 0}, {0, -1}};
  for (int t = 0; t < 4; t++) {
    maker     m;
    ee_model *model;
    start(&m, 13, 3, (int64_t[]){1, 1, 6});
    Onnx__NodeProto *node = maker_node(&m, "MaxPool", "x", "dead");
    maker_list(&m, node, "kernel_shape", 1, &kernel[t]);
    maker_list(&m, node, "pads", 2, pads[t]);
    maker_node(&m, "Relu", "x", "y");
    maker_output(&m, "y");
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_FORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "MaxPool 'dead'"));
    maker_end(&m);
  }
}

/* A window of 3 with stride 2 over 6: SAME needs one zero, after or before. */
static void automatic_padding_puts_the_odd_zero_where_the_mode_says(void) {
  static const char *const modes[]  = {"SAME_UPPER", "SAME_LOWER", "VALID"};
  static const int         before[] = {0, 1, 0}, places[] = {3, 3, 2};
  for (int t = 0; t < 3; t++) {
    maker m;
    start(&m, 13, 3, (int64_t[]){1, 1, 6});
    maker_floats(&m, "w", 3, (int64_t[]){1, 1, 3}, (float[]){1, 10, 100});
    Onnx__NodeProto *node = maker_node(&m, "Conv", "x w", "y");
    maker_string(&m, node, "auto_pad", modes[t]);
    maker_list(&m, node, "strides", 1, (int64_t[]){2});
    ee_shape shape = finish(&m);
    check_shape(&shape, 3, (int64_t[]){1, 1, places[t]});
    for (int i = 0; i < places[t]; i++) {
      double sum = 0, weight = 1;
      for (int k = 0; k < 3; k++, weight *= 10) {
        int at = 2 * i + k - before[t];
        if (at >= 0 && at < 6) sum += weight * (double)x_data[at];
      }
      CU_ASSERT_DOUBLE_EQUAL((double)y_data[i], sum, 1e-4);
    }
  }
}

static void constants_of_every_form_are_read(void) {
  maker m;
  start(&m, 13, 1, (int64_t[]){6});
  Onnx__NodeProto *shape      = maker_node(&m, "Constant", "", "shape");
  Onnx__NodeProto *one        = maker_node(&m, "Constant", "", "one"),
                  *two        = maker_node(&m, "Constant", "", "two");
  Onnx__NodeProto      *three = maker_node(&m, "Constant", "", "three");
  Onnx__AttributeProto *list =
      maker_attribute(&m, two, "value_floats", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
  Onnx__AttributeProto *tensor =
      maker_attribute(&m, three, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
  maker_list(&m, shape, "value_ints", 2, (int64_t[]){2, -1});
  maker_float(&m, one, "value_float", 0.5f);
  list->n_floats = 3;
  list->floats   = (float[]){1, 2, 3};
  tensor->t      = maker_floats(&m, "inside", 2, (int64_t[]){2, 1}, (float[]){10, 20});
  maker_int(&m, maker_node(&m, "Constant", "", "number"), "value_int", 3);
  maker_node(&m, "Reshape", "x shape", "a");
  maker_node(&m, "Add", "a one", "b");
  maker_node(&m, "Mul", "b two", "c");
  maker_node(&m, "Sub", "three c", "y");
  ee_shape s = finish(&m);
  check_shape(&s, 2, (int64_t[]){2, 3});
  for (int i = 0; i < 6; i++) {
    double want = 10 * (1 + i / 3) - ((double)x_data[i] + 0.5) * (1 + i % 3);
    CU_ASSERT_DOUBLE_EQUAL((double)y_data[i], want, 1e-5);
  }
}

/* (c1 + c2) transposed, over 4: nothing of it is left but numbers. */
static void nodes_of_constants_are_evaluated(void) {
  maker     m;
  ee_model *model;
  start(&m, 13, 2, (int64_t[]){3, 2});
  maker_floats(&m, "c1", 2, (int64_t[]){2, 3}, (float[]){1, 2, 3, 4, 5, 6});
  maker_floats(&m, "c2", 1, (int64_t[]){1}, (float[]){10});
  maker_floats(&m, "c3", 0, NULL, (float[]){4});
  maker_node(&m, "Add", "c1 c2", "sum");
  maker_node(&m, "Transpose", "sum", "turned");
  maker_node(&m, "Div", "turned c3", "part");
  maker_node(&m, "Add", "x part", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 1);
  CU_ASSERT_EQUAL(model->n_values, 3);
  CU_ASSERT_EQUAL(maker_run(model, 0, x_data, 1, y_data, MOST), EE_OK);
  for (int i = 0; i < 6; i++) {
    float want = x_data[i] + ((float)(1 + i / 2 + 3 * (i % 2)) + 10) / 4;
    CU_ASSERT_EQUAL(y_data[i], want);
  }
  ee_model_destroy(&model);
  maker_end(&m);
}

static void concat_and_sum_take_any_number_of_inputs(void) {
  for (int sum = 0; sum < 2; sum++) {
    maker m;
    char  in[256] = "";
    start(&m, 13, 2, (int64_t[]){2, 3});
    maker_floats(&m, "k", 2, (int64_t[]){2, 3}, (float[]){0, 1, 2, 3, 4, 5});
    for (int i = 0; i < 20; i++) strcat(in, "x k ");
    Onnx__NodeProto *node = maker_node(&m, sum ? "Sum" : "Concat", in, "y");
    if (!sum) maker_int(&m, node, "axis", 1);
    ee_shape shape = finish(&m);
    check_shape(&shape, 2, (int64_t[]){2, sum ? 3 : 120});
    for (int i = 0; i < (sum ? 6 : 240); i++) {
      int    at   = i / 120 * 3 + i % 3;  // within one part of the concatenation
      double want = sum ? 20 * ((double)x_data[i] + i) : i / 3 % 2 == 0 ? (double)x_data[at] : at;
      CU_ASSERT_DOUBLE_EQUAL((double)y_data[i], want, 1e-4);
    }
  }
}

static void reshape_copies_zeros_unless_they_are_meant(void) {
  maker m;
  start(&m, 14, 3, (int64_t[]){2, 3, 4});
  maker_ints(&m, "s", 4, (int64_t[]){0, -1, 2, 2});
  maker_node(&m, "Reshape", "x s", "y");
  ee_shape shape = finish(&m);
  check_shape(&shape, 4, (int64_t[]){2, 3, 2, 2});

  ee_model *model;
  start(&m, 14, 3, (int64_t[]){2, 3, 4});
  maker_ints(&m, "s", 2, (int64_t[]){0, -1});
  maker_int(&m, maker_node(&m, "Reshape", "x s", "y"), "allowzero", 1);
  maker_output(&m, "y");
  CU_ASSERT_NOT_EQUAL(maker_import(&m, NULL, &model), EE_OK);
  maker_end(&m);
}

static void training_forms_are_refused_by_name(void) {
  for (int t = 0; t < 3; t++) {
    maker     m;
    ee_model *model;
    float     ones[] = {1, 1, 1};
    start(&m, t == 2 ? 7 : 14, 2, (int64_t[]){2, 3});
    maker_floats(&m, "o", 1, (int64_t[]){3}, ones);
    maker_floats(&m, "ratio", 0, NULL, ones);
    Onnx__TensorProto *flag = maker_ints(&m, "flag", 1, (int64_t[]){1});
    flag->data_type         = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
    flag->n_int32_data      = 1;
    flag->int32_data        = (int32_t[]){1};
    flag->n_int64_data      = 0;
    Onnx__NodeProto *node   = t == 0 ? maker_node(&m, "Dropout", "x ratio flag", "y")
                                     : maker_node(&m, "BatchNormalization", "x o o o o", "y");
    if (t > 0) maker_int(&m, node, t == 1 ? "training_mode" : "spatial", t == 1);
    maker_output(&m, "y");
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'y'"));
    flag->int32_data[0] = 0;
    if (t == 0) {
      CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_OK);
      ee_model_destroy(&model);
    }
    maker_end(&m);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(softmax_before_13_runs_over_all_axes_from_its_own_on),
    EE_FACT(softmax_from_13_runs_over_one_axis_the_last_by_default),
    EE_FACT(axes_of_squeeze_and_unsqueeze_come_as_attribute_or_input),
    EE_FACT(squeeze_without_axes_drops_all_ones),
    EE_FACT(pad_takes_every_mode_and_amounts_as_attribute_or_input),
    EE_FACT(pad_takes_axes_and_negative_amounts_crop),
    EE_FACT(mean_takes_axes_as_attribute_or_input_and_keeps_dimensions_if_told),
    EE_FACT(mean_of_no_axes_is_of_all_or_of_none),
    EE_FACT(clip_takes_bounds_as_attributes_or_inputs_and_either_may_miss),
    EE_FACT(a_bound_that_is_no_float_is_refused_by_name),
    EE_FACT(windows_that_do_not_fit_are_refused),
    EE_FACT(automatic_padding_puts_the_odd_zero_where_the_mode_says),
    EE_FACT(constants_of_every_form_are_read),
    EE_FACT(nodes_of_constants_are_evaluated),
    EE_FACT(concat_and_sum_take_any_number_of_inputs),
    EE_FACT(reshape_copies_zeros_unless_they_are_meant),
    EE_FACT(training_forms_are_refused_by_name),
    {NULL, NULL},
};
