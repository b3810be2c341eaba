/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit calibrate: one temperature per exit, fitted on a data file, stored in the model. */
#include "ee/calibrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ee/model_file.h"
#include "json.h"
#include "stream.h"
#include "whole.h"

typedef struct calibrate_options {
  const char *model, *data, *out, *backend;
  int         samples;
  bool        json;
} calibrate_options;

#define CALIBRATE_BATCH 32

/* Logits of all samples, exit by exit: shape [n_exits, n, n_classes]. */
static ee_status collect(ee_whole *whole, ee_stream *stream, float *batch, float *logits) {
  const ee_model *m       = whole->model;
  size_t          classes = (size_t)m->n_classes, exits = (size_t)m->n_exits;
  for (int64_t at = 0; at < stream->n;) {
    int64_t left = stream->n - at;
    int     n    = left < whole->batch_limit ? (int)left : whole->batch_limit;
    EE_TRY(ee_stream_read(stream, at, n, ee_whole_input(whole)));
    EE_TRY(ee_whole_run(whole, n, batch));
    for (size_t i = 0; i < (size_t)n; i++) {
      for (size_t e = 0; e < exits; e++) {
        memcpy(logits + (e * (size_t)stream->n + (size_t)at + i) * classes,
               batch + (i * exits + e) * classes, classes * sizeof *logits);
      }
    }
    at += n;
  }
  return EE_OK;
}

/* What calibrating one exit changed. */
typedef struct change {
  double before, after;   // temperature
  double nll[2], ece[2];  // before and after
  double accuracy;
} change;

static void print_change(int e, const change *c) {
  if (e == 0) printf("exit  temperature           NLL               ECE               accuracy\n");
  printf("%4d  %.4f -> %.4f  %.4f -> %.4f  %.4f -> %.4f  %.4f\n", e, c->before, c->after, c->nll[0],
         c->nll[1], c->ece[0], c->ece[1], c->accuracy);
}

static void add_change(cJSON *exits, const change *c) {
  cJSON *one = ee_json_item(exits);
  cJSON_AddNumberToObject(one, "temperature_before", c->before);
  cJSON_AddNumberToObject(one, "temperature", c->after);
  cJSON_AddNumberToObject(one, "nll_before", c->nll[0]);
  cJSON_AddNumberToObject(one, "nll", c->nll[1]);
  cJSON_AddNumberToObject(one, "ece_before", c->ece[0]);
  cJSON_AddNumberToObject(one, "ece", c->ece[1]);
  cJSON_AddNumberToObject(one, "accuracy", c->accuracy);
}

static ee_status fit_exit(ee_model *m, int e, const ee_scores *scores, change *c) {
  c->before = m->exit[e].temperature;
  EE_TRY(ee_calibrate_temperature(scores, &c->after));
  c->nll[0]              = ee_nll(scores, c->before);
  c->nll[1]              = ee_nll(scores, c->after);
  c->ece[0]              = ee_ece(scores, c->before);
  c->ece[1]              = ee_ece(scores, c->after);
  c->accuracy            = ee_accuracy(scores);
  m->exit[e].temperature = (float)c->after;
  return EE_OK;
}

/* @p exits: where to add what changed; NULL: print it. */
static ee_status fit(ee_model *m, const ee_stream *stream, const float *logits, cJSON *exits) {
  for (int e = 0; e < m->n_exits; e++) {
    ee_scores scores = {.n         = stream->n,
                        .n_classes = m->n_classes,
                        .logits    = logits + (size_t)e * (size_t)stream->n * (size_t)m->n_classes,
                        .label     = stream->label};
    change    c;
    EE_TRY(fit_exit(m, e, &scores, &c));
    if (exits != NULL) add_change(exits, &c);
    if (exits == NULL) print_change(e, &c);
  }
  return EE_OK;
}

static ee_status fit_and_tell(const calibrate_options *o, ee_model *m, const ee_stream *stream,
                              const float *logits) {
  if (!o->json) return fit(m, stream, logits, NULL);
  cJSON    *all    = cJSON_CreateObject();
  ee_status status = fit(m, stream, logits, cJSON_AddArrayToObject(all, "exits"));
  if (status == EE_OK) return ee_json_print(all);
  cJSON_Delete(all);
  return status;
}

static ee_status calibrate_on(const calibrate_options *o, ee_model *m, ee_stream *stream) {
  ee_whole whole;
  if (stream->label == NULL || stream->n == 0) {
    return EE_FAIL(EE_ERR_ARG, "%s has no labelled samples to calibrate on", o->data);
  }
  EE_TRY(ee_whole_open(m, o->backend, CALIBRATE_BATCH, &whole));
  size_t    one    = (size_t)m->n_exits * (size_t)m->n_classes;
  float    *batch  = malloc(CALIBRATE_BATCH * one * sizeof *batch);
  float    *logits = malloc((size_t)stream->n * one * sizeof *logits);
  ee_status status = batch != NULL && logits != NULL ? collect(&whole, stream, batch, logits)
                                                     : EE_FAIL(EE_ERR_NOMEM, "for logits");
  if (status == EE_OK) status = fit_and_tell(o, m, stream, logits);
  free(batch);
  free(logits);
  ee_whole_close(&whole);
  return status;
}

static ee_status calibrate(const calibrate_options *o) {
  ee_model *model = NULL;
  ee_stream stream;
  EE_TRY(ee_model_load(o->model, &model));
  ee_status status = ee_stream_open(o->data, model, o->samples, &stream);
  if (status == EE_OK) {
    status = calibrate_on(o, model, &stream);
    ee_stream_close(&stream);
  }
  if (status == EE_OK) status = ee_model_save(model, o->out != NULL ? o->out : o->model);
  ee_model_destroy(&model);
  return status;
}

int ee_app_calibrate(int argc, char **argv) {
  calibrate_options o = {0};
  const char       *in[2];
  const ee_option   option[] = {
        {"output", 'o', EE_OPTION_TEXT, &o.out, "MODEL.h5", "default: the model file itself", 0, 0},
        {"samples", 'n', EE_OPTION_INT, &o.samples, "N", "only the first N; default all", 1, 2e9},
        {"backend", 0, EE_OPTION_TEXT, &o.backend, "NAME", "blis or ref; default the best", 0, 0},
        {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit calibrate [options] MODEL.h5 DATA.h5",
                                "Fits each exit's temperature by least negative log-likelihood and "
                                "stores it.\nThe data should not be those the model was trained "
                                "on.",
                                option,
                                sizeof option / sizeof option[0],
                                2,
                                2};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model = in[0];
  o.data  = in[1];
  return ee_app_finish(calibrate(&o));
}
