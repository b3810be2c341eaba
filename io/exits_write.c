/* SPDX-License-Identifier: Apache-2.0 */
/* Writing exit tables, samples in blocks. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "data_format.h"
#include "ee/exits_file.h"
#include "ee/model_identity.h"
#include "exits_format.h"
#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"

#define LOGITS_CHUNK_BYTES 65536
#define SCORE_CHUNK_BYTES 16384
#define LABELS_CHUNK_BYTES 16384
#define UNLABELLED_AT_ONCE 1024

struct ee_exits_writer {
  ee_h5      h5;
  ee_h5_rows logits, score, labels;
  int        n_exits, n_classes, n_layers;
  bool       has_score;
  bool       torn;  // a write failed in the middle of a block: the table cannot be kept
};

/* What of the exits an array each holds. */
static ee_status write_exits(const ee_h5 *h5, const ee_model *model) {
  size_t   n           = (size_t)model->n_exits;
  hsize_t  dim         = (hsize_t)model->n_exits;
  int32_t *attach      = calloc(n, sizeof *attach);
  float   *temperature = calloc(n, sizeof *temperature);

  ee_status status = EE_OK;
  if (attach == NULL || temperature == NULL)
    status = EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (size_t e = 0; e < n && status == EE_OK; e++) {
    attach[e]      = model->exit[e].attach;
    temperature[e] = model->exit[e].temperature;
  }
  if (status == EE_OK) status = ee_h5_write_array(h5, EE_EXITS_ATTACH, EE_H5_I32, 1, &dim, attach);
  if (status == EE_OK)
    status = ee_h5_write_array(h5, EE_EXITS_TEMPERATURE, EE_H5_F32, 1, &dim, temperature);
  free(attach);
  free(temperature);
  if (status != EE_OK) return status;
  return ee_h5_write_array(h5, EE_EXITS_HEAD_FLOPS, EE_H5_F64, 1, &dim, model->head_flops);
}

