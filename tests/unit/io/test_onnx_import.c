/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a whole ONNX model: exits, names, metadata, and everything that is refused. */
#include <math.h>
#include <stdio.h>

#include "ee_test.h"
#include "onnx_maker.h"

static const int64_t row[]    = {-1, 4};
static const int64_t square[] = {4, 4};

static float weights[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* x -> a -> b, an exit after each; the outputs are listed the other way round. */
static void start_two_exits(maker *m) {
  maker_start(m, 13, "x", 2, row);
  maker_floats(m, "w1", 2, square, weights);
  maker_floats(m, "w2", 2, square, weights);
  maker_floats(m, "w3", 2, square, weights);
  maker_node(m, "Gemm", "x w1", "a");
  maker_node(m, "Relu", "a", "r");
  maker_node(m, "Gemm", "r w2", "early");
  maker_node(m, "Dropout", "r", "d");
  maker_node(m, "Gemm", "d w3", "late");
  maker_output(m, "late");
  maker_output(m, "early");
}

static void exits_come_in_topological_order_under_the_outputs_names(void) {
  maker     m;
  ee_model *model;
  start_two_exits(&m);
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL_FATAL(model->n_exits, 2);
  CU_ASSERT_STRING_EQUAL(model->exit[0].name, "early");
  CU_ASSERT_STRING_EQUAL(model->exit[1].name, "late");
  CU_ASSERT_EQUAL(model->n_classes, 4);
  CU_ASSERT_EQUAL(model->n_layers, 2);
  CU_ASSERT_EQUAL(model->exit[0].attach, 0);
  CU_ASSERT_EQUAL(model->exit[1].attach, 1);
  CU_ASSERT_TRUE(model->batched);
  ee_model_destroy(&model);
  maker_end(&m);
}

static void nodes_and_constants_that_nothing_needs_vanish(void) {
  maker     m;
  ee_model *model;
  start_two_exits(&m);
  maker_floats(&m, "unused", 2, square, weights);
  maker_node(&m, "Gemm", "late unused", "dead");
  maker_node(&m, "Add", "unused unused", "deader");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 3);
  CU_ASSERT_EQUAL(model->n_values, 7);  // x, three weights, three results
  for (int v = 0; v < model->n_values; v++)
    CU_ASSERT_PTR_NULL(strstr(model->value[v].name, "unused"));
  ee_model_destroy(&model);
  maker_end(&m);
}

static void everything_that_is_not_supported_is_named_at_once(void) {
  maker     m;
  ee_model *model;
  start_two_exits(&m);
  maker_node(&m, "Asinh", "r", "asinh");
  maker_node(&m, "LpNormalization", "asinh", "ln");
  maker_string(&m, maker_node(&m, "Pad", "r pads", "padded"), "mode", "sideways");
  maker_node(&m, "Gemm", "ln w1", "g");
  maker_int(&m, m.node[m.graph.n_node - 1], "weird", 1);
  maker_int(&m, m.node[m.graph.n_node - 1], "weirder", 1);
  maker_node(&m, "FusedConv", "r", "fc")->domain = maker_text(&m, "com.example");
  maker_ints(&m, "pads", 1, (int64_t[]){0});
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NULL(model);
  static const char *const named[] = {"Asinh 'asinh'", "LpNormalization 'ln'",
                                      "Pad 'padded'",  "sideways",
                                      "Gemm 'g'",      "'weird'",
                                      "'weirder'",     "com.example.FusedConv 'fc'"};
  for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), named[i]));
  maker_end(&m);
}

static void a_long_list_of_complaints_is_cut_and_counted(void) {
  maker     m;
  ee_model *model;
  start_two_exits(&m);
  for (int i = 0; i < 100; i++) {
    char name[32];
    snprintf(name, sizeof name, "a_rather_long_name_%d", i);
    maker_node(&m, "Asinh", "r", name);
  }
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
  int         said = 0;
  const char *at   = ee_status_message();
  while ((at = strstr(at, "Asinh '")) != NULL) at++, said++;
  char more[32];
  snprintf(more, sizeof more, "and %d more", 100 - said);
  CU_ASSERT_TRUE(said > 10);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), more));
  maker_end(&m);
}

