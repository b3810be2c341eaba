/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/data_file.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "ee_test.h"
#include "sealed.h"

enum { C = 2, H = 3, W = 5, SIZE = C * H * W, CLASSES = 3 };

static const char *const class_name[CLASSES] = {"ant", "bee with a long name", ""};
static const char *const attribute_name[]    = {"snr", "difficulty", NULL};

static ee_data_info info_of(ee_data_type type) {
  return (ee_data_info){.type       = type,
                        .dim        = {C, H, W},
                        .n_classes  = CLASSES,
                        .class_name = class_name,
                        .labelled   = true,
                        .provenance = "made for a test"};
}

/* Contents by formula: element j of sample i, its label and its attributes. */
static uint8_t u8_at(int64_t i, int j) {
  return (uint8_t)(i * 31 + j);
}

static float f32_at(int64_t i, int j) {
  return (float)i * 0.37f - (float)j * 1.01f;
}

static int32_t label_at(int64_t i) {
  return (int32_t)(i % (CLASSES + 1)) - 1;
}

static float attribute_at(int64_t i, int a) {
  return (float)i + 0.25f * (float)a;
}

/* Append samples [first, first + n), n <= 64. */
static ee_status append(ee_data_writer *writer, ee_data_type type, int64_t first, int n) {
  uint8_t u8[64 * SIZE];
  float   f32[64 * SIZE], attribute[2][64];
  int32_t label[64];
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < SIZE; j++) {
      u8[i * SIZE + j]  = u8_at(first + i, j);
      f32[i * SIZE + j] = f32_at(first + i, j);
    }
    label[i] = label_at(first + i);
    for (int a = 0; a < 2; a++) attribute[a][i] = attribute_at(first + i, a);
  }
  const float *const attributes[] = {attribute[0], attribute[1]};
  return ee_data_append(writer, n, type == EE_DATA_U8 ? (void *)u8 : f32, label, attributes);
}

/* A file of @p n samples, appended in uneven blocks. */
static const char *data_file(const char *name, ee_data_type type, int64_t n) {
  const char     *path = ee_test_path(name);
  ee_data_info    info = info_of(type);
  ee_data_writer *writer;
  CU_ASSERT_EQUAL_FATAL(ee_data_create(path, &info, attribute_name, &writer), EE_OK);
  int block = 1;
  for (int64_t i = 0; i < n; i += block, block = block % 64 + 1) {
    if (block > n - i) block = (int)(n - i);
    CU_ASSERT_EQUAL_FATAL(append(writer, type, i, block), EE_OK);
  }
  CU_ASSERT_EQUAL_FATAL(ee_data_finish(&writer, true), EE_OK);
  CU_ASSERT_PTR_NULL(writer);
  return path;
}

static ee_status open_and_close(const char *path) {
  ee_data_file *file;
  ee_status     status = ee_data_open(path, &file);
  if (status != EE_OK) CU_ASSERT_PTR_NULL(file);
  ee_data_close(&file);
  return status;
}

static void check_samples(ee_data_file *file, int64_t first, int n) {
  uint8_t u8[64 * SIZE];
  float   f32[64 * SIZE], attribute[64];
  int32_t label[64];
  bool    bytes_kept = ee_data_file_info(file)->type == EE_DATA_U8;

  CU_ASSERT_EQUAL(ee_data_read(file, first, n, bytes_kept ? (void *)u8 : f32), EE_OK);
  CU_ASSERT_EQUAL(ee_data_read_labels(file, first, n, label), EE_OK);
  CU_ASSERT_EQUAL(ee_data_read_attribute(file, "difficulty", first, n, attribute), EE_OK);
  int bad = 0;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < SIZE; j++)
      bad += bytes_kept ? u8[i * SIZE + j] != u8_at(first + i, j)
                        : f32[i * SIZE + j] != f32_at(first + i, j);
    bad += label[i] != label_at(first + i);
    bad += attribute[i] != attribute_at(first + i, 1);
  }
  CU_ASSERT_EQUAL(bad, 0);
}

static void check_round_trip(ee_data_type type, int64_t n) {
  ee_data_file *file;
  CU_ASSERT_EQUAL_FATAL(ee_data_open(data_file("data.h5", type, n), &file), EE_OK);
  const ee_data_info *info = ee_data_file_info(file);
  CU_ASSERT_EQUAL(info->type, type);
  CU_ASSERT_EQUAL(info->n, n);
  CU_ASSERT_TRUE(info->dim[0] == C && info->dim[1] == H && info->dim[2] == W);
  CU_ASSERT_TRUE(info->labelled);
  CU_ASSERT_EQUAL_FATAL(info->n_classes, CLASSES);
  for (int k = 0; k < CLASSES; k++) CU_ASSERT_STRING_EQUAL(info->class_name[k], class_name[k]);
  CU_ASSERT_STRING_EQUAL(info->provenance, "made for a test");

  for (int64_t i = 0; i < n; i += 37) check_samples(file, i, n - i < 37 ? (int)(n - i) : 37);
  check_samples(file, n, 0);
  ee_data_close(&file);
  CU_ASSERT_PTR_NULL(file);
}

