/* SPDX-License-Identifier: Apache-2.0 */
/* Reliability diagrams: read back as they were written, refused when they make no sense. */
#include "ee/reliability_file.h"

#include "ee_test.h"
#include "sealed.h"

enum { EXITS = 2, BINS = 3, CELLS = EXITS * 2 * BINS };

static const int64_t count[CELLS]      = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const double  confidence[CELLS] = {0.125,  0.25, 0.375, 0.5, 0.625, 0.75,
                                          0.0625, 1,    0,     0.1, 0.2,   0.3};
static const double  accuracy[CELLS]   = {0.25, 0.25, 0.5, 0.5, 1, 1, 0, 0, 0.75, 0.5, 0.4, 0.3};
static const double  temperature[4]    = {1, 2.5, 1, 0.75};
static const double  ece[4]            = {0.21, 0.02, 0.3, 0.04};

static const char *write_one(void) {
  const char               *path = ee_test_path("reliability.h5");
  const ee_reliability_data data = {EXITS,    BINS,        count, confidence,
                                    accuracy, temperature, ece,   "made here"};
  CU_ASSERT_EQUAL_FATAL(ee_reliability_save(path, &data), EE_OK);
  return path;
}

static ee_status open_one(const char *path) {
  ee_reliability_file *file   = NULL;
  ee_status            status = ee_reliability_open(path, &file);
  CU_ASSERT_EQUAL(file == NULL, status != EE_OK);
  ee_reliability_close(&file);
  return status;
}

static void what_was_written_is_read_back(void) {
  ee_reliability_file *file = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_reliability_open(write_one(), &file), EE_OK);
  const ee_reliability_data *d = ee_reliability_file_data(file);
  CU_ASSERT(d->n_exits == EXITS && d->n_bins == BINS);
  CU_ASSERT_EQUAL(memcmp(d->count, count, sizeof count), 0);
  CU_ASSERT_EQUAL(memcmp(d->confidence, confidence, sizeof confidence), 0);
  CU_ASSERT_EQUAL(memcmp(d->accuracy, accuracy, sizeof accuracy), 0);
  CU_ASSERT_EQUAL(memcmp(d->temperature, temperature, sizeof temperature), 0);
  CU_ASSERT_EQUAL(memcmp(d->ece, ece, sizeof ece), 0);
  CU_ASSERT_STRING_EQUAL(d->provenance, "made here");
  ee_reliability_close(&file);
  CU_ASSERT_PTR_NULL(file);
}

static void every_damage_is_refused(void) {
  check_damage(write_one(), open_one);
}

/* Put @p value where @p was stands, under a valid seal. */
static void change(const char *path, const void *was, const void *value) {
  bytes b = read_bytes(path);
  memcpy(b.at + find_bytes(b, was, 8), value, 8);
  reseal(b);
  write_bytes(path, b.at, b.n);
  free(b.at);
}

static void numbers_that_cannot_be_are_named(void) {
  const char   *path     = write_one();
  const int64_t negative = -4;
  const double  above = 1.5, none = 0.0;
  change(path, &count[3], &negative);
  CU_ASSERT_EQUAL(open_one(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "element 3 of /count is -4"));
  path = write_one();
  change(path, &confidence[4], &above);
  CU_ASSERT_EQUAL(open_one(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "element 4 of /confidence is 1.5, expected 0 to 1"));
  change(path = write_one(), &temperature[1], &none);
  CU_ASSERT_EQUAL(open_one(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "element 1 of /temperature is 0"));
}

static void h5py_reads_the_diagrams(void) {
  char answer[128];
  if (!ask_h5py(write_one(), "print(f[\"count\"].shape, f[\"count\"][:].sum(), f[\"ece\"][1, 0])",
                answer, sizeof answer))
    return;
  CU_ASSERT_STRING_EQUAL(answer, "(2, 2, 3) 78 0.3\n");
}

const ee_fact ee_facts[] = {
    EE_FACT(what_was_written_is_read_back),
    EE_FACT(every_damage_is_refused),
    EE_FACT(numbers_that_cannot_be_are_named),
    EE_FACT(h5py_reads_the_diagrams),
    {NULL, NULL},
};