static void an_output_that_is_never_computed_is_refused_only_if_it_is_used(void) {
  for (int used = 0; used < 2; used++) {
    maker     m;
    ee_model *model;
    start_two_exits(&m);
    maker_node(&m, "Dropout", "r", "dropped mask");
    if (used) maker_node(&m, "Relu", "mask", "z");
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), used ? EE_ERR_UNSUPPORTED : EE_OK);
    if (used) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'mask'"));
    ee_model_destroy(&model);
    maker_end(&m);
  }
}

static void a_second_input_must_be_bound_to_a_constant(void) {
  maker     m;
  ee_model *model;
  size_t    n, t;
  float     y[4], x[4] = {1, 1, 1, 1};
  maker_start(&m, 13, "x", 2, row);
  m.input[m.graph.n_input++] = maker_value(&m, "k", 1, (int64_t[]){4});
  maker_node(&m, "Add", "x k", "y");
  maker_output(&m, "y");
  uint8_t *bytes = maker_bytes(&m, &n);
  CU_ASSERT_EQUAL(ee_import_onnx_bytes(bytes, n, NULL, NULL, 0, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'k'"));

  Onnx__TensorProto *tensor = maker_floats(&m, "other", 1, (int64_t[]){4}, weights);
  t                         = onnx__tensor_proto__get_packed_size(tensor);
  uint8_t *packed           = maker_keep(&m, t);
  onnx__tensor_proto__pack(tensor, packed);
  ee_onnx_binding binding = {"k", packed, t};
  CU_ASSERT_EQUAL_FATAL(ee_import_onnx_bytes(bytes, n, NULL, &binding, 1, &model), EE_OK);
  CU_ASSERT_EQUAL(maker_run(model, 0, x, 1, y, 4), EE_OK);
  for (int i = 0; i < 4; i++) CU_ASSERT_EQUAL(y[i], 1 + weights[i]);
  ee_model_destroy(&model);
  binding.bytes = t - 1;
  CU_ASSERT_EQUAL(ee_import_onnx_bytes(bytes, n, NULL, &binding, 1, &model), EE_ERR_FORMAT);
  maker_end(&m);
}

static void weights_that_are_not_finite_are_refused_by_name(void) {
  for (int t = 0; t < 2; t++) {
    maker     m;
    ee_model *model;
    start_two_exits(&m);
    m.tensor[1]->float_data[7] = t == 0 ? NAN : INFINITY;
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_FORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'w2'"));
    maker_end(&m);
  }
}

static void weights_of_another_type_or_in_another_file_are_refused_by_name(void) {
  maker     m;
  ee_model *model;
  start_two_exits(&m);
  m.tensor[1]->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'w2' is of float16"));
  m.tensor[1]->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;

  Onnx__StringStringEntryProto entry = ONNX__STRING_STRING_ENTRY_PROTO__INIT, *list[] = {&entry};
  entry.key                      = maker_text(&m, "location");
  entry.value                    = maker_text(&m, "weights.bin");
  m.tensor[2]->has_data_location = 1;
  m.tensor[2]->data_location     = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  m.tensor[2]->external_data     = list;
  m.tensor[2]->n_external_data   = 1;
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "weights.bin"));
  maker_end(&m);
}

static void weights_of_too_few_elements_are_refused_by_name(void) {
  for (int raw = 0; raw < 2; raw++) {
    maker     m;
    ee_model *model;
    start_two_exits(&m);
    m.tensor[1]->n_float_data  = raw ? 0 : 15;
    m.tensor[1]->has_raw_data  = raw;
    m.tensor[1]->raw_data.len  = sizeof weights - 1;
    m.tensor[1]->raw_data.data = (uint8_t *)weights;
    CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_FORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "tensor 'w2' holds 15 elements"));
    maker_end(&m);
  }
}