static void samples_of_bytes_come_back_in_blocks_of_any_size(void) {
  check_round_trip(EE_DATA_U8, 10000);
}

static void samples_of_floats_come_back_in_blocks_of_any_size(void) {
  check_round_trip(EE_DATA_F32, 3001);
}

static void an_empty_data_set_is_legal(void) {
  check_round_trip(EE_DATA_U8, 0);
}

static void unlabelled_samples_have_label_minus_one(void) {
  const char     *path = ee_test_path("unlabelled.h5");
  ee_data_info    info = {.type = EE_DATA_U8, .dim = {1, 1, 2}};
  uint8_t         x[6] = {1, 2, 3, 4, 5, 6};
  int32_t         label[3];
  ee_data_writer *writer;
  ee_data_file   *file;
  CU_ASSERT_EQUAL_FATAL(ee_data_create(path, &info, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_data_append(writer, 3, x, NULL, NULL), EE_OK);
  CU_ASSERT_EQUAL(ee_data_append(writer, 3, x, label, NULL), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_data_finish(&writer, true), EE_OK);

  CU_ASSERT_EQUAL_FATAL(ee_data_open(path, &file), EE_OK);
  CU_ASSERT_FALSE(ee_data_file_info(file)->labelled);
  CU_ASSERT_EQUAL(ee_data_file_info(file)->n_classes, 0);
  CU_ASSERT_STRING_EQUAL(ee_data_file_info(file)->provenance, "");
  CU_ASSERT_EQUAL(ee_data_read_labels(file, 0, 3, label), EE_OK);
  for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(label[i], -1);
  CU_ASSERT_EQUAL(ee_data_read_labels(file, 1, 3, label), EE_ERR_ARG);
  ee_data_close(&file);
}

static void the_same_samples_make_the_same_file(void) {
  bytes a = read_bytes(data_file("a.h5", EE_DATA_F32, 500));
  bytes b = read_bytes(data_file("b.h5", EE_DATA_F32, 500));
  CU_ASSERT_TRUE(a.n == b.n && memcmp(a.at, b.at, a.n) == 0);
  free(a.at);
  free(b.at);
}

static void a_label_out_of_range_is_refused_when_written(void) {
  const char        *path     = ee_test_path("labels.h5");
  ee_data_info       info     = info_of(EE_DATA_U8);
  uint8_t            x[SIZE]  = {0};
  int32_t            label[2] = {CLASSES, -2};
  float              zero     = 0.0f;
  const float *const none[]   = {&zero, &zero};
  ee_data_writer    *writer;
  ee_data_file      *file;
  CU_ASSERT_EQUAL_FATAL(ee_data_create(path, &info, attribute_name, &writer), EE_OK);
  CU_ASSERT_EQUAL(append(writer, EE_DATA_U8, 0, 5), EE_OK);
  CU_ASSERT_EQUAL(ee_data_append(writer, 1, x, label, none), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "label of sample 5 is 3, outside [-1, 2]"));
  CU_ASSERT_EQUAL(ee_data_append(writer, 1, x, label + 1, none), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "label of sample 5 is -2"));
  CU_ASSERT_EQUAL(ee_data_append(writer, 1, x, NULL, none), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_data_append(writer, 1, x, label, NULL), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_data_append(writer, -1, x, label, none), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_data_finish(&writer, true), EE_OK);

  CU_ASSERT_EQUAL_FATAL(ee_data_open(path, &file), EE_OK);
  CU_ASSERT_EQUAL(ee_data_file_info(file)->n, 5);
  check_samples(file, 0, 5);
  ee_data_close(&file);
}

static void a_label_out_of_range_is_refused_when_read(void) {
  const char *path = data_file("labels.h5", EE_DATA_U8, 9);
  bytes       b    = read_bytes(path);
  int32_t     label[9];
  for (int i = 0; i < 9; i++) label[i] = label_at(i);
  b.at[find_bytes(b, label, sizeof label) + 4 * 6] = CLASSES;
  reseal(b);
  write_bytes(path, b.at, b.n);
  CU_ASSERT_EQUAL(open_and_close(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "label of sample 6 is 3, outside [-1, 2]"));
  free(b.at);
}

