/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit score: every exit's logits of every sample, to an exit table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "ee/confidence.h"
#include "ee/exits_file.h"
#include "ee/log.h"
#include "ee/model_file.h"
#include "json.h"
#include "progress.h"
#include "same_file.h"
#include "stream.h"
#include "whole.h"

typedef struct score_options {
  const char *model, *data, *out, *backend;
  int         batch, samples;
  bool        json;
} score_options;

/* Right answers per exit, to be printed at the end. */
static void count_right(const ee_model *m, const float *logits, const int32_t *label, int64_t n,
                        int64_t *right) {
  for (int64_t i = 0; i < n; i++) {
    for (int e = 0; e < m->n_exits; e++) {
      const float *z = logits + (i * m->n_exits + e) * m->n_classes;
      right[e] += ee_argmax(z, m->n_classes) == label[i];
    }
  }
}

/* What a batch becomes. */
typedef struct outputs {
  float *logits;  // shape [batch_limit, n_exits, n_classes]
  float *score;   // shape [batch_limit, n_exits]; NULL: no exit has one
} outputs;

static bool all_finite(const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) return false;
  }
  return true;
}

static ee_status score_all(ee_whole *whole, ee_stream *stream, ee_exits_writer *writer,
                           const outputs *out, int64_t *right) {
  ee_progress     progress = ee_progress_begin("scored", stream->n);
  const ee_model *m        = whole->model;
  bool            finite   = true;
  for (int64_t at = 0; at < stream->n;) {
    int64_t left = stream->n - at;
    int     n    = left < whole->batch_limit ? (int)left : whole->batch_limit;
    EE_TRY(ee_stream_read(stream, at, n, ee_whole_input(whole)));
    EE_TRY(ee_whole_run(whole, n, out->logits, out->score));
    const int32_t *label = stream->label != NULL ? stream->label + at : NULL;
    EE_TRY(ee_exits_append_scored(writer, n, out->logits, out->score, label));
    finite &= all_finite(out->logits, (size_t)n * (size_t)m->n_exits * (size_t)m->n_classes);
    if (label != NULL) count_right(m, out->logits, label, n, right);
    at += n;
    ee_progress_show(&progress, at);
  }
  ee_progress_end(&progress);
  if (!finite)
    ee_log(EE_LOG_WARNING, "some logits are not finite; the model or the data are wrong");
  return EE_OK;
}

static ee_status print_json(const ee_model *m, const ee_stream *stream, const int64_t *right) {
  bool   known = stream->label != NULL && stream->n > 0;
  cJSON *all = cJSON_CreateObject(), *exits = cJSON_AddArrayToObject(all, "exits");
  cJSON_AddNumberToObject(all, "samples", (double)stream->n);
  for (int e = 0; e < m->n_exits; e++) {
    cJSON *one = ee_json_item(exits);
    cJSON_AddStringToObject(one, "name", m->exit[e].name);
    if (known) {
      cJSON_AddNumberToObject(one, "accuracy", (double)right[e] / (double)stream->n);
    } else {
      cJSON_AddNullToObject(one, "accuracy");
    }
  }
  return ee_json_print(all);
}

static void print_text(const ee_model *m, const ee_stream *stream, const int64_t *right) {
  if (stream->label == NULL || stream->n == 0) return;
  for (int e = 0; e < m->n_exits; e++) {
    printf("exit %d  %-24s  accuracy %.4f\n", e, m->exit[e].name,
           (double)right[e] / (double)stream->n);
  }
}

static ee_status make_room(const ee_model *model, int batch, outputs *out, int64_t **right) {
  size_t cells = (size_t)batch * (size_t)model->n_exits;
  bool   score = ee_model_has_scores(model);
  out->logits  = calloc(cells, (size_t)model->n_classes * sizeof *out->logits);
  out->score   = score ? calloc(cells, sizeof *out->score) : NULL;
  *right       = calloc((size_t)model->n_exits, sizeof **right);
  if (out->logits != NULL && *right != NULL && (out->score != NULL || !score)) return EE_OK;
  return EE_FAIL(EE_ERR_NOMEM, "for logits");
}

static ee_status score_model(const score_options *o, const ee_model *model, ee_stream *stream) {
  ee_whole         whole;
  ee_exits_writer *writer = NULL;
  outputs          out;
  int64_t         *right;
  EE_TRY(ee_whole_open(model, o->backend, o->batch, &whole));
  ee_status status = make_room(model, whole.batch_limit, &out, &right);
  if (status == EE_OK) status = ee_exits_create(o->out, model, o->data, &writer);
  if (status == EE_OK) status = score_all(&whole, stream, writer, &out, right);
  if (writer != NULL) {
    ee_status closed = ee_exits_finish(&writer, status == EE_OK);
    if (status == EE_OK) status = closed;
  }
  if (status == EE_OK && o->json) status = print_json(model, stream, right);
  if (status == EE_OK && !o->json) print_text(model, stream, right);
  free(out.logits);
  free(out.score);
  free(right);
  ee_whole_close(&whole);
  return status;
}

static ee_status score(const score_options *o) {
  ee_model *model = NULL;
  ee_stream stream;
  if (o->out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o EXITS.h5 is missing");
  EE_TRY(ee_refuse_same_file(o->model, o->out));
  EE_TRY(ee_refuse_same_file(o->data, o->out));
  EE_TRY(ee_model_load(o->model, &model));
  ee_status status = ee_stream_open(o->data, model, o->samples, &stream);
  if (status == EE_OK) {
    status = score_model(o, model, &stream);
    ee_stream_close(&stream);
  }
  ee_model_destroy(&model);
  return status;
}

int ee_app_score(int argc, char **argv) {
  score_options   o = {.batch = 32};
  const char     *in[2];
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &o.out, "EXITS.h5", "exit table to write", 0, 0},
      {"batch", 0, EE_OPTION_INT, &o.batch, "N", "samples per batch; default 32", 1, 65536},
      {"samples", 'n', EE_OPTION_INT, &o.samples, "N", "only the first N; default all", 1, 2e9},
      {"backend", 0, EE_OPTION_TEXT, &o.backend, "NAME", "blis or ref; default the best", 0, 0},
      {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit score [options] MODEL.h5 DATA.h5 -o EXITS.h5",
                                "Runs every exit on every sample, on one device.",
                                option,
                                sizeof option / sizeof option[0],
                                2,
                                2};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model = in[0];
  o.data  = in[1];
  return ee_app_finish(score(&o));
}