static void raw_and_typed_data_mean_the_same(void) {
  float     y[2][4], x[4] = {1, -2, 0.5f, 3};
  maker     m;
  ee_model *model;
  for (int raw = 0; raw < 2; raw++) {
    start_two_exits(&m);
    for (int t = 0; t < 3 && raw; t++) {
      m.tensor[t]->has_raw_data  = 1;
      m.tensor[t]->raw_data.len  = sizeof weights;
      m.tensor[t]->raw_data.data = (uint8_t *)weights;
      m.tensor[t]->n_float_data  = 0;
    }
    CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_EQUAL(maker_run(model, 1, x, 1, y[raw], 4), EE_OK);
    ee_model_destroy(&model);
    maker_end(&m);
  }
  CU_ASSERT_EQUAL(memcmp(y[0], y[1], sizeof y[0]), 0);
}

static void metadata_becomes_preprocessing_classes_and_provenance(void) {
  maker           m;
  ee_model       *model;
  float           mean[] = {9, 9, 9, 9}, std[] = {2, 2, 2, 2};
  ee_onnx_options options = {.n_channels = 4, .mean = mean, .std = std, .class_names = "p,q,r,s"};
  start_two_exits(&m);
  maker_property(&m, "ee.mean", "0.5,-1,2e-1,0");
  maker_property(&m, "ee.std", "1,2,3,4");
  maker_property(&m, "ee.scale", "0.25");
  maker_property(&m, "ee.classes", "cat,dog,,a bird");
  maker_property(&m, "ee.provenance", "made by hand");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL_FATAL(model->preprocess.n_channels, 4);
  CU_ASSERT_EQUAL(model->preprocess.scale, 0.25f);
  CU_ASSERT_EQUAL(model->preprocess.mean[2], 0.2f);
  CU_ASSERT_EQUAL(model->preprocess.std[3], 4.0f);
  CU_ASSERT_STRING_EQUAL(model->class_name[0], "cat");
  CU_ASSERT_STRING_EQUAL(model->class_name[2], "");
  CU_ASSERT_STRING_EQUAL(model->class_name[3], "a bird");
  CU_ASSERT_STRING_EQUAL(model->provenance, "made by hand");
  ee_model_destroy(&model);

  CU_ASSERT_EQUAL_FATAL(maker_import(&m, &options, &model), EE_OK);  // options win
  CU_ASSERT_EQUAL(model->preprocess.mean[2], 9.0f);
  CU_ASSERT_EQUAL(model->preprocess.std[3], 2.0f);
  CU_ASSERT_EQUAL(model->preprocess.scale, 0.25f);
  CU_ASSERT_STRING_EQUAL(model->class_name[3], "s");
  ee_model_destroy(&model);
  maker_end(&m);
}

static void metadata_that_does_not_fit_is_refused(void) {
  static const char *const bad[][2] = {{"ee.mean", "1,2,3"},     {"ee.mean", "1,2,3,x"},
                                       {"ee.std", "1,1,0,1"},    {"ee.std", "1,1,,1"},
                                       {"ee.scale", "0"},        {"ee.scale", "nan"},
                                       {"ee.classes", "a,b,c"},  {"ee.classes", "a,b,c,d,e"},
                                       {"ee.mean", "1,2,3,4 5"}, {"ee.mean", ""}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    maker     m;
    ee_model *model;
    start_two_exits(&m);
    maker_property(&m, bad[i][0], bad[i][1]);
    CU_ASSERT_NOT_EQUAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_PTR_NULL(model);
    maker_end(&m);
  }
  maker           m;
  ee_model       *model;
  float           ones[]  = {1, 1, 1};
  ee_onnx_options options = {.n_channels = 3, .mean = ones, .std = ones};
  start_two_exits(&m);
  CU_ASSERT_EQUAL(maker_import(&m, &options, &model), EE_ERR_ARG);
  maker_end(&m);
}

