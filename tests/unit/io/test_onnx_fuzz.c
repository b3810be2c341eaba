/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged models: whatever the bytes, import comes back, with a model that runs or with a sentence.
 * Meant to be run under the address sanitizer too. */
#include <stdio.h>

#include "ee/log.h"
#include "ee/rng.h"
#include "ee_test.h"
#include "onnx_maker.h"

/* A little of everything: windows, shapes as constants, attributes of every type, two exits. */
static void start(maker *m) {
  static float w[512];
  for (int i = 0; i < 512; i++) w[i] = (float)(i % 11) / 8.0f - 0.5f;
  maker_start(m, 13, "x", 4, (int64_t[]){-1, 2, 6, 6});
  maker_floats(m, "w", 4, (int64_t[]){4, 2, 3, 3}, w);
  maker_floats(m, "b", 1, (int64_t[]){4}, w);
  maker_floats(m, "one", 1, (int64_t[]){4}, (float[]){1, 1, 1, 1});
  maker_floats(m, "f", 2, (int64_t[]){4, 3}, w);
  maker_floats(m, "g", 2, (int64_t[]){36, 3}, w);
  maker_ints(m, "flat", 2, (int64_t[]){0, -1});
  maker_ints(m, "pads", 8, (int64_t[]){0, 0, 1, 0, 0, 0, 0, 1});
  Onnx__NodeProto *conv = maker_node(m, "Conv", "x w b", "c");
  maker_list(m, conv, "pads", 4, (int64_t[]){1, 1, 1, 1});
  maker_list(m, conv, "kernel_shape", 2, (int64_t[]){3, 3});
  maker_int(m, conv, "group", 1);
  maker_float(m, maker_node(m, "BatchNormalization", "c one one one one", "n"), "epsilon", 1e-3f);
  maker_node(m, "Relu", "n", "r");
  maker_node(m, "GlobalAveragePool", "r", "p");
  maker_node(m, "Reshape", "p flat", "q");
  maker_node(m, "Gemm", "q f", "early");
  maker_string(m, maker_node(m, "Pad", "r pads", "padded"), "mode", "reflect");
  Onnx__NodeProto *pool = maker_node(m, "MaxPool", "padded", "s");
  maker_list(m, pool, "kernel_shape", 2, (int64_t[]){2, 2});
  maker_list(m, pool, "strides", 2, (int64_t[]){2, 2});
  maker_int(m, pool, "ceil_mode", 0);
  maker_list(m, maker_node(m, "Transpose", "s", "t"), "perm", 4, (int64_t[]){0, 2, 3, 1});
  maker_int(m, maker_node(m, "Flatten", "t", "u"), "axis", 1);
  maker_node(m, "Gemm", "u g", "late");
  maker_output(m, "early");
  maker_output(m, "late");
  maker_property(m, "ee.mean", "0.5,0.5");
  maker_property(m, "ee.std", "1,2");
}

/* Import, and run what could be imported if that is little work. */
static ee_status attempt(const uint8_t *bytes, size_t n) {
  ee_model *model  = NULL;
  ee_status status = ee_import_onnx_bytes(bytes, n, NULL, NULL, 0, &model);
  CU_ASSERT_EQUAL(status == EE_OK, model != NULL);
  if (status != EE_OK) {
    CU_ASSERT_TRUE(ee_status_message()[0] != '\0');
    return status;
  }
  double work = 0;
  for (int l = 0; l < model->n_layers; l++) work += model->layer[l].flops;
  int64_t in = ee_model_value_elements(model, model->input);
  if (work < 1e6 && in < 100000 && model->n_classes < 100000) {
    float *x = calloc((size_t)in, sizeof *x), *y = calloc((size_t)model->n_classes, sizeof *y);
    CU_ASSERT_EQUAL(maker_run(model, 0, x, 1, y, (size_t)model->n_classes), EE_OK);
    free(x);
    free(y);
  }
  ee_model_destroy(&model);
  return status;
}

