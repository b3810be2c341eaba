/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/model_file.h"
#include "zoo.h"

/* The zoo's model at @p path, with @p x as element @p i of constant @p v, under a good seal. */
static void write_spoilt(const char *path, const ee_model *made, int v, int64_t i, float x) {
  size_t size = (size_t)ee_model_value_elements(made, v) * sizeof(float);
  float *to   = malloc(size);
  CU_ASSERT_FATAL(to != NULL);
  memcpy(to, made->value[v].data, size);
  to[i] = x;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  replace_bytes(path, made->value[v].data, to, size);
  free(to);
}

static int value_of(const ee_model *m, const char *name) {
  int v = 0;
  while (strcmp(m->value[v].name, name) != 0) v++;
  return v;
}

/* What reads the model whole, and what reads it layer by layer, say so alike. */
static void check_told(const char *path, const char *words) {
  ee_model      *loaded;
  ee_model_file *file;
  float         *blob;
  int            refusals = 0;
  CU_ASSERT_EQUAL(ee_model_load(path, &loaded), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(loaded);
  CU_ASSERT_TRUE(message_says(path, words));
  CU_ASSERT_EQUAL_FATAL(ee_model_file_open(path, &file), EE_OK);
  for (int l = 0; l < ee_model_file_model(file)->n_layers; l++) {
    if (ee_model_file_read_layer(file, l, &blob) != EE_OK) {
      refusals += message_says(path, words);
      CU_ASSERT_PTR_NULL(blob);
    }
    free(blob);
  }
  CU_ASSERT_EQUAL(refusals, 1);
  ee_model_file_close(&file);
}

static void a_constant_that_is_no_number_is_told_with_place_and_node(void) {
  static const struct {
    const char *constant, *words;
    int64_t     i;
    float       x;
  } odd[] = {
      {"conv1.b", "element 3 of /weights/2_conv1.b, which node 'conv1' (Conv) reads, is ", 3, NAN},
      {"conv1.b", "which node 'conv1' (Conv) reads, is inf, expected a finite", 0, INFINITY},
      {"bn.var", "which node 'bn' (BatchNormalization) reads, is -inf", 2, -INFINITY},
      {"early.w", "which node 'early' (Gemm) reads, is inf", 19, INFINITY},
      {"last.w", "element 0 of ", 0, INFINITY},
      {"last.w", "which node 'last' (MatMul) reads, is ", 39, -NAN},
      {"scalar", "which node 'mul' (Mul) reads, is ", 0, NAN},
  };
  ee_model   *made = make_model();
  const char *path = ee_test_path("odd.h5");
  for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
    write_spoilt(path, made, value_of(made, odd[i].constant), odd[i].i, odd[i].x);
    check_told(path, odd[i].words);
  }
  ee_model_destroy(&made);
}

/* As the masks of attention have it. */
static void what_is_added_or_multiplied_elementwise_may_be_infinite(void) {
  ee_model   *made = make_model(), *loaded;
  const char *path = ee_test_path("mask.h5");
  int         v    = value_of(made, "scalar");
  write_spoilt(path, made, v, 0, -INFINITY);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_EQUAL(loaded->value[v].data[0], -INFINITY);
  ee_model_destroy(&loaded);
  ee_model_destroy(&made);
}

/* Of a constant that is looked at in several blocks; such a model is not saved either. */
static void no_element_of_a_large_constant_is_passed_over(void) {
  const int64_t n = 20485, odd[] = {0, 1, 4095, 4096, 8191, 12345, 20480, n - 1};
  const char   *path = ee_test_path("large.h5");
  ee_model     *made = make_model();
  int           v    = value_of(made, "last.w");
  free(made->value[v].data);
  made->value[v].data  = calloc((size_t)n, sizeof(float));
  made->value[v].shape = SHAPE((int)n / CLASSES, CLASSES);
  for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
    char words[64];
    snprintf(words, sizeof words, "element %lld of /weights/", (long long)odd[i]);
    made->value[v].data[odd[i]] = NAN;
    CU_ASSERT_EQUAL(ee_model_save(made, path), EE_ERR_FORMAT);
    CU_ASSERT_TRUE(message_says(path, words));
    CU_ASSERT_FALSE(left_over(path));
    made->value[v].data[odd[i]] = 0.0F;
  }
  ee_model_destroy(&made);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_constant_that_is_no_number_is_told_with_place_and_node),
    EE_FACT(what_is_added_or_multiplied_elementwise_may_be_infinite),
    EE_FACT(no_element_of_a_large_constant_is_passed_over),
    {NULL, NULL},
};