/* Each change makes the graph wrong in another way. */
static void graphs_that_do_not_hang_together_are_refused(void) {
  static const char *const nodes[][3] = {
      {"Relu", "nowhere", "z"},                             // an input that nothing makes
      {"Relu", "x", "a"},                                   // a second maker of a
      {"Relu", "x x", "z"},                                 // too many inputs
      {"Add", "x", "z"},                                    // too few
      {"Gemm", "x -", "z"},                                 // a needed one left out
      {"Gemm", "x v5", "z"},                                // shapes that do not fit
      {"Reshape", "x minus", "z"}, {"Concat", "x x", "z"},  // no axis
      {"Conv", "x w1", "z"},       {"Add", "x v5", "z"},
  };
  for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
    maker     m;
    ee_model *model;
    start_two_exits(&m);
    maker_floats(&m, "v5", 2, (int64_t[]){5, 2}, weights);
    maker_ints(&m, "minus", 2, (int64_t[]){-2, 4});
    maker_node(&m, nodes[i][0], nodes[i][1], nodes[i][2]);
    CU_ASSERT_NOT_EQUAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_PTR_NULL(model);
    CU_ASSERT_TRUE(strlen(ee_status_message()) > 0);
    maker_end(&m);
  }
}

static void outputs_that_are_no_exits_are_refused(void) {
  static const char *const output[] = {"nothing", "w1", "early", "narrow"};
  for (size_t i = 0; i < sizeof output / sizeof output[0]; i++) {
    maker     m;
    ee_model *model;
    start_two_exits(&m);
    maker_floats(&m, "v", 2, (int64_t[]){4, 2}, weights);
    maker_node(&m, "Gemm", "r v", "narrow");  // two classes, the others have four
    maker_output(&m, output[i]);
    CU_ASSERT_NOT_EQUAL(maker_import(&m, NULL, &model), EE_OK);
    CU_ASSERT_PTR_NULL(model);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), output[i]));
    maker_end(&m);
  }
}

static void old_operator_sets_and_free_dimensions_are_refused(void) {
  maker     m;
  ee_model *model;
  start_two_exits(&m);
  m.opset.version = 6;
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "operator set 6"));
  maker_end(&m);

  maker_start(&m, 13, "x", 3, (int64_t[]){-1, 4, -1});
  maker_node(&m, "Relu", "x", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL(maker_import(&m, NULL, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "input 'x': dimension 2 ('free')"));
  maker_end(&m);
}

static void an_input_that_is_its_own_output_is_copied(void) {
  maker     m;
  ee_model *model;
  float     x[4] = {1, 2, 3, 4}, y[4] = {0};
  maker_start(&m, 13, "x", 2, row);
  maker_node(&m, "Identity", "x", "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_STRING_EQUAL(model->exit[0].name, "y");
  CU_ASSERT_EQUAL(maker_run(model, 0, x, 1, y, 4), EE_OK);
  CU_ASSERT_EQUAL(memcmp(x, y, sizeof x), 0);
  ee_model_destroy(&model);
  maker_end(&m);
}

/* Names are cut to EE_NAME_BYTES in a model; they must not become equal by that. */
static void long_names_stay_apart(void) {
  maker     m;
  ee_model *model;
  char      name[2][200];
  maker_start(&m, 13, "x", 2, row);
  memset(name, 'n', sizeof name);
  strcpy(name[0] + 150, "1");
  strcpy(name[1] + 150, "2");
  char in[256];
  maker_node(&m, "Relu", "x", name[0]);
  maker_node(&m, "Tanh", name[0], name[1]);
  snprintf(in, sizeof in, "%s x", name[1]);
  maker_node(&m, "Add", in, "y");
  maker_output(&m, "y");
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  for (int i = 0; i < model->n_nodes; i++) {
    for (int j = 0; j < i; j++)
      CU_ASSERT_STRING_NOT_EQUAL(model->node[i].name, model->node[j].name);
  }
  for (int i = 0; i < model->n_values; i++) {
    for (int j = 0; j < i; j++)
      CU_ASSERT_STRING_NOT_EQUAL(model->value[i].name, model->value[j].name);
  }
  ee_model_destroy(&model);
  maker_end(&m);
}

static void a_file_gives_the_model_its_name_and_errors_their_path(void) {
  maker       m;
  ee_model   *model;
  size_t      n;
  const char *path = ee_test_path("net.v2.onnx");
  start_two_exits(&m);
  uint8_t *bytes = maker_bytes(&m, &n);
  FILE    *file  = fopen(path, "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  CU_ASSERT_EQUAL(fwrite(bytes, 1, n, file), n);
  fclose(file);
  CU_ASSERT_EQUAL_FATAL(ee_import_onnx(path, NULL, &model), EE_OK);
  CU_ASSERT_STRING_EQUAL(model->name, "net.v2");
  ee_model_destroy(&model);

  file = fopen(path, "wb");
  CU_ASSERT_EQUAL(fwrite(bytes, 1, n - 5, file), n - 5);
  fclose(file);
  CU_ASSERT_EQUAL(ee_import_onnx(path, NULL, &model), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), path));
  path = ee_test_path("none.onnx");
  CU_ASSERT_EQUAL(ee_import_onnx(path, NULL, &model), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), path));
  CU_ASSERT_PTR_NULL(model);
  maker_end(&m);
}