static void every_truncation_is_survived(void) {
  maker  m;
  size_t n;
  start(&m);
  uint8_t *bytes = maker_bytes(&m, &n);
  CU_ASSERT_EQUAL(attempt(bytes, n), EE_OK);
  for (size_t k = 0; k < n; k++) {
    uint8_t *cut = malloc(k + 1);  // of its own, so that a sanitizer sees a read past the end
    CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
    memcpy(cut, bytes, k);
    attempt(cut, k);
    free(cut);
  }
  maker_end(&m);
}

static void every_flipped_byte_is_survived(void) {
  maker  m;
  size_t n;
  start(&m);
  uint8_t *bytes = maker_bytes(&m, &n);
  for (size_t k = 0; k < n; k++) {
    static const uint8_t masks[] = {0x01, 0x02, 0x80, 0xff};
    for (size_t i = 0; i < sizeof masks; i++) {
      bytes[k] ^= masks[i];
      attempt(bytes, n);
      bytes[k] ^= masks[i];
    }
  }
  maker_end(&m);
}

static void many_random_changes_are_survived(void) {
  maker  m;
  size_t n;
  start(&m);
  uint8_t *bytes = maker_bytes(&m, &n), *copy = maker_keep(&m, n);
  for (uint64_t seed = 0; seed < 3000; seed++) {
    ee_rng rng = ee_rng_at(17, seed);
    memcpy(copy, bytes, n);
    for (uint64_t i = 0; i < 1 + seed % 8; i++)
      copy[ee_rng_below(&rng, n)] = (uint8_t)ee_rng_below(&rng, 256);
    attempt(copy, n);
  }
  maker_end(&m);
}

/* Sizes in a shape cost a few bytes in a file, and must not cost memory or time. */
static void enormous_dimensions_are_refused(void) {
  static const int64_t shapes[][2] = {
      {(int64_t)1 << 62, 4}, {(int64_t)1 << 40, (int64_t)1 << 40}, {65536, 65536}, {-3, 4}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    maker     m;
    ee_model *model;
    maker_start(&m, 13, "x", 2, (int64_t[]){-1, 4});
    maker_ints(&m, "shape", 2, shapes[i]);
    maker_node(&m, "ConstantOfShape", "shape", "c");
    maker_node(&m, "Add", "x c", "y");
    maker_output(&m, "y");
    CU_ASSERT_NOT_EQUAL(maker_import(&m, NULL, &model), EE_OK);
    m.graph.n_node      = 0;
    m.tensor[0]->dims   = (int64_t *)shapes[i];
    m.tensor[0]->n_dims = 2;
    maker_node(&m, "Add", "x shape", "y");
    CU_ASSERT_NOT_EQUAL(maker_import(&m, NULL, &model), EE_OK);
    maker_end(&m);
  }
}

/* graph { node { attribute { g { node { ... } } } } }, a hundred thousand deep. */
static void messages_nested_without_end_are_refused(void) {
  enum { DEPTH = 100000, STEP = 18 };
  static const uint8_t tag[3] = {0x0a, 0x2a, 0x32};  // node = 1, attribute = 5, g = 6
  uint8_t             *bytes  = malloc((size_t)DEPTH * STEP), *at;
  CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
  at         = bytes + (size_t)DEPTH * STEP;
  size_t len = 0;
  for (int i = 0; i < DEPTH; i++) {  // from the inside out
    uint8_t head[10];
    int     k = 0;
    head[k++] = i == DEPTH - 1 ? 0x3a : tag[(DEPTH - 2 - i) % 3];  // graph = 7 outside
    for (size_t rest = len; k == 1 || rest > 0; rest >>= 7)
      head[k++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    at -= k;
    memcpy(at, head, (size_t)k);
    len += (size_t)k;
  }
  CU_ASSERT_EQUAL(attempt(at, len), EE_ERR_FORMAT);
  free(bytes);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_truncation_is_survived),
    EE_FACT(every_flipped_byte_is_survived),
    EE_FACT(many_random_changes_are_survived),
    EE_FACT(enormous_dimensions_are_refused),
    EE_FACT(messages_nested_without_end_are_refused),
    {NULL, NULL},
};
