/* SPDX-License-Identifier: Apache-2.0 */
/* Scores to calibrate on: run over a data file or read from an exit table, whole or in two parts.
 */
#include "calibrate_scores.h"

#include <stdlib.h>
#include <string.h>

#include "ee/exits_file.h"
#include "ee/file_format.h"
#include "ee/model_identity.h"
#include "exit_match.h"
#include "holdout.h"
#include "progress.h"
#include "stream.h"
#include "whole.h"

#define BATCH 32

static ee_status set_open(int64_t n, int n_exits, int n_classes, ee_score_set *set) {
  size_t rows       = (size_t)n * (size_t)n_exits;
  *set              = (ee_score_set){.table = {.n = n, .n_exits = n_exits, .n_classes = n_classes}};
  set->logits       = calloc(rows > 0 ? rows : 1, (size_t)n_classes * sizeof *set->logits);
  set->label        = calloc(n > 0 ? (size_t)n : 1, sizeof *set->label);
  set->table.logits = set->logits;
  set->table.label  = set->label;
  if (set->logits != NULL && set->label != NULL) return EE_OK;
  ee_score_set_free(set);
  return EE_FAIL(EE_ERR_NOMEM, "for the logits of %lld samples", (long long)n);
}

void ee_score_set_free(ee_score_set *set) {
  free(set->logits);
  free(set->label);
  *set = (ee_score_set){.logits = NULL};
}

/* Put a batch of shape [n, n_exits, n_classes] where its samples belong. */
static void put_batch(ee_score_set *set, int64_t first, int n, const float *batch) {
  const ee_score_table *t       = &set->table;
  size_t                classes = (size_t)t->n_classes;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t e = 0; e < t->n_exits; e++) {
      memcpy(set->logits + (size_t)(e * t->n + first + i) * classes,
             batch + (size_t)(i * t->n_exits + e) * classes, classes * sizeof *batch);
    }
  }
}

static float *new_batch(int n_exits, int n_classes) {
  return calloc((size_t)n_exits * (size_t)n_classes, BATCH * sizeof(float));
}

/* ---- from a data file ---- */

static ee_status run_all(ee_whole *whole, ee_stream *stream, float *batch, ee_score_set *set) {
  ee_progress progress = ee_progress_begin("scored", stream->n);
  for (int64_t at = 0; at < stream->n;) {
    int64_t left = stream->n - at;
    int     n    = left < whole->batch_limit ? (int)left : whole->batch_limit;
    EE_TRY(ee_stream_read(stream, at, n, ee_whole_input(whole)));
    EE_TRY(ee_whole_run(whole, n, batch, NULL));
    put_batch(set, at, n, batch);
    at += n;
    ee_progress_show(&progress, at);
  }
  ee_progress_end(&progress);
  return EE_OK;
}

static ee_status run_stream(const ee_score_source *s, ee_stream *stream, float *batch,
                            ee_score_set *set) {
  ee_whole whole;
  if (batch == NULL) return EE_FAIL(EE_ERR_NOMEM, "for logits");
  EE_TRY(set_open(stream->n, s->model->n_exits, s->model->n_classes, set));
  memcpy(set->label, stream->label, (size_t)stream->n * sizeof *set->label);
  EE_TRY(ee_whole_open(s->model, s->backend, BATCH, &whole));
  ee_status status = run_all(&whole, stream, batch, set);
  ee_whole_close(&whole);
  return status;
}

static ee_status run_model(const ee_score_source *s, ee_score_set *set) {
  ee_stream stream;
  EE_TRY(ee_stream_open(s->path, s->model, s->samples, &stream));
  ee_status status = EE_OK;
  if (stream.label == NULL || stream.n == 0) {
    status = EE_FAIL(EE_ERR_ARG, "%s has no labelled samples to calibrate on", s->path);
  } else {
    float *batch = new_batch(s->model->n_exits, s->model->n_classes);
    status       = run_stream(s, &stream, batch, set);
    free(batch);
  }
  ee_stream_close(&stream);
  return status;
}

/* ---- from an exit table ---- */