static ee_status write_layers(const ee_h5 *h5, const ee_model *model) {
  hsize_t layers = (hsize_t)model->n_layers, cuts = layers + 1;
  double *value = calloc(cuts, sizeof *value);
  if (value == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (int l = 0; l < model->n_layers; l++) value[l] = model->layer[l].flops;
  ee_status status = ee_h5_write_array(h5, EE_EXITS_LAYER_FLOPS, EE_H5_F64, 1, &layers, value);
  if (status == EE_OK) {
    for (int c = 0; c <= model->n_layers; c++) value[c] = (double)ee_model_cut_bytes(model, c);
    status = ee_h5_write_array(h5, EE_EXITS_CUT_BYTES, EE_H5_F64, 1, &cuts, value);
  }
  free(value);
  return status;
}

/* Whose answers they are. */
static ee_status write_network(const ee_h5 *h5, const ee_model *model) {
  char     text[32];
  uint64_t identity = ee_model_identity(model);
  if (identity == 0) return EE_OK;
  snprintf(text, sizeof text, "%016" PRIx64, identity);
  EE_TRY(ee_h5_write_text_attribute(h5, "/", EE_EXITS_NETWORK, model->name));
  return ee_h5_write_text_attribute(h5, "/", EE_EXITS_IDENTITY, text);
}

static ee_status create_all(const char *path, const ee_model *model, const char *provenance,
                            ee_exits_writer *w) {
  hsize_t dim[3] = {0, (hsize_t)model->n_exits, (hsize_t)model->n_classes};
  w->n_exits     = model->n_exits;
  w->n_classes   = model->n_classes;
  w->n_layers    = model->n_layers;
  w->has_score   = ee_model_has_scores(model);
  EE_TRY(ee_h5_create_sealed(path, EE_EXITS_FORMAT, &w->h5));
  EE_TRY(ee_h5_rows_create(&w->h5, EE_EXITS_LOGITS, EE_H5_F32, 3, dim, LOGITS_CHUNK_BYTES,
                           &w->logits));
  if (w->has_score)
    EE_TRY(
        ee_h5_rows_create(&w->h5, EE_EXITS_SCORE, EE_H5_F32, 2, dim, SCORE_CHUNK_BYTES, &w->score));
  EE_TRY(ee_h5_rows_create(&w->h5, EE_EXITS_LABELS, EE_H5_I32, 1, dim, LABELS_CHUNK_BYTES,
                           &w->labels));
  EE_TRY(write_exits(&w->h5, model));
  EE_TRY(write_layers(&w->h5, model));
  EE_TRY(write_network(&w->h5, model));
  return ee_h5_write_text(&w->h5, EE_EXITS_PROVENANCE, provenance == NULL ? "" : provenance);
}

ee_status ee_exits_create(const char *path, const ee_model *model, const char *provenance,
                          ee_exits_writer **writer) {
  *writer = NULL;
  if (model->cut_start == NULL)
    return EE_FAIL(EE_ERR_STATE, "%s: model '%s' is not finished", path, model->name);
  *writer = calloc(1, sizeof **writer);
  if (*writer == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", path);
  ee_status status = create_all(path, model, provenance, *writer);
  if (status != EE_OK) ee_exits_finish(writer, 0);
  return status;
}

ee_status ee_exits_note_links(ee_exits_writer *writer, const char *values, const int *cuts, int n) {
  const ee_h5 *h5  = &writer->h5;
  hsize_t      dim = (hsize_t)n;
  EE_TRY(ee_exits_check_cuts(EE_ERR_ARG, h5->path, cuts, n, writer->n_layers));
  EE_TRY(ee_h5_write_array(h5, EE_EXITS_LINK_CUTS, EE_H5_I32, 1, &dim, cuts));
  return ee_h5_write_text(h5, EE_EXITS_LINK_VALUES, values);
}

ee_status ee_exits_note_backend(ee_exits_writer *writer, const char *backend) {
  return ee_h5_write_text_attribute(&writer->h5, "/", EE_EXITS_BACKEND, backend);
}

static ee_status append_unlabelled(ee_h5_rows *labels, int64_t n) {
  int32_t none[UNLABELLED_AT_ONCE];
  for (int i = 0; i < UNLABELLED_AT_ONCE; i++) none[i] = -1;
  for (; n > 0; n -= UNLABELLED_AT_ONCE)
    EE_TRY(ee_h5_rows_append(labels, n < UNLABELLED_AT_ONCE ? n : UNLABELLED_AT_ONCE, none));
  return EE_OK;
}

/* That there are scores if the model has them, and that they are in [0, 1] or NaN. */
static ee_status check_scores(const ee_exits_writer *w, int64_t n, const float *score) {
  if (w->has_score != (score != NULL))
    return EE_FAIL(EE_ERR_ARG, "%s: the model has %s scores, but %s given", w->h5.path,
                   w->has_score ? "learned" : "no", score != NULL ? "some are" : "none are");
  for (int64_t k = 0; score != NULL && k < n * w->n_exits; k++) {
    if (isnan(score[k]) || (score[k] >= 0.0f && score[k] <= 1.0f)) continue;
    return EE_FAIL(EE_ERR_ARG,
                   "%s: the score of sample %lld at exit %d is %g, not in [0, 1]; a score head "
                   "ends in a sigmoid",
                   w->h5.path, (long long)((int64_t)w->logits.dim[0] + k / w->n_exits),
                   (int)(k % w->n_exits), (double)score[k]);
  }
  return EE_OK;
}

static ee_status append_all(ee_exits_writer *w, int64_t n, const float *logits, const float *score,
                            const int32_t *labels) {
  EE_TRY(ee_h5_rows_append(&w->logits, n, logits));
  if (score != NULL) EE_TRY(ee_h5_rows_append(&w->score, n, score));
  if (labels == NULL) return append_unlabelled(&w->labels, n);
  return ee_h5_rows_append(&w->labels, n, labels);
}

ee_status ee_exits_append(ee_exits_writer *writer, int64_t n, const float *logits,
                          const int32_t *labels) {
  return ee_exits_append_scored(writer, n, logits, NULL, labels);
}

ee_status ee_exits_append_scored(ee_exits_writer *writer, int64_t n, const float *logits,
                                 const float *score, const int32_t *labels) {
  ee_exits_writer *w = writer;
  if (n < 0) return EE_FAIL(EE_ERR_ARG, "%s: cannot append %lld samples", w->h5.path, (long long)n);
  if (w->torn) return EE_FAIL(EE_ERR_STATE, "%s: nothing can follow a failed write", w->h5.path);
  if (labels != NULL)
    EE_TRY(ee_data_check_labels(EE_ERR_ARG, w->h5.path, w->n_classes, (int64_t)w->logits.dim[0], n,
                                labels));
  EE_TRY(check_scores(w, n, score));
  ee_status status = append_all(w, n, logits, score, labels);
  w->torn          = status != EE_OK;
  return status;
}

static int close_rows(ee_exits_writer *w) {
  return ee_h5_rows_close(&w->logits) | ee_h5_rows_close(&w->score) | ee_h5_rows_close(&w->labels);
}

static ee_status keep_file(ee_exits_writer *w) {
  if (w->torn) {
    EE_TRY(ee_h5_check_written(&w->h5));
    return EE_FAIL(EE_ERR_STATE, "%s is not kept: a write failed before", w->h5.path);
  }
  if (close_rows(w) < 0) return ee_h5_fail(&w->h5, EE_ERR_FILE, "write", "the logits");
  return ee_h5_commit(&w->h5);
}

ee_status ee_exits_finish(ee_exits_writer **writer, int keep) {
  ee_exits_writer *w = *writer;
  if (w == NULL) return EE_OK;

  ee_status status = keep ? keep_file(w) : EE_OK;
  close_rows(w);
  ee_h5_discard(&w->h5);  // nothing is left to discard once it was kept
  free(w);
  *writer = NULL;
  return status;
}
