/* SPDX-License-Identifier: Apache-2.0 */
/* With what a model was profiled, in its file. */
#include "ee/model_file.h"
#include "ee_test.h"
#include "zoo.h"

static const ee_profile abacus = {.backend = "beads", .cpu = "Abacus 3000", .vectors = "two hands"};

/* The zoo's model, profiled on a processor that is nowhere. */
static const char *profiled_file(const char *name) {
  const char *path = ee_test_path(name);
  ee_model   *m    = make_model();
  m->profile       = abacus;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(m, path), EE_OK);
  ee_model_destroy(&m);
  return path;
}

static void with_what_seconds_were_measured_comes_back(void) {
  const char *path = profiled_file("profiled.h5");
  for (int again = 0; again < 2; again++) {  // on whatever processor it is written
    ee_model *loaded;
    CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
    CU_ASSERT_STRING_EQUAL(loaded->profile.backend, "beads");
    CU_ASSERT_STRING_EQUAL(loaded->profile.cpu, "Abacus 3000");
    CU_ASSERT_STRING_EQUAL(loaded->profile.vectors, "two hands");
    CU_ASSERT_EQUAL(loaded->layer[0].seconds, 1e-3 / 3);
    path = ee_test_path("again.h5");
    CU_ASSERT_EQUAL_FATAL(ee_model_save(loaded, path), EE_OK);
    ee_model_destroy(&loaded);
  }
}

/* As files are that were written before this was recorded. */
static void seconds_without_it_are_read_as_ever(void) {
  const char *path = ee_test_path("older.h5");
  ee_model   *made = make_model(), *loaded;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_EQUAL(loaded->profile.backend[0], '\0');
  CU_ASSERT_EQUAL(loaded->layer[0].seconds, 1e-3 / 3);
  bytes b = read_bytes(path);
  int   n = 0;
  for (size_t i = SEAL; i + 7 <= b.n; i++) n += memcmp(b.at + i, "profile", 7) == 0;
  CU_ASSERT_EQUAL(n, 0);
  free(b.at);
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
}

static void check_refused(const char *name, const char *from, const char *to, size_t n,
                          const char *reason) {
  const char *path = profiled_file(name);
  ee_model   *loaded;
  replace_bytes(path, from, to, n);
  CU_ASSERT_EQUAL(ee_model_load(path, &loaded), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(loaded);
  CU_ASSERT_TRUE(message_says(path, reason));
}

static void a_part_of_it_is_refused(void) {
  check_refused("nameless.h5", "Abacus", "\0bacus", 6, "attribute profile_cpu of /graph/layers is");
  check_refused("no_vectors.h5", "profile_v", "profile_w", 9, "attribute profile_vectors");
}

const ee_fact ee_facts[] = {EE_FACT(with_what_seconds_were_measured_comes_back),
                            EE_FACT(seconds_without_it_are_read_as_ever),
                            EE_FACT(a_part_of_it_is_refused),
                            {NULL, NULL}};
