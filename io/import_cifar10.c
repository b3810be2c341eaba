/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR-10 in its binary version: records of a label and 3 x 32 x 32 bytes, channel by channel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_source.h"
#include "import_samples.h"

enum { CLASSES = 10, CHANNELS = 3, SIDE = 32, RECORD = 1 + CHANNELS * SIDE * SIDE };

static const char *const class_name[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                "dog",      "frog",       "horse", "ship", "truck"};

static ee_status fail_size(const ee_byte_source *source) {
  return EE_FAIL(EE_ERR_FORMAT,
                 "%s has %lld bytes, which is no whole number of CIFAR-10 records of %d bytes",
                 source->path, (long long)source->taken, RECORD);
}

/* Take the next record; *more is false at the end of the file. */
static ee_status take_record(ee_byte_source *source, uint8_t record[RECORD], bool *more) {
  size_t got;
  EE_TRY(ee_byte_source_take(source, record, RECORD, &got));
  *more = got == RECORD;
  return got == RECORD || (got == 0 && source->taken > 0) ? EE_OK : fail_size(source);
}

static ee_status copy_records(ee_byte_source *source, ee_sample_sink *sink) {
  uint8_t record[RECORD];
  for (int64_t i = 0;; i++) {
    bool more;
    EE_TRY(take_record(source, record, &more));
    if (!more) return EE_OK;
    if (record[0] >= CLASSES)
      return EE_FAIL(EE_ERR_FORMAT, "%s: record %lld has label %d, outside [0, %d]", source->path,
                     (long long)i, record[0], CLASSES - 1);
    EE_TRY(ee_sink_put(sink, record + 1, record[0]));
  }
}

static ee_status copy_file(const char *path, ee_sample_sink *sink) {
  ee_byte_source source;
  EE_TRY(ee_byte_source_open(path, &source));
  ee_status status = copy_records(&source, sink);
  ee_byte_source_close(&source);
  return status;
}

/* "CIFAR-10, binary version: NAME NAME; samples [a, b)", malloc()ed. */
static char *describe(const char *const *path, int n_paths, ee_data_range range) {
  static const char begin[] = "CIFAR-10, binary version:";
  char              text[64];
  size_t            size = sizeof begin + sizeof text + 16;
  for (int i = 0; i < n_paths; i++) size += strlen(ee_base_name(path[i])) + 1;
  char *all = malloc(size);
  if (all == NULL) return NULL;

  size_t n = (size_t)snprintf(all, size, "%s", begin);
  for (int i = 0; i < n_paths; i++)
    n += (size_t)snprintf(all + n, size - n, " %s", ee_base_name(path[i]));
  snprintf(all + n, size - n, "; samples %s", ee_range_text(range, text, sizeof text));
  return all;
}

ee_status ee_import_cifar10(const char *const *path, int n_paths, ee_data_range range,
                            const char *out) {
  if (n_paths < 1) return EE_FAIL(EE_ERR_ARG, "no CIFAR-10 file was named to make %s of", out);
  char *provenance = describe(path, n_paths, range);
  if (provenance == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", out);

  ee_data_info   info = {.dim        = {CHANNELS, SIDE, SIDE},
                         .n_classes  = CLASSES,
                         .class_name = class_name,
                         .provenance = provenance};
  ee_sample_sink sink;
  ee_status      status = ee_sink_open(out, &info, range, &sink);
  for (int i = 0; i < n_paths && status == EE_OK; i++) status = copy_file(path[i], &sink);
  status = ee_sink_close(&sink, status);
  free(provenance);
  return status;
}
