/* SPDX-License-Identifier: Apache-2.0 */
/* Reading data files: opening checks everything that later reads rely on. */
#include "ee/data_file.h"

#include <stdlib.h>
#include <string.h>

#include "data_format.h"
#include "h5_array.h"
#include "h5_list.h"
#include "h5_seal.h"
#include "h5_text.h"

#define LABELS_AT_ONCE 4096
#define MAX_DATASETS 65536

struct ee_data_file {
  ee_h5        h5;
  ee_h5_rows   samples;
  ee_h5_rows   labels;  // closed if unlabelled
  ee_data_info info;    // its texts are those below
  char       **class_name;
  char        *provenance;
  char       **dataset;  // shape [n_datasets], names; the attributes' are the ends of some
  int          n_datasets;
  const char **attribute;
};

const ee_data_info *ee_data_file_info(const ee_data_file *file) {
  return &file->info;
}

/* The stored type decides: uint8 or float32. */
static ee_status open_samples(ee_data_file *file) {
  file->info.type = EE_DATA_U8;
  if (ee_h5_rows_open(&file->h5, EE_DATA_SAMPLES, EE_H5_U8, 4, &file->samples) == EE_OK)
    return EE_OK;
  file->info.type = EE_DATA_F32;
  return ee_h5_rows_open(&file->h5, EE_DATA_SAMPLES, EE_H5_F32, 4, &file->samples);
}

static ee_status read_shape(ee_data_file *file) {
  EE_TRY(open_samples(file));
  const hsize_t *dim = file->samples.dim;
  for (int i = 0; i < 4; i++) {
    if (dim[i] > EE_DATA_MAX_DIM || (i > 0 && dim[i] == 0))
      return EE_FAIL(EE_ERR_FORMAT, "%s: dimension %d of %s is %llu", file->h5.path, i,
                     EE_DATA_SAMPLES, (unsigned long long)dim[i]);
  }
  file->info.n = (int64_t)dim[0];
  for (int i = 0; i < 3; i++) file->info.dim[i] = (int64_t)dim[i + 1];
  return EE_OK;
}

static ee_status read_texts(ee_data_file *file) {
  if (ee_h5_exists(&file->h5, EE_DATA_CLASS_NAMES))
    EE_TRY(ee_h5_read_texts(&file->h5, EE_DATA_CLASS_NAMES, EE_DATA_MAX_CLASSES, &file->class_name,
                            &file->info.n_classes));
  file->info.class_name = (const char *const *)file->class_name;

  EE_TRY(ee_h5_read_text(&file->h5, EE_DATA_PROVENANCE, &file->provenance));
  file->info.provenance = file->provenance;
  return EE_OK;
}

/* What stands in the attributes' group under a name that an attribute may have. */
static ee_status list_attributes(ee_data_file *file) {
  char   set[EE_DATA_SET_BYTES];
  size_t group = strlen(EE_DATA_ATTRIBUTES);
  EE_TRY(ee_h5_list_datasets(&file->h5, MAX_DATASETS, &file->dataset, &file->n_datasets));
  file->attribute = calloc((size_t)file->n_datasets + 1, sizeof *file->attribute);
  if (file->attribute == NULL) return EE_FAIL(EE_ERR_NOMEM, "to open %s", file->h5.path);
  for (int i = 0; i < file->n_datasets; i++) {
    const char *name = file->dataset[i];
    if (strncmp(name, EE_DATA_ATTRIBUTES, group) != 0) continue;
    if (ee_data_attribute_set(name + group, set))
      file->attribute[file->info.n_attributes++] = name + group;
  }
  file->info.attribute = file->attribute;
  return EE_OK;
}

static ee_status check_block_of_labels(const ee_data_file *file, int64_t first, int64_t n) {
  int32_t label[LABELS_AT_ONCE];
  EE_TRY(ee_h5_rows_read(&file->labels, first, n, label));
  return ee_data_check_labels(EE_ERR_FORMAT, file->h5.path, file->info.n_classes, first, n, label);
}

static ee_status open_labels(ee_data_file *file) {
  file->info.labelled = ee_h5_exists(&file->h5, EE_DATA_LABELS);
  if (!file->info.labelled) return EE_OK;

  EE_TRY(ee_h5_rows_open(&file->h5, EE_DATA_LABELS, EE_H5_I32, 1, &file->labels));
  int64_t n = (int64_t)file->labels.dim[0];
  if (n != file->info.n)
    return EE_FAIL(EE_ERR_FORMAT, "%s: there are %lld labels for %lld samples", file->h5.path,
                   (long long)n, (long long)file->info.n);
  for (int64_t i = 0; i < n; i += LABELS_AT_ONCE)
    EE_TRY(check_block_of_labels(file, i, n - i < LABELS_AT_ONCE ? n - i : LABELS_AT_ONCE));
  return EE_OK;
}

static ee_status open_all(const char *path, ee_data_file *file) {
  EE_TRY(ee_h5_open_sealed(path, EE_DATA_FORMAT, &file->h5));
  EE_TRY(read_shape(file));
  EE_TRY(read_texts(file));
  EE_TRY(list_attributes(file));
  return open_labels(file);
}

ee_status ee_data_open(const char *path, ee_data_file **file) {
  *file = calloc(1, sizeof **file);
  if (*file == NULL) return EE_FAIL(EE_ERR_NOMEM, "to open %s", path);
  ee_status status = open_all(path, *file);
  if (status != EE_OK) ee_data_close(file);
  return status;
}

ee_status ee_data_read(ee_data_file *file, int64_t first, int64_t n, void *samples) {
  return ee_h5_rows_read(&file->samples, first, n, samples);
}

ee_status ee_data_read_labels(ee_data_file *file, int64_t first, int64_t n, int32_t *labels) {
  if (file->info.labelled) return ee_h5_rows_read(&file->labels, first, n, labels);

  EE_TRY(ee_h5_rows_check(&file->samples, first, n));
  for (int64_t i = 0; i < n; i++) labels[i] = -1;
  return EE_OK;
}

static ee_status read_attribute(ee_data_file *file, const char *set, int64_t first, int64_t n,
                                float *out) {
  ee_h5_rows rows;
  EE_TRY(ee_h5_rows_open(&file->h5, set, EE_H5_F32, 1, &rows));
  ee_status status =
      (int64_t)rows.dim[0] == file->info.n
          ? ee_h5_rows_read(&rows, first, n, out)
          : EE_FAIL(EE_ERR_FORMAT, "%s: %s has %llu values for %lld samples", file->h5.path, set,
                    (unsigned long long)rows.dim[0], (long long)file->info.n);
  ee_h5_rows_close(&rows);
  return status;
}

ee_status ee_data_read_attribute(ee_data_file *file, const char *name, int64_t first, int64_t n,
                                 float *out) {
  char set[EE_DATA_SET_BYTES];
  if (!ee_data_attribute_set(name, set) || !ee_h5_exists(&file->h5, set))
    return EE_FAIL(EE_ERR_ARG, "%s has no attribute \"%s\"", file->h5.path, name);
  return read_attribute(file, set, first, n, out);
}

void ee_data_close(ee_data_file **file) {
  ee_data_file *f = *file;
  if (f == NULL) return;
  ee_h5_rows_close(&f->labels);
  ee_h5_rows_close(&f->samples);
  ee_h5_close(&f->h5);
  ee_h5_free_texts(f->class_name, f->info.n_classes);
  ee_h5_free_texts(f->dataset, f->n_datasets);
  free(f->attribute);
  free(f->provenance);
  free(f);
  *file = NULL;
}