/* Import through a file a product with n rows; with another output, not all outputs have n. */
static ee_status import_rows(int64_t n, bool other_output, ee_model **model) {
  maker       m;
  size_t      size;
  const char *path = ee_test_path("rows.onnx");
  maker_start(&m, 13, "x", 2, (int64_t[]){n, 4});
  maker_floats(&m, "w", 2, square, weights);
  maker_node(&m, "Gemm", "x w", "y");
  maker_output(&m, "y");
  if (other_output) {  // as many numbers, but not in n rows
    maker_ints(&m, "s", 2, (int64_t[]){1, -1});
    maker_node(&m, "Relu", "y", "r");
    maker_node(&m, "Reshape", "r s", "z");
    maker_output(&m, "z");
  }
  uint8_t *bytes = maker_bytes(&m, &size);
  FILE    *file  = fopen(path, "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
  fclose(file);
  maker_end(&m);
  return ee_import_onnx(path, NULL, model);
}

static void a_file_of_a_fixed_batch_is_refused(void) {
  ee_model *model;
  CU_ASSERT_EQUAL(import_rows(10, false, &model), EE_ERR_UNSUPPORTED);
  CU_ASSERT_PTR_NULL(model);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "rows.onnx"));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "batches of 10"));
  for (int64_t n = -1; n <= 1; n += 2) {
    CU_ASSERT_EQUAL_FATAL(import_rows(n, false, &model), EE_OK);
    CU_ASSERT_EQUAL(model->n_classes, 4);
    CU_ASSERT_TRUE(model->batched);
    ee_model_destroy(&model);
  }
  CU_ASSERT_EQUAL_FATAL(import_rows(10, true, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_classes, 40);
  ee_model_destroy(&model);
}

const ee_fact ee_facts[] = {
    EE_FACT(exits_come_in_topological_order_under_the_outputs_names),
    EE_FACT(nodes_and_constants_that_nothing_needs_vanish),
    EE_FACT(everything_that_is_not_supported_is_named_at_once),
    EE_FACT(a_long_list_of_complaints_is_cut_and_counted),
    EE_FACT(an_output_that_is_never_computed_is_refused_only_if_it_is_used),
    EE_FACT(a_second_input_must_be_bound_to_a_constant),
    EE_FACT(weights_that_are_not_finite_are_refused_by_name),
    EE_FACT(weights_of_another_type_or_in_another_file_are_refused_by_name),
    EE_FACT(weights_of_too_few_elements_are_refused_by_name),
    EE_FACT(raw_and_typed_data_mean_the_same),
    EE_FACT(metadata_becomes_preprocessing_classes_and_provenance),
    EE_FACT(metadata_that_does_not_fit_is_refused),
    EE_FACT(graphs_that_do_not_hang_together_are_refused),
    EE_FACT(outputs_that_are_no_exits_are_refused),
    EE_FACT(old_operator_sets_and_free_dimensions_are_refused),
    EE_FACT(an_input_that_is_its_own_output_is_copied),
    EE_FACT(long_names_stay_apart),
    EE_FACT(a_file_gives_the_model_its_name_and_errors_their_path),
    EE_FACT(a_file_of_a_fixed_batch_is_refused),
    {NULL, NULL},
};
