/* SPDX-License-Identifier: Apache-2.0 */
/* Reading exit tables: opening checks everything that later reads rely on. */
#include "ee/exits_file.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data_format.h"
#include "exits_format.h"
#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"

#define LABELS_AT_ONCE 4096

struct ee_exits_file {
  ee_h5         h5;
  ee_h5_rows    logits, confidence, prediction, score, labels;
  ee_exits_info info;  // its arrays are those below
  int          *attach;
  float        *temperature;
  double       *head_flops, *layer_flops, *cut_bytes;
  char         *provenance, *link_values;
  int          *link_cuts;
  char          network[EE_NAME_BYTES], backend[16];
};

const ee_exits_info *ee_exits_file_info(const ee_exits_file *file) {
  return &file->info;
}

static ee_status check_shape(const ee_exits_file *file, const char *name, const hsize_t *dim,
                             hsize_t n_classes) {
  if (dim[0] <= EE_DATA_MAX_DIM && dim[1] >= 1 && dim[1] <= EE_EXITS_MAX && n_classes >= 1 &&
      n_classes <= INT_MAX)
    return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: %s has the impossible shape [%llu, %llu] for %llu classes",
                 file->h5.path, name, (unsigned long long)dim[0], (unsigned long long)dim[1],
                 (unsigned long long)n_classes);
}

/* Open @p name, one number per sample and exit, if it is there: of as many as array @p of has. */
static ee_status open_numbers(ee_exits_file *file, const char *name, const char *of,
                              const hsize_t *dim, ee_h5_rows *rows, bool *is_there) {
  if (!ee_h5_exists(&file->h5, name)) return EE_OK;
  EE_TRY(ee_h5_rows_open(&file->h5, name, EE_H5_F32, 2, rows));
  if (rows->dim[0] != dim[0] || rows->dim[1] != dim[1])
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s has shape [%llu, %llu], %s [%llu, %llu]", file->h5.path,
                   name, (unsigned long long)rows->dim[0], (unsigned long long)rows->dim[1], of,
                   (unsigned long long)dim[0], (unsigned long long)dim[1]);
  *is_there = true;
  return EE_OK;
}

static ee_status open_answers(ee_exits_file *file, hsize_t *n_classes) {
  int64_t classes;
  EE_TRY(ee_h5_read_int_attribute(&file->h5, "/", EE_EXITS_CLASSES, 1, INT_MAX, &classes));
  EE_TRY(ee_h5_rows_open(&file->h5, EE_EXITS_PREDICTION, EE_H5_I32, 2, &file->prediction));
  *n_classes = (hsize_t)classes;
  return open_numbers(file, EE_EXITS_CONFIDENCE, EE_EXITS_PREDICTION, file->prediction.dim,
                      &file->confidence, &file->info.has_confidence);
}

static ee_status read_shape(ee_exits_file *file) {
  const hsize_t *dim = file->prediction.dim;
  const char    *of  = EE_EXITS_PREDICTION;
  hsize_t        n_classes;
  if (ee_h5_exists(&file->h5, EE_EXITS_PREDICTION)) {
    EE_TRY(open_answers(file, &n_classes));
  } else {
    EE_TRY(ee_h5_rows_open(&file->h5, EE_EXITS_LOGITS, EE_H5_F32, 3, &file->logits));
    dim                   = file->logits.dim;
    of                    = EE_EXITS_LOGITS;
    n_classes             = dim[2];
    file->info.has_logits = true;
  }
  EE_TRY(check_shape(file, of, dim, n_classes));
  EE_TRY(open_numbers(file, EE_EXITS_SCORE, of, dim, &file->score, &file->info.has_score));
  file->info.n         = (int64_t)dim[0];
  file->info.n_exits   = (int)dim[1];
  file->info.n_classes = (int)n_classes;
  return EE_OK;
}

/* Read a vector of known length. */
static ee_status read_exactly(const ee_h5 *h5, const char *name, ee_h5_kind kind, int n,
                              void **data) {
  int64_t there;
  EE_TRY(ee_h5_read_vector(h5, name, kind, INT_MAX, data, &there));
  if (there == n) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: %s has %lld elements, expected %d", h5->path, name,
                 (long long)there, n);
}