static void ranges_outside_the_file_are_refused(void) {
  static const int64_t range[][2] = {{-1, 1}, {0, 11},        {10, 1},        {11, 0},
                                     {5, -1}, {INT64_MAX, 1}, {1, INT64_MAX}, {INT64_MIN, 0}};
  ee_data_file        *file;
  uint8_t              x[11 * SIZE];
  int32_t              label[11];
  float                out[11];
  CU_ASSERT_EQUAL_FATAL(ee_data_open(data_file("data.h5", EE_DATA_U8, 10), &file), EE_OK);
  for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
    int64_t first = range[i][0], n = range[i][1];
    CU_ASSERT_EQUAL(ee_data_read(file, first, n, x), EE_ERR_ARG);
    CU_ASSERT_EQUAL(ee_data_read_labels(file, first, n, label), EE_ERR_ARG);
    CU_ASSERT_EQUAL(ee_data_read_attribute(file, "snr", first, n, out), EE_ERR_ARG);
  }
  CU_ASSERT_EQUAL(ee_data_read(file, 10, 0, x), EE_OK);
  ee_data_close(&file);
}

static void attributes_are_listed_by_name(void) {
  ee_data_file *file;
  CU_ASSERT_EQUAL_FATAL(ee_data_open(data_file("data.h5", EE_DATA_F32, 3), &file), EE_OK);
  const ee_data_info *info = ee_data_file_info(file);
  CU_ASSERT_EQUAL_FATAL(info->n_attributes, 2);
  CU_ASSERT_STRING_EQUAL(info->attribute[0], "difficulty");
  CU_ASSERT_STRING_EQUAL(info->attribute[1], "snr");
  ee_data_close(&file);
}

static void attributes_go_by_plain_names(void) {
  static const char *const bad[] = {"", "a/b", "..", "snr ", "no such attribute", "missing"};
  ee_data_file            *file;
  ee_data_writer          *writer;
  ee_data_info             info = info_of(EE_DATA_U8);
  float                    out;
  CU_ASSERT_EQUAL_FATAL(ee_data_open(data_file("data.h5", EE_DATA_U8, 1), &file), EE_OK);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CU_ASSERT_EQUAL(ee_data_read_attribute(file, bad[i], 0, 1, &out), EE_ERR_ARG);
    CU_ASSERT_TRUE(message_says("data.h5", bad[i]));
  }
  ee_data_close(&file);

  const char *const name[] = {"snr", "a/b", NULL};
  const char       *path   = ee_test_path("names.h5");
  CU_ASSERT_EQUAL(ee_data_create(path, &info, name, &writer), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(writer);
  CU_ASSERT_FALSE(left_over(path));
}

static void a_shape_without_elements_is_refused(void) {
  ee_data_writer *writer;
  ee_data_info    info = info_of(EE_DATA_U8);
  const char     *path = ee_test_path("shape.h5");
  info.dim[1]          = 0;
  CU_ASSERT_EQUAL(ee_data_create(path, &info, NULL, &writer), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "dimension 1 of a sample is 0"));
  info.dim[0] = info.dim[1] = info.dim[2] = 1 << 20;
  CU_ASSERT_EQUAL(ee_data_create(path, &info, NULL, &writer), EE_ERR_ARG);
  CU_ASSERT_FALSE(left_over(path));
}

static void a_file_that_is_not_kept_leaves_the_old_one(void) {
  ee_data_writer *writer;
  ee_data_info    info = info_of(EE_DATA_U8);
  const char     *path = ee_test_path("new.h5");
  CU_ASSERT_EQUAL_FATAL(ee_data_create(path, &info, attribute_name, &writer), EE_OK);
  CU_ASSERT_EQUAL(append(writer, EE_DATA_U8, 0, 5), EE_OK);
  CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);  // not before it is whole
  CU_ASSERT_EQUAL(ee_data_finish(&writer, false), EE_OK);
  CU_ASSERT_FALSE(left_over(path));

  data_file("new.h5", EE_DATA_U8, 3);
  CU_ASSERT_EQUAL_FATAL(ee_data_create(path, &info, attribute_name, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_data_finish(&writer, false), EE_OK);
  CU_ASSERT_EQUAL(ee_data_finish(&writer, true), EE_OK);  // NULL by now
  CU_ASSERT_EQUAL(open_and_close(path), EE_OK);
}

static void paths_that_cannot_be_written_are_named(void) {
  ee_data_writer *writer;
  ee_data_info    info = info_of(EE_DATA_U8);
  CU_ASSERT_EQUAL(ee_data_create("/nowhere/x.h5", &info, NULL, &writer), EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says("/nowhere/x.h5", "No such file"));
  CU_ASSERT_EQUAL(ee_data_create("/dev/null", &info, NULL, &writer), EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says("/dev/null", "not a regular file"));
  CU_ASSERT_PTR_NULL(writer);
}

