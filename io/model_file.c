/* SPDX-License-Identifier: Apache-2.0 */
/* Model files for those who run models: whole, or the graph first and then layer by layer. */
#include "ee/model_file.h"

#include <stdlib.h>

#include "h5_seal.h"
#include "model_format.h"
#include "model_read.h"

struct ee_model_file {
  ee_h5     h5;
  ee_model *model;
};

ee_status ee_model_file_open(const char *path, ee_model_file **file) {
  *file = calloc(1, sizeof **file);
  if (*file == NULL) return EE_FAIL(EE_ERR_NOMEM, "to open %s", path);
  ee_status status = ee_h5_open_sealed(path, EE_MODEL_FORMAT, &(*file)->h5);
  if (status == EE_OK) status = ee_model_read_graph(&(*file)->h5, &(*file)->model);
  if (status != EE_OK) ee_model_file_close(file);
  return status;
}

const ee_model *ee_model_file_model(const ee_model_file *file) {
  return file->model;
}

/* One constant after the other, as ee_model_layer_constants() lists them. */
static ee_status read_blob(const ee_model_file *file, const int *list, int n, float *blob) {
  for (int i = 0; i < n; i++) {
    EE_TRY(ee_model_read_constant(&file->h5, file->model, list[i], blob));
    blob += ee_model_value_elements(file->model, list[i]);
  }
  return EE_OK;
}

/* Before memory is taken: the weights must be in the file. */
static ee_status check_bytes(const ee_model_file *file, size_t bytes, const char *what) {
  hsize_t size = 0;
  if (H5Fget_filesize(file->h5.id, &size) >= 0 && bytes <= size) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: %s has more weights than the file holds", file->h5.path, what);
}

static ee_status read_new_blob(const ee_model_file *file, int layer, const int *list, int n,
                               float **blob) {
  size_t bytes = file->model->layer[layer].weight_bytes;
  if (bytes == 0) return EE_OK;
  EE_TRY(check_bytes(file, bytes, file->model->layer[layer].name));
  *blob = malloc(bytes);
  if (*blob == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for the %zu bytes of layer %d of %s", bytes, layer,
                   file->h5.path);
  ee_status status = read_blob(file, list, n, *blob);
  if (status != EE_OK) {
    free(*blob);
    *blob = NULL;
  }
  return status;
}

ee_status ee_model_file_read_layer(ee_model_file *file, int layer, float **blob) {
  int *list, n;
  *blob = NULL;
  if (layer < 0 || layer >= file->model->n_layers)
    return EE_FAIL(EE_ERR_ARG, "%s has layers 0 to %d, not %d", file->h5.path,
                   file->model->n_layers - 1, layer);
  EE_TRY(ee_model_layer_constants(file->model, layer, &list, &n));
  ee_status status = read_new_blob(file, layer, list, n, blob);
  free(list);
  return status;
}

static ee_status check_all_bytes(const ee_model_file *file) {
  size_t bytes = 0;
  for (int v = 0; v < file->model->n_values; v++) {
    if (file->model->value[v].kind != EE_VALUE_CONSTANT) continue;
    size_t more = (size_t)ee_model_value_elements(file->model, v) * sizeof(float);
    if (__builtin_add_overflow(bytes, more, &bytes)) bytes = SIZE_MAX;
  }
  return check_bytes(file, bytes, "the model");
}

static ee_status read_value(const ee_model_file *file, int v) {
  ee_value *value = &file->model->value[v];
  size_t    bytes = (size_t)ee_model_value_elements(file->model, v) * sizeof(float);
  value->data     = malloc(bytes);
  if (value->data == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for the %zu bytes of '%s' of %s", bytes, value->name,
                   file->h5.path);
  return ee_model_read_constant(&file->h5, file->model, v, value->data);
}

ee_status ee_model_load(const char *path, ee_model **model) {
  ee_model_file *file;
  *model = NULL;
  EE_TRY(ee_model_file_open(path, &file));

  ee_status status = check_all_bytes(file);
  for (int v = 0; v < file->model->n_values && status == EE_OK; v++) {
    if (file->model->value[v].kind == EE_VALUE_CONSTANT) status = read_value(file, v);
  }
  if (status == EE_OK) {
    *model      = file->model;
    file->model = NULL;
  }
  ee_model_file_close(&file);
  return status;
}

void ee_model_file_close(ee_model_file **file) {
  ee_model_file *f = *file;
  if (f == NULL) return;
  ee_model_destroy(&f->model);
  ee_h5_close(&f->h5);
  free(f);
  *file = NULL;
}
