/* SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "ee/data_file.h"
#include "ee/import.h"
#include "ee_test.h"
#include "sealed.h"

enum { H = 4, W = 3, PIXELS = H * W };

static const ee_data_range all = {0, -1};

static unsigned char pixel_at(int64_t i, int j) {
  return (unsigned char)(i * 17 + j * 3);
}

static unsigned char label_at(int64_t i) {
  return (unsigned char)(i % 4);
}

static void put_be32(unsigned char *at, uint32_t x) {
  for (int i = 0; i < 4; i++) at[i] = (unsigned char)(x >> (24 - 8 * i));
}

/* Both files in memory: header numbers as given, then @p n records. */
static bytes make_images(uint32_t magic, uint32_t n_said, uint32_t height, int n) {
  bytes b = {NULL, 16 + (size_t)n * PIXELS};
  b.at    = malloc(b.n);
  put_be32(b.at, magic);
  put_be32(b.at + 4, n_said);
  put_be32(b.at + 8, height);
  put_be32(b.at + 12, W);
  for (int i = 0; i < n * PIXELS; i++) b.at[16 + i] = pixel_at(i / PIXELS, i % PIXELS);
  return b;
}

static bytes make_labels(uint32_t magic, uint32_t n_said, int n) {
  bytes b = {NULL, 8 + (size_t)n};
  b.at    = malloc(b.n);
  put_be32(b.at, magic);
  put_be32(b.at + 4, n_said);
  for (int i = 0; i < n; i++) b.at[8 + i] = label_at(i);
  return b;
}

static const char *store(const char *name, bytes b) {
  const char *path = ee_test_path(name);
  write_bytes(path, b.at, b.n);
  free(b.at);
  return path;
}

static const char *store_gz(const char *name, bytes b) {
  const char *path = ee_test_path(name);
  gzFile      gz   = gzopen(path, "wb");
  CU_ASSERT_EQUAL(gzwrite(gz, b.at, (unsigned)b.n), (int)b.n);
  gzclose(gz);
  free(b.at);
  return path;
}

static const char *images(int n) {
  return store("images", make_images(0x803, (uint32_t)n, H, n));
}

static const char *labels(int n) {
  return store("labels", make_labels(0x801, (uint32_t)n, n));
}

static void check_file(const char *out, int64_t first, int n) {
  ee_data_file *file;
  CU_ASSERT_EQUAL_FATAL(ee_data_open(out, &file), EE_OK);
  const ee_data_info *info = ee_data_file_info(file);
  CU_ASSERT_EQUAL(info->type, EE_DATA_U8);
  CU_ASSERT_EQUAL_FATAL(info->n, n);
  CU_ASSERT_TRUE(info->dim[0] == 1 && info->dim[1] == H && info->dim[2] == W);
  int bad = 0;
  for (int i = 0; i < n; i++) {
    unsigned char pixel[PIXELS];
    int32_t       label;
    bad += ee_data_read(file, i, 1, pixel) != EE_OK;
    bad += ee_data_read_labels(file, i, 1, &label) != EE_OK;
    for (int j = 0; j < PIXELS; j++) bad += pixel[j] != pixel_at(first + i, j);
    bad += label != label_at(first + i);
  }
  CU_ASSERT_EQUAL(bad, 0);
  ee_data_close(&file);
}

static void images_and_labels_come_together(void) {
  const char *out = ee_test_path("idx.h5");
  CU_ASSERT_EQUAL(ee_import_idx(images(100), labels(100), all, NULL, out), EE_OK);
  check_file(out, 0, 100);
  CU_ASSERT_EQUAL(ee_import_idx(images(9), labels(9), (ee_data_range){2, 5}, NULL, out), EE_OK);
  check_file(out, 2, 5);
  CU_ASSERT_EQUAL(ee_import_idx(images(0), labels(0), all, NULL, out), EE_OK);
  check_file(out, 0, 0);
}

static void gzip_compressed_files_are_read_as_well(void) {
  const char *out = ee_test_path("gz.h5");
  const char *i   = store_gz("images.gz", make_images(0x803, 50, H, 50));
  const char *l   = store_gz("labels.gz", make_labels(0x801, 50, 50));
  CU_ASSERT_EQUAL(ee_import_idx(i, l, all, NULL, out), EE_OK);
  check_file(out, 0, 50);
}

static void class_names_are_cut_at_commas(void) {
  const char   *out = ee_test_path("named.h5");
  ee_data_file *file;
  CU_ASSERT_EQUAL(ee_import_idx(images(8), labels(8), all, "a,T-shirt/top,,last one", out), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_open(out, &file), EE_OK);
  const ee_data_info *info = ee_data_file_info(file);
  CU_ASSERT_EQUAL_FATAL(info->n_classes, 4);
  CU_ASSERT_STRING_EQUAL(info->class_name[0], "a");
  CU_ASSERT_STRING_EQUAL(info->class_name[1], "T-shirt/top");
  CU_ASSERT_STRING_EQUAL(info->class_name[2], "");
  CU_ASSERT_STRING_EQUAL(info->class_name[3], "last one");
  CU_ASSERT_STRING_EQUAL(info->provenance, "IDX: images labels; samples [0, end)");
  ee_data_close(&file);
}

/* Import, expect EE_ERR_FORMAT with @p named and @p words, and no data file. */
static void check_refused(const char *i, const char *l, const char *names, const char *named,
                          const char *words) {
  const char *out = ee_test_path("refused.h5");
  CU_ASSERT_EQUAL(ee_import_idx(i, l, all, names, out), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(named, words));
  CU_ASSERT_FALSE(left_over(out));
}