/* As on a full disk: no file may grow beyond 64 KiB.  @p n samples; whether an append failed. */
static bool write_on_full_disk(const char *path, int64_t n, ee_status *end) {
  struct rlimit   before, limit;
  ee_data_info    info = info_of(EE_DATA_F32);
  ee_data_writer *writer;
  CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &before) == 0);
  CU_ASSERT_EQUAL_FATAL(ee_data_create(path, &info, attribute_name, &writer), EE_OK);
  limit          = before;
  limit.rlim_cur = 65536;
  signal(SIGXFSZ, SIG_IGN);
  CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  ee_status status = EE_OK;
  for (int64_t i = 0; i < n && status == EE_OK; i += 64)
    status = append(writer, EE_DATA_F32, i, 64);
  *end = ee_data_finish(&writer, true);
  setrlimit(RLIMIT_FSIZE, &before);
  return status != EE_OK;
}

static void a_full_disk_is_an_error_and_leaves_nothing(void) {
  const char *path = ee_test_path("full.h5");
  ee_status   end;
  CU_ASSERT_FALSE(write_on_full_disk(path, 640, &end));  // all in HDF5's cache until the end
  CU_ASSERT_EQUAL(end, EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says(path, strerror(EFBIG)));
  CU_ASSERT_FALSE(left_over(path));

  CU_ASSERT_TRUE(write_on_full_disk(path, 64000, &end));
  CU_ASSERT_EQUAL(end, EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says(path, strerror(EFBIG)));
  CU_ASSERT_FALSE(left_over(path));
}

static void a_damaged_file_is_refused(void) {
  check_damage(data_file("damaged.h5", EE_DATA_U8, 20), open_and_close);
}

/* Any change of the raw data leaves a file that opens or is refused, and that can be read. */
static void nonsense_under_a_valid_seal_is_no_crash(void) {
  const char *path = data_file("hostile.h5", EE_DATA_U8, 20);
  bytes       b    = read_bytes(path);
  int32_t     label[20];
  for (int i = 0; i < 20; i++) label[i] = label_at(i);
  size_t at = find_bytes(b, label, sizeof label);
  for (size_t i = 0; i < 80; i++) {
    unsigned char good = b.at[at + i];
    b.at[at + i]       = (unsigned char)(good ^ 0x80);
    reseal(b);
    write_bytes(path, b.at, b.n);
    CU_ASSERT_EQUAL(open_and_close(path), EE_ERR_FORMAT);
    b.at[at + i] = good;
  }
  free(b.at);
}

static void h5py_reads_the_same(void) {
  char        answer[256];
  const char *path = data_file("data.h5", EE_DATA_U8, 1000);
  if (!ask_h5py(path,
                "print(f.attrs[\"format\"].decode(), f.attrs[\"format_version\"],"
                " f[\"samples\"].shape, f[\"samples\"].dtype, f[\"samples\"][:].sum(dtype=int),"
                " f[\"labels\"][:].sum(), f[\"class_names\"][1].decode(),"
                " f[\"attributes/snr\"][-1])",
                answer, sizeof answer))
    return;
  long sum = 0, labels = 0;
  for (int i = 0; i < 1000; i++) {
    for (int j = 0; j < SIZE; j++) sum += u8_at(i, j);
    labels += label_at(i);
  }
  char expected[256];
  snprintf(expected, sizeof expected,
           "edgeexit-data 1 (1000, %d, %d, %d) uint8 %ld %ld bee with a long name 999.0\n", C, H, W,
           sum, labels);
  CU_ASSERT_STRING_EQUAL(answer, expected);
}

const ee_fact ee_facts[] = {
    EE_FACT(samples_of_bytes_come_back_in_blocks_of_any_size),
    EE_FACT(samples_of_floats_come_back_in_blocks_of_any_size),
    EE_FACT(an_empty_data_set_is_legal),
    EE_FACT(unlabelled_samples_have_label_minus_one),
    EE_FACT(the_same_samples_make_the_same_file),
    EE_FACT(a_label_out_of_range_is_refused_when_written),
    EE_FACT(a_label_out_of_range_is_refused_when_read),
    EE_FACT(ranges_outside_the_file_are_refused),
    EE_FACT(attributes_are_listed_by_name),
    EE_FACT(attributes_go_by_plain_names),
    EE_FACT(a_shape_without_elements_is_refused),
    EE_FACT(a_file_that_is_not_kept_leaves_the_old_one),
    EE_FACT(paths_that_cannot_be_written_are_named),
    EE_FACT(a_full_disk_is_an_error_and_leaves_nothing),
    EE_FACT(a_damaged_file_is_refused),
    EE_FACT(nonsense_under_a_valid_seal_is_no_crash),
    EE_FACT(h5py_reads_the_same),
    {NULL, NULL},
};
