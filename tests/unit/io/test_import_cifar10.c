/* SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "ee/data_file.h"
#include "ee/import.h"
#include "ee_test.h"
#include "sealed.h"

enum { PIXELS = 3072, RECORD = PIXELS + 1 };

static const ee_data_range all = {0, -1};

/* Record i of a made batch: its label and its pixels. */
static unsigned char byte_at(int64_t i, int j) {
  return (unsigned char)(j == 0 ? i * 7 % 10 : i * 13 + j * j + j / 1024);
}

static unsigned char *make_records(int64_t first, int n) {
  unsigned char *b = calloc((size_t)n + 1, RECORD);
  CU_ASSERT_FATAL(b != NULL);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < RECORD; j++) b[i * RECORD + j] = byte_at(first + i, j);
  }
  return b;
}

static const char *batch(const char *name, int64_t first, int n) {
  const char    *path = ee_test_path(name);
  unsigned char *b    = make_records(first, n);
  write_bytes(path, b, (size_t)n * RECORD);
  free(b);
  return path;
}

static void check_header(const ee_data_info *info, int64_t n) {
  static const char *const name[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                     "dog",      "frog",       "horse", "ship", "truck"};
  CU_ASSERT_EQUAL(info->type, EE_DATA_U8);
  CU_ASSERT_EQUAL(info->n, n);
  CU_ASSERT_TRUE(info->dim[0] == 3 && info->dim[1] == 32 && info->dim[2] == 32);
  CU_ASSERT_TRUE(info->labelled);
  CU_ASSERT_EQUAL_FATAL(info->n_classes, 10);
  for (int k = 0; k < 10; k++) CU_ASSERT_STRING_EQUAL(info->class_name[k], name[k]);
}

/* The data file's samples against records one after the other in memory. */
static void check_samples(ee_data_file *file, const unsigned char *record, int64_t n) {
  unsigned char pixels[PIXELS];
  int32_t       label;
  int           bad = 0;
  for (int64_t i = 0; i < n; i++, record += RECORD) {
    bad += ee_data_read(file, i, 1, pixels) != EE_OK;
    bad += ee_data_read_labels(file, i, 1, &label) != EE_OK;
    bad += label != record[0] || memcmp(pixels, record + 1, PIXELS) != 0;
  }
  CU_ASSERT_EQUAL(bad, 0);
}

static void check_import(const char *const *path, int n_paths, ee_data_range range, int64_t first,
                         int n, const char *provenance) {
  const char    *out    = ee_test_path("cifar.h5");
  unsigned char *record = make_records(first, n);
  ee_data_file  *file;
  CU_ASSERT_EQUAL(ee_import_cifar10(path, n_paths, range, out), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_open(out, &file), EE_OK);
  check_header(ee_data_file_info(file), n);
  CU_ASSERT_STRING_EQUAL(ee_data_file_info(file)->provenance, provenance);
  check_samples(file, record, n);
  ee_data_close(&file);
  free(record);
}

/* More records than one block of the importer holds. */
static void records_of_several_files_are_one_after_the_other(void) {
  const char *path[] = {batch("one.bin", 0, 700), batch("two.bin", 700, 5)};
  check_import(path, 2, all, 0, 705, "CIFAR-10, binary version: one.bin two.bin; samples [0, end)");
}

static void a_range_may_span_files(void) {
  const char *path[] = {batch("one.bin", 0, 20), batch("two.bin", 20, 20)};
  check_import(path, 2, (ee_data_range){15, 10}, 15, 10,
               "CIFAR-10, binary version: one.bin two.bin; samples [15, 25)");
  check_import(path, 2, (ee_data_range){30, -1}, 30, 10,
               "CIFAR-10, binary version: one.bin two.bin; samples [30, end)");
  check_import(path, 1, (ee_data_range){20, 0}, 20, 0,
               "CIFAR-10, binary version: one.bin; samples [20, 20)");
}

static void a_gzip_compressed_file_is_read_as_well(void) {
  const char    *path = ee_test_path("batch.bin.gz");
  unsigned char *b    = make_records(3, 4);
  gzFile         gz   = gzopen(path, "wb");
  CU_ASSERT_EQUAL(gzwrite(gz, b, 4 * RECORD), 4 * RECORD);
  gzclose(gz);
  free(b);
  check_import(&path, 1, all, 3, 4, "CIFAR-10, binary version: batch.bin.gz; samples [0, end)");
  struct stat info;
  CU_ASSERT_FATAL(stat(path, &info) == 0 && truncate(path, info.st_size - 9) == 0);
  CU_ASSERT_EQUAL(ee_import_cifar10(&path, 1, all, ee_test_path("gz.h5")), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "cut short"));
}