static ee_status check_exits(const ee_score_source *s, const ee_exits_info *info) {
  EE_TRY(ee_match_exits(s->path, info->n_exits, info->n_classes, s->model));
  for (int e = 0; e < info->n_exits; e++)
    EE_TRY(ee_match_exit(s->path, e, info->attach[e], s->model));
  uint64_t identity = ee_model_identity(s->model);
  if (info->identity != 0 && info->identity != identity) {
    return EE_FAIL(EE_ERR_ARG, "%s has the answers of another network than model %s: of %s",
                   s->path, s->model->name, info->network);
  }
  if (info->n == 0) return EE_FAIL(EE_ERR_ARG, "%s has no samples to calibrate on", s->path);
  return EE_OK;
}

static ee_status read_rows(ee_exits_file *file, float *batch, ee_score_set *set) {
  if (batch == NULL) return EE_FAIL(EE_ERR_NOMEM, "for logits");
  for (int64_t at = 0; at < set->table.n; at += BATCH) {
    int64_t left = set->table.n - at;
    int     n    = left < BATCH ? (int)left : BATCH;
    EE_TRY(ee_exits_read(file, at, n, batch, set->label + at));
    put_batch(set, at, n, batch);
  }
  return EE_OK;
}

static ee_status read_exits(const ee_score_source *s, ee_score_set *set) {
  ee_exits_file *file;
  EE_TRY(ee_exits_open(s->path, &file));
  const ee_exits_info *info   = ee_exits_file_info(file);
  ee_status            status = check_exits(s, info);
  if (status == EE_OK) {
    int64_t n     = s->samples > 0 && s->samples < info->n ? s->samples : info->n;
    float  *batch = new_batch(info->n_exits, info->n_classes);
    status        = set_open(n, info->n_exits, info->n_classes, set);
    if (status == EE_OK) status = read_rows(file, batch, set);
    free(batch);
  }
  ee_exits_close(&file);
  return status;
}

/* The same error with the path in front. */
static ee_status name_path(const char *path, ee_status status) {
  char reason[EE_MESSAGE_BYTES];
  strcpy(reason, ee_status_message());
  return EE_FAIL(status, "%.400s: %.600s", path, reason);
}

ee_status ee_score_set_read(const ee_score_source *source, ee_score_set *set) {
  char format[64];
  *set = (ee_score_set){.logits = NULL};
  EE_TRY(ee_file_format(source->path, format, sizeof format));
  bool exits = strcmp(format, "edgeexit-exits") == 0;
  if (!exits && source->table_only)
    return EE_FAIL(EE_ERR_ARG, "%s holds %s, expected edgeexit-exits", source->path, format);
  ee_status status = exits ? read_exits(source, set) : run_model(source, set);
  if (status == EE_OK) {
    status = ee_score_table_check(&set->table);
    if (status != EE_OK) status = name_path(source->path, status);
  }
  if (status != EE_OK) ee_score_set_free(set);
  return status;
}

/* ---- two parts ---- */

static void copy_part(const ee_score_set *all, const bool *held, bool wanted, ee_score_set *part) {
  const ee_score_table *t       = &all->table;
  size_t                classes = (size_t)t->n_classes;
  int64_t               at      = 0;
  for (int64_t i = 0; i < t->n; i++) {
    if (held[i] != wanted) continue;
    part->label[at] = all->label[i];
    for (int64_t e = 0; e < t->n_exits; e++) {
      memcpy(part->logits + (size_t)(e * part->table.n + at) * classes,
             all->logits + (size_t)(e * t->n + i) * classes, classes * sizeof *all->logits);
    }
    at++;
  }
}

static ee_status split(const ee_score_set *all, int64_t n_held, const bool *held,
                       ee_score_set *rest, ee_score_set *part) {
  const ee_score_table *t = &all->table;
  EE_TRY(set_open(t->n - n_held, t->n_exits, t->n_classes, rest));
  EE_TRY(set_open(n_held, t->n_exits, t->n_classes, part));
  copy_part(all, held, false, rest);
  copy_part(all, held, true, part);
  return EE_OK;
}

ee_status ee_score_set_split(const ee_score_set *all, double share, uint64_t seed,
                             ee_score_set *rest, ee_score_set *held) {
  bool   *mark;
  int64_t n_held;
  *rest = *held = (ee_score_set){.logits = NULL};
  EE_TRY(ee_holdout_draw(all->table.n, share, seed, &mark, &n_held));
  ee_status status = split(all, n_held, mark, rest, held);
  free(mark);
  if (status != EE_OK) {
    ee_score_set_free(rest);
    ee_score_set_free(held);
  }
  return status;
}