static ee_status read_arrays(ee_exits_file *f) {
  int64_t      n_layers;
  const ee_h5 *h5 = &f->h5;
  EE_TRY(ee_h5_read_vector(h5, EE_EXITS_LAYER_FLOPS, EE_H5_F64, EE_EXITS_MAX_LAYERS,
                           (void **)&f->layer_flops, &n_layers));
  int layers = (int)n_layers, exits = f->info.n_exits;
  EE_TRY(read_exactly(h5, EE_EXITS_CUT_BYTES, EE_H5_F64, layers + 1, (void **)&f->cut_bytes));
  EE_TRY(read_exactly(h5, EE_EXITS_HEAD_FLOPS, EE_H5_F64, exits, (void **)&f->head_flops));
  EE_TRY(read_exactly(h5, EE_EXITS_TEMPERATURE, EE_H5_F32, exits, (void **)&f->temperature));
  EE_TRY(read_exactly(h5, EE_EXITS_ATTACH, EE_H5_I32, exits, (void **)&f->attach));
  EE_TRY(ee_h5_read_text(h5, EE_EXITS_PROVENANCE, &f->provenance));

  f->info.n_layers    = layers;
  f->info.layer_flops = f->layer_flops;
  f->info.cut_bytes   = f->cut_bytes;
  f->info.head_flops  = f->head_flops;
  f->info.temperature = f->temperature;
  f->info.attach      = f->attach;
  f->info.provenance  = f->provenance;
  return EE_OK;
}

ee_status ee_exits_check_cuts(ee_status status, const char *path, const int *cut, int n,
                              int n_layers) {
  int least = 1, i = 0;
  for (; i < n && cut[i] >= least && cut[i] < n_layers; i++) least = cut[i] + 1;
  if (n > 0 && i == n) return EE_OK;
  return EE_FAIL(status,
                 "%s: values were rounded in front of layer %d, number %d of %d; expected rising "
                 "layers from 1 to %d",
                 path, i < n ? cut[i] : 0, i, n, n_layers - 1);
}

/* What was rounded, if anything was. */
static ee_status read_links(ee_exits_file *f) {
  const ee_h5 *h5 = &f->h5;
  int64_t      n;
  f->info.link_values = "";
  if (!ee_h5_exists(h5, EE_EXITS_LINK_VALUES)) return EE_OK;
  EE_TRY(ee_h5_read_text(h5, EE_EXITS_LINK_VALUES, &f->link_values));
  EE_TRY(ee_h5_read_vector(h5, EE_EXITS_LINK_CUTS, EE_H5_I32, EE_EXITS_MAX_LAYERS,
                           (void **)&f->link_cuts, &n));
  f->info.link_values = f->link_values;
  f->info.link_cuts   = f->link_cuts;
  f->info.n_link_cuts = (int)n;
  return ee_exits_check_cuts(EE_ERR_FORMAT, h5->path, f->link_cuts, (int)n, f->info.n_layers);
}

/* Whose answers they are, if that is known. */
static ee_status read_network(ee_exits_file *f) {
  char         text[32];
  const ee_h5 *h5 = &f->h5;
  f->info.network = f->network;
  if (!ee_h5_has_attribute(h5, "/", EE_EXITS_IDENTITY)) return EE_OK;
  EE_TRY(ee_h5_read_text_attribute(h5, "/", EE_EXITS_NETWORK, f->network, sizeof f->network));
  EE_TRY(ee_h5_read_text_attribute(h5, "/", EE_EXITS_IDENTITY, text, sizeof text));
  if (strspn(text, "0123456789abcdef") == 16 && strlen(text) == 16)
    f->info.identity = strtoull(text, NULL, 16);
  if (f->info.identity != 0) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT,
                 "%s: attribute %s is '%s', expected 16 hexadecimal digits that are not all 0",
                 h5->path, EE_EXITS_IDENTITY, text);
}

static ee_status read_backend(ee_exits_file *f) {
  f->info.backend = f->backend;
  if (!ee_h5_has_attribute(&f->h5, "/", EE_EXITS_BACKEND)) return EE_OK;
  return ee_h5_read_text_attribute(&f->h5, "/", EE_EXITS_BACKEND, f->backend, sizeof f->backend);
}

static ee_status check_costs(const char *path, const char *name, const double *cost, int n) {
  for (int i = 0; i < n; i++) {
    if (isfinite(cost[i]) && cost[i] >= 0.0) continue;
    return EE_FAIL(EE_ERR_FORMAT, "%s: element %d of %s is %g", path, i, name, cost[i]);
  }
  return EE_OK;
}

static ee_status check_exits(const ee_exits_file *file) {
  const ee_exits_info *info = &file->info;
  for (int e = 0; e < info->n_exits; e++) {
    int low  = e > 0 ? info->attach[e - 1] : 0;
    int high = info->n_layers - 1;
    if (e == info->n_exits - 1) low = high;
    if (info->attach[e] < low || info->attach[e] > high)
      return EE_FAIL(EE_ERR_FORMAT, "%s: exit %d follows layer %d, not in [%d, %d]", file->h5.path,
                     e, info->attach[e], low, high);
    if (!isfinite(info->temperature[e]) || info->temperature[e] <= 0.0f)
      return EE_FAIL(EE_ERR_FORMAT, "%s: exit %d has temperature %g, expected a positive number",
                     file->h5.path, e, (double)info->temperature[e]);
  }
  return EE_OK;
}

