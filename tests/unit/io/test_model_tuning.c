/* SPDX-License-Identifier: Apache-2.0 */
/* How a model was tuned, in its file. */
#include "ee/model_file.h"
#include "ee/tuning.h"
#include "ee_test.h"
#include "zoo.h"

#define CONV 0

/* The zoo's model, tuned on a processor that is nowhere. */
static const char *tuned_file(const char *name, ee_model **model) {
  const char *path = ee_test_path(name);
  *model           = make_model();
  ee_tuning_begin(*model, 5);
  snprintf((*model)->tuning.cpu, sizeof(*model)->tuning.cpu, "Abacus 3000");
  (*model)->node[CONV].method = EE_METHOD_DIRECT_3;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(*model, path), EE_OK);
  return path;
}

static ee_status load_and_destroy(const char *path) {
  ee_model *model;
  ee_status status = ee_model_load(path, &model);
  if (status != EE_OK) CU_ASSERT_PTR_NULL(model);
  ee_model_destroy(&model);
  return status;
}

static void methods_and_where_they_were_measured_come_back(void) {
  ee_model   *made, *loaded, *again;
  const char *path = tuned_file("tuned.h5", &made);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_STRING_EQUAL(loaded->tuning.cpu, "Abacus 3000");
  CU_ASSERT_STRING_EQUAL(loaded->tuning.vectors, made->tuning.vectors);
  CU_ASSERT_EQUAL(loaded->tuning.version, EE_TUNING_VERSION);
  CU_ASSERT_EQUAL(loaded->tuning.batch, 5);
  for (int k = 0; k < made->n_nodes; k++) {
    CU_ASSERT_EQUAL(loaded->node[k].method, made->node[k].method);
  }
  CU_ASSERT_EQUAL(loaded->node[CONV].method, EE_METHOD_DIRECT_3);

  const char *second = ee_test_path("again.h5");  // on whatever processor it is written
  CU_ASSERT_EQUAL_FATAL(ee_model_save(loaded, second), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(second, &again), EE_OK);
  CU_ASSERT_EQUAL(memcmp(&again->tuning, &loaded->tuning, sizeof again->tuning), 0);
  CU_ASSERT_EQUAL(again->node[CONV].method, EE_METHOD_DIRECT_3);
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
  ee_model_destroy(&again);
}

static void a_model_never_tuned_says_nothing(void) {
  const char *path = ee_test_path("plain.h5");
  ee_model   *made = make_model(), *loaded;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_EQUAL(ee_tuning_state(loaded), EE_TUNED_NEVER);
  CU_ASSERT_EQUAL(ee_tuning_count(loaded), 0);
  bytes  b      = read_bytes(path);
  size_t tuning = 0;
  for (size_t i = SEAL; i + 7 <= b.n; i++) tuning += memcmp(b.at + i, "tuning", 7) == 0;
  CU_ASSERT_EQUAL(tuning, 0);
  free(b.at);
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
}

static void a_method_that_is_none_is_refused(void) {
  ee_model   *made;
  const char *path = tuned_file("none.h5", &made);
  replace_bytes(path, "direct 3", "direct 9", 8);
  CU_ASSERT_EQUAL(load_and_destroy(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "node 'conv1' was tuned to the unknown method \"direct 9\""));
  ee_model_destroy(&made);
}

/* Winograd's method is for more channels than this convolution has. */
static void a_method_that_does_not_fit_is_refused(void) {
  ee_model   *made;
  const char *path        = tuned_file("misfit.h5", &made);
  made->node[CONV].method = EE_METHOD_WINOGRAD_2;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL(load_and_destroy(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "node 'conv1' cannot be computed in the way \"Winograd 2x2\""));
  ee_model_destroy(&made);
}

static void a_processor_without_a_name_is_refused(void) {
  ee_model   *made;
  const char *path = tuned_file("nameless.h5", &made);
  replace_bytes(path, "Abacus 3000", "\0bacus 3000", 11);
  CU_ASSERT_EQUAL(load_and_destroy(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "a processor without a name"));
  ee_model_destroy(&made);
}

/* Names of another version may mean something else, and are not looked at; that there are some is
 * remembered. */
static void methods_of_another_version_are_not_read(void) {
  ee_model   *made, *loaded;
  const char *path     = tuned_file("older.h5", &made);
  made->tuning.version = EE_TUNING_VERSION + 1;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  replace_bytes(path, "direct 3", "sideways", 8);
  for (int again = 0; again < 2; again++) {
    CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
    CU_ASSERT_EQUAL(ee_tuning_state(loaded), EE_TUNED_OTHERWISE);
    CU_ASSERT_EQUAL(loaded->tuning.version, EE_TUNING_VERSION + 1);
    CU_ASSERT_EQUAL(ee_tuning_count(loaded), 0);
    CU_ASSERT_EQUAL_FATAL(ee_model_save(loaded, path), EE_OK);
    ee_model_destroy(&loaded);
  }
  ee_model_destroy(&made);
}

const ee_fact ee_facts[] = {
    EE_FACT(methods_and_where_they_were_measured_come_back),
    EE_FACT(a_model_never_tuned_says_nothing),
    EE_FACT(a_method_that_is_none_is_refused),
    EE_FACT(a_method_that_does_not_fit_is_refused),
    EE_FACT(a_processor_without_a_name_is_refused),
    EE_FACT(methods_of_another_version_are_not_read),
    {NULL, NULL},
};