/* Import @p path alone, expect @p status and @p words, and no data file. */
static void check_refused(const char *path, ee_data_range range, ee_status status,
                          const char *words) {
  const char *out = ee_test_path("refused.h5");
  CU_ASSERT_EQUAL(ee_import_cifar10(&path, 1, range, out), status);
  CU_ASSERT_TRUE(message_says(status == EE_ERR_ARG ? out : path, words));
  CU_ASSERT_FALSE(left_over(out));
}

static void a_file_of_another_size_is_named_with_its_size(void) {
  const char *path = batch("short.bin", 0, 3);
  CU_ASSERT_FATAL(truncate(path, 2 * RECORD + 1) == 0);
  check_refused(path, all, EE_ERR_FORMAT, "has 6147 bytes");
  CU_ASSERT_FATAL(truncate(path, 2 * RECORD - 1) == 0);
  check_refused(path, all, EE_ERR_FORMAT, "has 6145 bytes");
  CU_ASSERT_FATAL(truncate(path, 0) == 0);
  check_refused(path, all, EE_ERR_FORMAT, "has 0 bytes");
  check_refused("/nowhere/x.bin", all, EE_ERR_FILE, "No such file");
  check_refused("/", all, EE_ERR_FILE, "not a regular file");
}

static void a_label_above_nine_is_named_with_its_record(void) {
  const char    *path   = ee_test_path("label.bin");
  unsigned char *b      = make_records(0, 3);
  b[2 * (size_t)RECORD] = 10;
  write_bytes(path, b, 3 * RECORD);
  free(b);
  check_refused(path, all, EE_ERR_FORMAT, "record 2 has label 10, outside [0, 9]");
  check_refused(path, (ee_data_range){0, 1}, EE_ERR_FORMAT, "record 2");  // out of range too
}

static void a_file_packed_with_xz_is_refused_with_a_hint(void) {
  const char *path = ee_test_path("batch.bin.xz");
  write_bytes(path,
              "\xfd"
              "7zXZ\0 and so on",
              16);
  check_refused(path, all, EE_ERR_UNSUPPORTED, "unpack it with: xz -dk ");
}

static void a_range_beyond_the_files_is_refused(void) {
  const char *path = batch("ten.bin", 0, 10);
  check_refused(path, (ee_data_range){5, 6}, EE_ERR_ARG, "[5, 11) were asked for");
  check_refused(path, (ee_data_range){11, -1}, EE_ERR_ARG, "the source has 10");
  check_refused(path, (ee_data_range){-1, 2}, EE_ERR_ARG, "begin at -1");
  check_refused(path, (ee_data_range){2, INT64_MAX}, EE_ERR_ARG, "begin at 2");
  CU_ASSERT_EQUAL(ee_import_cifar10(NULL, 0, all, ee_test_path("none.h5")), EE_ERR_ARG);
}

/* The official batch through xz and read() on one side, through the importer on the other. */
static void an_official_batch_comes_over_byte_by_byte(void) {
  enum { N = 10000 };
  const char *packed = ee_test_data("cifar10/data_batch_5.bin.xz");
  if (packed == NULL) return;
  unsigned char *record = malloc((size_t)N * RECORD);
  char           command[1200];
  snprintf(command, sizeof command, "xz -dc '%s'", packed);
  FILE  *pipe = popen(command, "r");
  size_t got  = pipe == NULL ? 0 : fread(record, RECORD, N, pipe);
  if (pipe != NULL) pclose(pipe);
  if (got < N) {
    free(record);
    ee_test_skip("xz is not here");
    return;
  }
  const char   *path = ee_test_path("data_batch_5.bin"), *out = ee_test_path("official.h5");
  ee_data_file *file;
  write_bytes(path, record, (size_t)N * RECORD);
  CU_ASSERT_EQUAL(ee_import_cifar10(&path, 1, all, out), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_open(out, &file), EE_OK);
  check_header(ee_data_file_info(file), N);
  check_samples(file, record, N);
  ee_data_close(&file);
  free(record);
}

const ee_fact ee_facts[] = {
    EE_FACT(records_of_several_files_are_one_after_the_other),
    EE_FACT(a_range_may_span_files),
    EE_FACT(a_gzip_compressed_file_is_read_as_well),
    EE_FACT(a_file_of_another_size_is_named_with_its_size),
    EE_FACT(a_label_above_nine_is_named_with_its_record),
    EE_FACT(a_file_packed_with_xz_is_refused_with_a_hint),
    EE_FACT(a_range_beyond_the_files_is_refused),
    EE_FACT(an_official_batch_comes_over_byte_by_byte),
    {NULL, NULL},
};