static ee_status check_arrays(const ee_exits_file *f) {
  const ee_exits_info *info = &f->info;
  EE_TRY(check_exits(f));
  EE_TRY(check_costs(f->h5.path, EE_EXITS_HEAD_FLOPS, info->head_flops, info->n_exits));
  EE_TRY(check_costs(f->h5.path, EE_EXITS_LAYER_FLOPS, info->layer_flops, info->n_layers));
  return check_costs(f->h5.path, EE_EXITS_CUT_BYTES, info->cut_bytes, info->n_layers + 1);
}

static ee_status check_block_of_labels(const ee_exits_file *file, int64_t first, int64_t n) {
  int32_t label[LABELS_AT_ONCE];
  EE_TRY(ee_h5_rows_read(&file->labels, first, n, label));
  return ee_data_check_labels(EE_ERR_FORMAT, file->h5.path, file->info.n_classes, first, n, label);
}

static ee_status open_labels(ee_exits_file *file) {
  EE_TRY(ee_h5_rows_open(&file->h5, EE_EXITS_LABELS, EE_H5_I32, 1, &file->labels));
  int64_t n = (int64_t)file->labels.dim[0];
  if (n != file->info.n)
    return EE_FAIL(EE_ERR_FORMAT, "%s: there are %lld labels for %lld samples", file->h5.path,
                   (long long)n, (long long)file->info.n);
  for (int64_t i = 0; i < n; i += LABELS_AT_ONCE)
    EE_TRY(check_block_of_labels(file, i, n - i < LABELS_AT_ONCE ? n - i : LABELS_AT_ONCE));
  return EE_OK;
}

static ee_status open_all(const char *path, ee_exits_file *file) {
  EE_TRY(ee_h5_open_sealed(path, EE_EXITS_FORMAT, &file->h5));
  EE_TRY(read_shape(file));
  EE_TRY(read_arrays(file));
  EE_TRY(check_arrays(file));
  EE_TRY(read_links(file));
  EE_TRY(read_network(file));
  EE_TRY(read_backend(file));
  return open_labels(file);
}

ee_status ee_exits_open(const char *path, ee_exits_file **file) {
  *file = calloc(1, sizeof **file);
  if (*file == NULL) return EE_FAIL(EE_ERR_NOMEM, "to open %s", path);
  ee_status status = open_all(path, *file);
  if (status != EE_OK) ee_exits_close(file);
  return status;
}

ee_status ee_exits_read(ee_exits_file *file, int64_t first, int64_t n, float *logits,
                        int32_t *labels) {
  if (logits != NULL && !file->info.has_logits)
    return EE_FAIL(EE_ERR_ARG, "%s has no logits, only what each exit answered", file->h5.path);
  if (logits != NULL) EE_TRY(ee_h5_rows_read(&file->logits, first, n, logits));
  if (labels != NULL) EE_TRY(ee_h5_rows_read(&file->labels, first, n, labels));
  return EE_OK;
}

ee_status ee_exits_read_answers(ee_exits_file *file, int64_t first, int64_t n, float *confidence,
                                int32_t *prediction) {
  if (file->info.has_logits)
    return EE_FAIL(EE_ERR_ARG, "%s has logits, which answers follow from", file->h5.path);
  if (confidence != NULL && !file->info.has_confidence)
    return EE_FAIL(EE_ERR_ARG, "%s has no confidences", file->h5.path);
  if (confidence != NULL) EE_TRY(ee_h5_rows_read(&file->confidence, first, n, confidence));
  if (prediction != NULL) EE_TRY(ee_h5_rows_read(&file->prediction, first, n, prediction));
  return EE_OK;
}

ee_status ee_exits_read_scores(ee_exits_file *file, int64_t first, int64_t n, float *score) {
  if (!file->info.has_score) return EE_FAIL(EE_ERR_ARG, "%s has no scores", file->h5.path);
  return ee_h5_rows_read(&file->score, first, n, score);
}

void ee_exits_close(ee_exits_file **file) {
  ee_exits_file *f = *file;
  if (f == NULL) return;
  ee_h5_rows_close(&f->labels);
  ee_h5_rows_close(&f->logits);
  ee_h5_rows_close(&f->confidence);
  ee_h5_rows_close(&f->prediction);
  ee_h5_rows_close(&f->score);
  ee_h5_close(&f->h5);
  free(f->attach);
  free(f->temperature);
  free(f->head_flops);
  free(f->layer_flops);
  free(f->cut_bytes);
  free(f->provenance);
  free(f->link_values);
  free(f->link_cuts);
  free(f);
  *file = NULL;
}
