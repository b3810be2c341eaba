/* SPDX-License-Identifier: Apache-2.0 */
/* IDX, the format of MNIST: a file of images and one of labels, big-endian, plain or gzip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_source.h"
#include "import_samples.h"

#define IMAGES_MAGIC 0x803u  // unsigned bytes, three dimensions
#define LABELS_MAGIC 0x801u  // unsigned bytes, one dimension
#define MAX_SIDE 65535
#define MAX_IMAGE_BYTES (1 << 26)

typedef struct idx_pair {
  ee_byte_source images, labels;
  int64_t        n, height, width;
} idx_pair;

/* Take @p n numbers of four bytes that begin a file, the first of which is @p magic. */
static ee_status take_header(ee_byte_source *source, uint32_t magic, int n, uint32_t *number) {
  uint8_t bytes[16];
  size_t  got;
  EE_TRY(ee_byte_source_take(source, bytes, 4 * (size_t)n, &got));
  if (got < 4 * (size_t)n)
    return EE_FAIL(EE_ERR_FORMAT, "%s has %lld bytes, too few for the header of IDX", source->path,
                   (long long)source->taken);
  for (int i = 0; i < n; i++) {
    const uint8_t *b = bytes + 4 * i;
    number[i]        = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
  }
  if (number[0] == magic) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s begins with 0x%08x, IDX %s begin with 0x%08x", source->path,
                 number[0], magic == IMAGES_MAGIC ? "images" : "labels", magic);
}

static ee_status take_headers(idx_pair *pair) {
  uint32_t images[4] = {0}, labels[2] = {0};
  EE_TRY(take_header(&pair->images, IMAGES_MAGIC, 4, images));
  EE_TRY(take_header(&pair->labels, LABELS_MAGIC, 2, labels));
  pair->n      = images[1];
  pair->height = images[2];
  pair->width  = images[3];
  if (pair->height < 1 || pair->height > MAX_SIDE || pair->width < 1 || pair->width > MAX_SIDE ||
      pair->height * pair->width > MAX_IMAGE_BYTES)
    return EE_FAIL(EE_ERR_FORMAT, "%s says that its images are %lld x %lld", pair->images.path,
                   (long long)pair->height, (long long)pair->width);
  if (images[1] != labels[1])
    return EE_FAIL(EE_ERR_FORMAT, "%s has %u images, but %s has %u labels", pair->images.path,
                   images[1], pair->labels.path, labels[1]);
  return EE_OK;
}

/* Take exactly @p n bytes of sample @p i. */
static ee_status take_all(ee_byte_source *source, void *bytes, size_t n, int64_t i) {
  size_t got;
  EE_TRY(ee_byte_source_take(source, bytes, n, &got));
  if (got == n) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s is cut short: it ends after %lld bytes, within record %lld",
                 source->path, (long long)source->taken, (long long)i);
}

static ee_status check_end(ee_byte_source *source) {
  char   byte;
  size_t got;
  EE_TRY(ee_byte_source_take(source, &byte, 1, &got));
  if (got == 0) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s has more bytes than its header says", source->path);
}

static ee_status copy_samples(idx_pair *pair, int n_classes, uint8_t *image, ee_sample_sink *sink) {
  for (int64_t i = 0; i < pair->n; i++) {
    uint8_t label;
    EE_TRY(take_all(&pair->images, image, sink->sample_bytes, i));
    EE_TRY(take_all(&pair->labels, &label, 1, i));
    if (n_classes > 0 && label >= n_classes)
      return EE_FAIL(EE_ERR_FORMAT, "%s: record %lld has label %d, but there are %d class names",
                     pair->labels.path, (long long)i, label, n_classes);
    EE_TRY(ee_sink_put(sink, image, label));
  }
  EE_TRY(check_end(&pair->images));
  return check_end(&pair->labels);
}

static ee_status copy_pair(idx_pair *pair, const ee_data_info *info, ee_data_range range,
                           const char *out) {
  uint8_t       *image = malloc((size_t)(pair->height * pair->width));
  ee_sample_sink sink;
  ee_status      status = ee_sink_open(out, info, range, &sink);
  if (image == NULL) status = EE_FAIL(EE_ERR_NOMEM, "to read %s", pair->images.path);
  if (status == EE_OK) status = copy_samples(pair, info->n_classes, image, &sink);
  status = ee_sink_close(&sink, status);
  free(image);
  return status;
}

static ee_status import_pair(idx_pair *pair, const char *const *class_name, int n_classes,
                             ee_data_range range, const char *out) {
  char provenance[1024], text[64];
  EE_TRY(take_headers(pair));
  snprintf(provenance, sizeof provenance, "IDX: %s %s; samples %s", ee_base_name(pair->images.path),
           ee_base_name(pair->labels.path), ee_range_text(range, text, sizeof text));
  ee_data_info info = {.dim        = {1, pair->height, pair->width},
                       .n_classes  = n_classes,
                       .class_name = class_name,
                       .provenance = provenance};
  return copy_pair(pair, &info, range, out);
}

static ee_status open_and_import(const char *images, const char *labels, ee_data_range range,
                                 const char *const *class_name, int n_classes, const char *out) {
  idx_pair  pair   = {.n = 0};
  ee_status status = ee_byte_source_open(images, &pair.images);
  if (status == EE_OK) status = ee_byte_source_open(labels, &pair.labels);
  if (status == EE_OK) status = import_pair(&pair, class_name, n_classes, range, out);
  ee_byte_source_close(&pair.images);
  ee_byte_source_close(&pair.labels);
  return status;
}

/* Cut "a,b,c" at its commas; @p name has room for one more than there are commas. */
static int split_names(char *text, const char **name) {
  int n = 0;
  for (char *at = text; at != NULL; n++) {
    name[n] = at;
    at      = strchr(at, ',');
    if (at != NULL) *at++ = '\0';
  }
  return n;
}

ee_status ee_import_idx(const char *images, const char *labels, ee_data_range range,
                        const char *class_names, const char *out) {
  if (class_names == NULL || class_names[0] == '\0')
    return open_and_import(images, labels, range, NULL, 0, out);

  char        *text = strdup(class_names);
  const char **name = calloc(strlen(class_names) + 1, sizeof *name);
  ee_status    status;
  if (text == NULL || name == NULL)
    status = EE_FAIL(EE_ERR_NOMEM, "for the class names of %s", out);
  else
    status = open_and_import(images, labels, range, name, split_names(text, name), out);
  free(name);
  free(text);
  return status;
}
