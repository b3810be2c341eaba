/* SPDX-License-Identifier: Apache-2.0 */
/* Scales of 8 bits, in a model's file. */
#include "ee/model_file.h"
#include "ee/quantization.h"
#include "ee_test.h"
#include "zoo.h"

#define CONV 0

static ee_model *quantized_model(float scale, int zero) {
  ee_model *m         = make_model();
  m->node[CONV].quant = (ee_quant){scale, zero};
  m->quantization     = (ee_quantization){.method = "percentile 99.9", .samples = 77};
  return m;
}

static void scales_and_how_they_were_found_come_back(void) {
  const char *path = ee_test_path("scales.h5");
  ee_model   *made = quantized_model(0.125F, 7), *loaded;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_STRING_EQUAL(loaded->quantization.method, "percentile 99.9");
  CU_ASSERT_EQUAL(loaded->quantization.samples, 77);
  CU_ASSERT_EQUAL(ee_quantization_count(loaded), 1);
  for (int k = 0; k < made->n_nodes; k++) {
    CU_ASSERT_EQUAL(loaded->node[k].quant.scale, made->node[k].quant.scale);
    CU_ASSERT_EQUAL(loaded->node[k].quant.zero, made->node[k].quant.zero);
  }
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
}

static void a_model_never_quantized_says_nothing(void) {
  const char *path = ee_test_path("plain.h5");
  ee_model   *made = make_model(), *loaded;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_EQUAL(loaded->quantization.method[0], '\0');
  CU_ASSERT_EQUAL(ee_quantization_count(loaded), 0);
  bytes b = read_bytes(path);
  int   n = 0;
  for (size_t i = SEAL; i + 12 <= b.n; i++) n += memcmp(b.at + i, "quantization", 12) == 0;
  CU_ASSERT_EQUAL(n, 0);
  free(b.at);
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
}

static void check_refused(ee_model *made, const char *name, const char *reason) {
  const char *path = ee_test_path(name);
  ee_model   *loaded;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL(ee_model_load(path, &loaded), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(loaded);
  CU_ASSERT_TRUE(message_says(path, reason));
  ee_model_destroy(&made);
}

static void scales_that_are_none_are_refused(void) {
  check_refused(quantized_model(NAN, 0), "nan.h5", "node 'conv1' has the scale nan");
  check_refused(quantized_model(-0.5F, 0), "negative.h5", "node 'conv1' has the scale -0.5");
  check_refused(quantized_model(0.5F, 256), "zero.h5", "the zero 256");
  ee_model *m            = quantized_model(0.5F, 0);
  m->node[1].quant.scale = 0.5F;  // a pooling
  check_refused(m, "pool.h5", "node 'pool' has a scale, but MaxPool");
}

const ee_fact ee_facts[] = {EE_FACT(scales_and_how_they_were_found_come_back),
                            EE_FACT(a_model_never_quantized_says_nothing),
                            EE_FACT(scales_that_are_none_are_refused),
                            {NULL, NULL}};