static void headers_are_checked(void) {
  const char *bad = store("bad", make_images(0x801, 5, H, 5));
  check_refused(bad, labels(5), NULL, bad, "begins with 0x00000801, IDX images");
  bad = store("bad", make_labels(0x803, 5, 5));
  check_refused(images(5), bad, NULL, bad, "IDX labels begin with 0x00000801");
  bad = store("bad", make_images(0x803, 5, 0, 5));
  check_refused(bad, labels(5), NULL, bad, "0 x 3");
  bad = store("bad", make_images(0x803, 5, 0xffffffff, 5));
  check_refused(bad, labels(5), NULL, bad, "4294967295 x 3");
  bad = store("bad", make_labels(0x801, 5, 5));
  CU_ASSERT_FATAL(truncate(bad, 7) == 0);
  check_refused(images(5), bad, NULL, bad, "has 7 bytes, too few");
}

static void counts_must_agree(void) {
  check_refused(images(5), labels(6), NULL, "labels", "has 5 images");
}

static void lengths_must_agree_with_headers(void) {
  const char *bad = store("bad", make_images(0x803, 6, H, 5));
  check_refused(bad, labels(6), NULL, bad, "cut short");
  bad = store("bad", make_images(0x803, 5, H, 6));
  check_refused(bad, labels(5), NULL, bad, "more bytes than its header says");
  bad = store("bad", make_labels(0x801, 5, 4));
  check_refused(images(5), bad, NULL, bad, "within record 4");
  bad = store("bad", make_labels(0x801, 5, 7));
  check_refused(images(5), bad, NULL, bad, "more bytes");
}

static void a_label_without_a_name_is_refused(void) {
  const char *l = labels(5);
  check_refused(images(5), l, "a,b,c", l, "record 3 has label 3, but there are 3 class names");
}

/* Wherever it is cut, also inside its header or its trailing checksum. */
static void a_compressed_file_that_is_cut_short_is_named(void) {
  const char *out  = ee_test_path("cut.h5");
  const char *path = store_gz("cut.gz", make_images(0x803, 200, H, 200));
  bytes       b    = read_bytes(path);
  const char *l    = labels(200);
  for (size_t n = 0; n < b.n; n += 5) {
    write_bytes(path, b.at, n);
    CU_ASSERT_EQUAL(ee_import_idx(path, l, all, NULL, out), EE_ERR_FORMAT);
    CU_ASSERT_TRUE(message_says(path, ""));
  }
  CU_ASSERT_TRUE(message_says(path, "cut short"));
  CU_ASSERT_FALSE(left_over(out));
  free(b.at);
}

static void a_range_beyond_the_files_is_refused(void) {
  const char *out = ee_test_path("range.h5");
  CU_ASSERT_EQUAL(ee_import_idx(images(9), labels(9), (ee_data_range){5, 5}, NULL, out),
                  EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(out, "the source has 9"));
  CU_ASSERT_FALSE(left_over(out));
  CU_ASSERT_EQUAL(ee_import_idx("/nowhere/i", labels(9), all, NULL, out), EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says("/nowhere/i", "No such file"));
}

/* The test set has a thousand images of each class; each pixel as zlib alone gives it. */
static void fashion_mnist_comes_over(void) {
  enum { N = 10000, FASHION_PIXELS = 784 };
  char        image_path[1024], label_path[1024];
  const char *found = ee_test_data("fashion-mnist/t10k-images-idx3-ubyte.gz");
  if (found == NULL) return;
  snprintf(image_path, sizeof image_path, "%s", found);
  found = ee_test_data("fashion-mnist/t10k-labels-idx1-ubyte.gz");
  if (found == NULL) return;
  snprintf(label_path, sizeof label_path, "%s", found);

  const char   *out = ee_test_path("fashion.h5");
  ee_data_file *file;
  CU_ASSERT_EQUAL(ee_import_idx(image_path, label_path, all,
                                "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,"
                                "Bag,Ankle boot",
                                out),
                  EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_open(out, &file), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_file_info(file)->n, N);

  size_t         size  = (size_t)N * FASHION_PIXELS;
  unsigned char *pixel = malloc(size), *expected = malloc(size + 16);
  int32_t       *label     = malloc(N * sizeof *label);
  int            count[10] = {0};
  gzFile         gz        = gzopen(image_path, "rb");
  CU_ASSERT_EQUAL(gzread(gz, expected, (unsigned)size + 16), (int)size + 16);
  gzclose(gz);
  CU_ASSERT_EQUAL(ee_data_read(file, 0, N, pixel), EE_OK);
  CU_ASSERT_EQUAL(memcmp(pixel, expected + 16, size), 0);
  CU_ASSERT_EQUAL(ee_data_read_labels(file, 0, N, label), EE_OK);
  for (int i = 0; i < N; i++) count[label[i]]++;
  for (int k = 0; k < 10; k++) CU_ASSERT_EQUAL(count[k], 1000);
  free(pixel);
  free(expected);
  free(label);
  ee_data_close(&file);
}

const ee_fact ee_facts[] = {
    EE_FACT(images_and_labels_come_together),
    EE_FACT(gzip_compressed_files_are_read_as_well),
    EE_FACT(class_names_are_cut_at_commas),
    EE_FACT(headers_are_checked),
    EE_FACT(counts_must_agree),
    EE_FACT(lengths_must_agree_with_headers),
    EE_FACT(a_label_without_a_name_is_refused),
    EE_FACT(a_compressed_file_that_is_cut_short_is_named),
    EE_FACT(a_range_beyond_the_files_is_refused),
    EE_FACT(fashion_mnist_comes_over),
    {NULL, NULL},
};
