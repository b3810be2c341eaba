/* SPDX-License-Identifier: Apache-2.0 */
/* Writing data files, samples in blocks. */
#include <stdlib.h>
#include <string.h>

#include "data_format.h"
#include "ee/data_file.h"
#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"

#define SAMPLE_CHUNK_BYTES 131072
#define VECTOR_CHUNK_BYTES 16384

struct ee_data_writer {
  ee_h5       h5;
  ee_h5_rows  samples;
  ee_h5_rows  labels;  // closed if unlabelled
  ee_h5_rows *attribute;
  int         n_attributes;
  int         n_classes;
  bool        labelled;
  bool        torn;  // a write failed in the middle of a block: the file cannot be kept
};

static ee_status check_info(const char *path, const ee_data_info *info) {
  for (int i = 0; i < 3; i++) {
    if (info->dim[i] < 1 || info->dim[i] > EE_DATA_MAX_DIM)
      return EE_FAIL(EE_ERR_ARG, "%s: dimension %d of a sample is %lld", path, i,
                     (long long)info->dim[i]);
  }
  if (info->n_classes < 0 || info->n_classes > EE_DATA_MAX_CLASSES)
    return EE_FAIL(EE_ERR_ARG, "%s: %d classes, not in [0, %d]", path, info->n_classes,
                   EE_DATA_MAX_CLASSES);
  return EE_OK;
}

static ee_status create_attributes(ee_data_writer *w, const char *const *name) {
  int n = 0;
  while (name != NULL && name[n] != NULL) n++;
  w->attribute = calloc((size_t)n + 1, sizeof *w->attribute);
  if (w->attribute == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", w->h5.path);

  for (; w->n_attributes < n; w->n_attributes++) {
    char    set[EE_DATA_SET_BYTES];
    hsize_t none = 0;
    if (!ee_data_attribute_set(name[w->n_attributes], set))
      return EE_FAIL(EE_ERR_ARG, "%s: \"%s\" cannot name an attribute", w->h5.path,
                     name[w->n_attributes]);
    EE_TRY(ee_h5_rows_create(&w->h5, set, EE_H5_F32, 1, &none, VECTOR_CHUNK_BYTES,
                             &w->attribute[w->n_attributes]));
  }
  return EE_OK;
}

static ee_status create_all(const char *path, const ee_data_info *info,
                            const char *const *attribute_name, ee_data_writer *w) {
  hsize_t    dim[4] = {0, (hsize_t)info->dim[0], (hsize_t)info->dim[1], (hsize_t)info->dim[2]};
  ee_h5_kind kind   = info->type == EE_DATA_U8 ? EE_H5_U8 : EE_H5_F32;
  w->n_classes      = info->n_classes;
  w->labelled       = info->labelled;

  EE_TRY(ee_h5_create_sealed(path, EE_DATA_FORMAT, &w->h5));
  EE_TRY(ee_h5_rows_create(&w->h5, EE_DATA_SAMPLES, kind, 4, dim, SAMPLE_CHUNK_BYTES, &w->samples));
  if (info->labelled)
    EE_TRY(ee_h5_rows_create(&w->h5, EE_DATA_LABELS, EE_H5_I32, 1, dim, VECTOR_CHUNK_BYTES,
                             &w->labels));
  if (info->n_classes > 0)
    EE_TRY(ee_h5_write_texts(&w->h5, EE_DATA_CLASS_NAMES, info->n_classes, info->class_name));
  EE_TRY(ee_h5_write_text(&w->h5, EE_DATA_PROVENANCE,
                          info->provenance == NULL ? "" : info->provenance));
  return create_attributes(w, attribute_name);
}

ee_status ee_data_create(const char *path, const ee_data_info *info,
                         const char *const *attribute_name, ee_data_writer **writer) {
  *writer = NULL;
  EE_TRY(check_info(path, info));
  *writer = calloc(1, sizeof **writer);
  if (*writer == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", path);

  ee_status status = create_all(path, info, attribute_name, *writer);
  if (status != EE_OK) ee_data_finish(writer, false);
  return status;
}

static ee_status check_block(const ee_data_writer *w, int64_t n, const int32_t *labels,
                             const float *const *attribute) {
  if (n < 0) return EE_FAIL(EE_ERR_ARG, "%s: cannot append %lld samples", w->h5.path, (long long)n);
  if (w->torn) return EE_FAIL(EE_ERR_STATE, "%s: nothing can follow a failed write", w->h5.path);
  if (w->labelled != (labels != NULL))
    return EE_FAIL(EE_ERR_ARG, "%s is %s, the samples are not", w->h5.path,
                   w->labelled ? "labelled" : "unlabelled");
  if (w->n_attributes > 0 && attribute == NULL)
    return EE_FAIL(EE_ERR_ARG, "%s needs %d attributes with its samples", w->h5.path,
                   w->n_attributes);
  if (labels == NULL) return EE_OK;
  return ee_data_check_labels(EE_ERR_ARG, w->h5.path, w->n_classes, (int64_t)w->samples.dim[0], n,
                              labels);
}

static ee_status append_all(ee_data_writer *w, int64_t n, const void *samples,
                            const int32_t *labels, const float *const *attribute) {
  EE_TRY(ee_h5_rows_append(&w->samples, n, samples));
  if (w->labelled) EE_TRY(ee_h5_rows_append(&w->labels, n, labels));
  for (int i = 0; i < w->n_attributes; i++)
    EE_TRY(ee_h5_rows_append(&w->attribute[i], n, attribute[i]));
  return EE_OK;
}

ee_status ee_data_append(ee_data_writer *writer, int64_t n, const void *samples,
                         const int32_t *labels, const float *const *attribute) {
  EE_TRY(check_block(writer, n, labels, attribute));
  ee_status status = append_all(writer, n, samples, labels, attribute);
  writer->torn     = status != EE_OK;
  return status;
}

static int close_rows(ee_data_writer *w) {
  int done = ee_h5_rows_close(&w->samples) | ee_h5_rows_close(&w->labels);
  for (int i = 0; i < w->n_attributes; i++) done |= ee_h5_rows_close(&w->attribute[i]);
  return done;
}

static ee_status keep_file(ee_data_writer *w) {
  if (w->torn) {
    EE_TRY(ee_h5_check_written(&w->h5));
    return EE_FAIL(EE_ERR_STATE, "%s is not kept: a write failed before", w->h5.path);
  }
  if (close_rows(w) < 0) return ee_h5_fail(&w->h5, EE_ERR_FILE, "write", "the samples");
  return ee_h5_commit(&w->h5);
}

ee_status ee_data_finish(ee_data_writer **writer, bool keep) {
  ee_data_writer *w = *writer;
  if (w == NULL) return EE_OK;

  ee_status status = keep ? keep_file(w) : EE_OK;
  close_rows(w);
  ee_h5_discard(&w->h5);  // nothing is left to discard once it was kept
  free(w->attribute);
  free(w);
  *writer = NULL;
  return status;
}
