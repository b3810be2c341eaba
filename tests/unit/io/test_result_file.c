/* SPDX-License-Identifier: Apache-2.0 */
/* Results: written whole or not at all, read back, refused when they make no sense. */
#include "ee/result_file.h"

#include "ee/file_format.h"
#include "ee_test.h"
#include "sealed.h"

static const double six[6] = {0.5, 1, 2, 3, 4, 5};

static const char *write_one(const char *name, int keep) {
  const char     *path = ee_test_path(name);
  ee_result_file *file = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_result_create(path, "exits.h5", "splitee", "alpha", &file), EE_OK);
  CU_ASSERT_EQUAL(ee_result_add(file, "accuracy", 6, 0, six), EE_OK);
  CU_ASSERT_EQUAL(ee_result_add(file, "deviation/accuracy", 2, 3, six), EE_OK);
  CU_ASSERT_EQUAL(ee_result_finish(&file, keep), EE_OK);
  CU_ASSERT_PTR_NULL(file);
  return path;
}

static void a_result_is_sealed_and_says_what_it_is(void) {
  char format[64];
  CU_ASSERT_EQUAL(ee_file_format(write_one("result.h5", 1), format, sizeof format), EE_OK);
  CU_ASSERT_STRING_EQUAL(format, "edgeexit-result");
}

static void what_is_not_kept_leaves_nothing(void) {
  CU_ASSERT_FALSE(left_over(write_one("dropped.h5", 0)));
}

static void a_place_that_cannot_be_written_is_named(void) {
  const char     *path = ee_test_path("none/result.h5");
  ee_result_file *file = NULL;
  CU_ASSERT_EQUAL(ee_result_create(path, "", "", "", &file), EE_ERR_FILE);
  CU_ASSERT_PTR_NULL(file);
  CU_ASSERT_TRUE(message_says(path, "cannot"));
}

static void h5py_reads_the_arrays(void) {
  char answer[128];
  if (!ask_h5py(write_one("result.h5", 1),
                "print(f[\"deviation/accuracy\"].shape, f[\"accuracy\"][0], f[\"sweep\"][()])",
                answer, sizeof answer))
    return;
  CU_ASSERT_STRING_EQUAL(answer, "(2, 3) 0.5 b'alpha'\n");
}

static void what_was_written_is_read_back(void) {
  ee_result *r = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_result_load(write_one("result.h5", 1), &r), EE_OK);
  CU_ASSERT_STRING_EQUAL(r->exits, "exits.h5");
  CU_ASSERT_STRING_EQUAL(r->policy, "splitee");
  CU_ASSERT_STRING_EQUAL(r->sweep, "alpha");
  CU_ASSERT_EQUAL_FATAL(r->n_arrays, 2);
  CU_ASSERT_STRING_EQUAL(r->array[0].name, "accuracy");
  CU_ASSERT_STRING_EQUAL(r->array[1].name, "deviation/accuracy");
  CU_ASSERT(r->array[0].n == 6 && r->array[0].m == 0);
  CU_ASSERT(r->array[1].n == 2 && r->array[1].m == 3);
  for (int a = 0; a < 2; a++) CU_ASSERT_EQUAL(memcmp(r->array[a].x, six, sizeof six), 0);
  ee_result_free(&r);
  CU_ASSERT_PTR_NULL(r);
}

static ee_status open_result(const char *path) {
  ee_result *r      = NULL;
  ee_status  status = ee_result_load(path, &r);
  ee_result_free(&r);
  return status;
}

static void every_damage_to_a_result_is_refused(void) {
  check_damage(write_one("result.h5", 1), open_result);
}

/* The policy's name is taken from it, under a valid seal. */
static void a_result_that_lacks_a_text_is_refused(void) {
  const char *path = write_one("result.h5", 1);
  bytes       b    = read_bytes(path);
  memcpy(b.at + find_bytes(b, "policy", 7), "police", 7);
  reseal(b);
  write_bytes(path, b.at, b.n);
  free(b.at);
  CU_ASSERT_EQUAL(open_result(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "/policy"));
}

const ee_fact ee_facts[] = {
    EE_FACT(a_result_is_sealed_and_says_what_it_is),  EE_FACT(what_is_not_kept_leaves_nothing),
    EE_FACT(a_place_that_cannot_be_written_is_named), EE_FACT(h5py_reads_the_arrays),
    EE_FACT(what_was_written_is_read_back),           EE_FACT(every_damage_to_a_result_is_refused),
    EE_FACT(a_result_that_lacks_a_text_is_refused),   {NULL, NULL},
};
