/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit score: every exit's logits of every sample, to an exit table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ee/confidence.h"
#include "ee/exits_file.h"
#include "ee/model_file.h"
#include "exit_match.h"
#include "json.h"
#include "output_path.h"
#include "progress.h"
#include "run_options.h"
#include "same_file.h"
#include "stream.h"
#include "tuned.h"
#include "whole.h"
#include "winograd.h"

typedef struct score_options {
  const char *model, *data, *out, *backend, *values, *cuts;
  int         batch, samples;
  bool        json;
} score_options;

/* Where values are rounded, and how. */
typedef struct rounding {
  ee_link_values values;
  int            n;
  int           *cut;  // shape [n]
} rounding;

/* Answers of samples whose label is known, to be printed at the end. */
typedef struct tally {
  int64_t  labelled;
  int64_t *right;  // shape [n_exits]
} tally;

static void count_right(const ee_model *m, const float *logits, const int32_t *label, int64_t n,
                        tally *t) {
  for (int64_t i = 0; i < n; i++) {
    if (label[i] < 0) continue;
    t->labelled++;
    for (int e = 0; e < m->n_exits; e++) {
      const float *z = logits + (i * m->n_exits + e) * m->n_classes;
      t->right[e] += ee_argmax(z, m->n_classes) == label[i];
    }
  }
}

/* NaN if no label is known. */
static double accuracy(const tally *t, int exit) {
  return t->labelled > 0 ? (double)t->right[exit] / (double)t->labelled : NAN;
}

/* What a batch becomes. */
typedef struct outputs {
  float *logits;  // shape [batch_limit, n_exits, n_classes]
  float *score;   // shape [batch_limit, n_exits]; NULL: no exit has one
} outputs;

/* First element of x that is no finite number; n if all are. */
static int64_t first_odd(const float *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) return i;
  }
  return n;
}

static ee_status check_input(const score_options *o, const ee_model *m, const float *input,
                             int64_t first, int n) {
  int64_t elements = ee_model_value_elements(m, m->input), at = first_odd(input, n * elements);
  if (at == n * elements) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: value %lld of sample %lld is %g, expected a finite number",
                 o->data, (long long)(at % elements), (long long)(first + at / elements),
                 (double)input[at]);
}

static ee_status check_logits(const score_options *o, const ee_model *m, const float *logits,
                              int64_t first, int n) {
  int64_t row = (int64_t)m->n_exits * m->n_classes, at = first_odd(logits, n * row);
  if (at == n * row) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: exit %d gives sample %lld of %s the logit %g for class %d",
                 o->model, (int)(at % row / m->n_classes), (long long)(first + at / row), o->data,
                 (double)logits[at], (int)(at % m->n_classes));
}

static ee_status score_all(const score_options *o, ee_whole *whole, ee_stream *stream,
                           ee_exits_writer *writer, const outputs *out, tally *t) {
  ee_progress     progress = ee_progress_begin("scored", stream->n);
  const ee_model *m        = whole->model;
  for (int64_t at = 0; at < stream->n;) {
    int64_t left = stream->n - at;
    int     n    = left < whole->batch_limit ? (int)left : whole->batch_limit;
    EE_TRY(ee_stream_read(stream, at, n, ee_whole_input(whole)));
    EE_TRY(check_input(o, m, ee_whole_input(whole), at, n));
    EE_TRY(ee_whole_run(whole, n, out->logits, out->score));
    EE_TRY(check_logits(o, m, out->logits, at, n));
    const int32_t *label = stream->label != NULL ? stream->label + at : NULL;
    EE_TRY(ee_exits_append_scored(writer, n, out->logits, out->score, label));
    if (label != NULL) count_right(m, out->logits, label, n, t);
    at += n;
    ee_progress_show(&progress, at);
  }
  ee_progress_end(&progress);
  return EE_OK;
}

static ee_status print_json(const ee_model *m, const ee_stream *stream, const tally *t) {
  cJSON *all = cJSON_CreateObject(), *exits = cJSON_AddArrayToObject(all, "exits");
  cJSON_AddNumberToObject(all, "samples", (double)stream->n);
  cJSON_AddNumberToObject(all, "labelled", (double)t->labelled);
  for (int e = 0; e < m->n_exits; e++) {
    cJSON *one = ee_json_item(exits);
    cJSON_AddStringToObject(one, "name", m->exit[e].name);
    cJSON_AddNumberToObject(one, "accuracy", accuracy(t, e));  // null if NaN
  }
  return ee_json_print(all);
}

static void print_text(const ee_model *m, const ee_stream *stream, const tally *t) {
  if (t->labelled == 0) return;
  for (int e = 0; e < m->n_exits; e++)
    printf("exit %d  %-24s  accuracy %.4f\n", e, m->exit[e].name, accuracy(t, e));
  if (t->labelled < stream->n)
    printf("of the %lld samples, %lld are labelled\n", (long long)stream->n,
           (long long)t->labelled);
}

/* "MODEL on DATA", malloc()ed. */
static char *provenance(const score_options *o) {
  const char *cuts = o->cuts != NULL ? o->cuts : "";
  size_t      size = strlen(o->model) + strlen(o->data) + strlen(cuts) + 64;
  char       *text = malloc(size);
  if (text == NULL) return NULL;
  int n = snprintf(text, size, "%s on %s", o->model, o->data);
  if (o->cuts != NULL)
    snprintf(text + n, size - (size_t)n, ", values rounded to %s at cut %s", o->values, cuts);
  return text;
}

static ee_status create_table(const score_options *o, const ee_whole *whole, const rounding *r,
                              ee_exits_writer **writer) {
  const ee_model *m    = whole->model;
  char           *text = provenance(o);
  if (text == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the provenance of %s", o->out);
  ee_status status = ee_exits_create(o->out, m, text, writer);
  free(text);
  if (status == EE_OK) {
    status = ee_exits_note_backend(*writer, ee_backend_of_answers(whole->backend, m));
  }
  if (status != EE_OK || r->n == 0) return status;
  return ee_exits_note_links(*writer, o->values, r->cut, r->n);
}

/* The cuts of --cuts: one in front of a layer of that name, or numbers. */
static ee_status read_cuts(const score_options *o, const ee_model *m, rounding *r) {
  ee_plan *plan = NULL;
  int      l    = 1;
  if (o->cuts == NULL) return EE_OK;
  while (l < m->n_layers && strcmp(m->layer[l].name, o->cuts) != 0) l++;
  if (l == m->n_layers) EE_TRY(ee_parse_cuts(o->cuts, m->n_layers, m->n_layers, &plan));
  r->values = (ee_link_values)ee_link_values_by_name(o->values);
  r->n      = plan != NULL ? plan->n_stages - 1 : 1;
  r->cut    = calloc((size_t)r->n, sizeof *r->cut);
  for (int i = 0; i < r->n && r->cut != NULL; i++) {
    r->cut[i] = plan != NULL ? plan->stage[i + 1].begin : l;
  }
  ee_plan_destroy(&plan);
  return r->cut != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %d cuts", r->n);
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

static ee_status score_model(const score_options *o, const ee_model *model, const rounding *r,
                             ee_stream *stream) {
  ee_whole         whole;
  ee_exits_writer *writer = NULL;
  outputs          out;
  tally            t = {0};
  EE_TRY(ee_whole_open(model, o->backend, o->batch, &whole));
  ee_status status = make_room(model, whole.batch_limit, &out, &t.right);
  if (status == EE_OK && r->n > 0) status = ee_whole_round(&whole, r->values, r->cut, r->n);
  if (status == EE_OK) status = create_table(o, &whole, r, &writer);
  if (status == EE_OK) status = score_all(o, &whole, stream, writer, &out, &t);
  if (writer != NULL) {
    ee_status closed = ee_exits_finish(&writer, status == EE_OK);
    if (status == EE_OK) status = closed;
  }
  if (status == EE_OK && o->json) status = print_json(model, stream, &t);
  if (status == EE_OK && !o->json) print_text(model, stream, &t);
  free(out.logits);
  free(out.score);
  free(t.right);
  ee_whole_close(&whole);
  return status;
}

static ee_status check(const score_options *o) {
  if (o->out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o EXITS.h5 is missing");
  if ((o->values != NULL) != (o->cuts != NULL)) {
    return EE_FAIL(EE_ERR_USAGE, "--link-values and --cuts go together: how, and where");
  }
  if (o->values == NULL || ee_link_values_by_name(o->values) > EE_LINK_F32) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "--link-values is %s; expected f16 or int8", o->values);
}

static ee_status score(const score_options *o) {
  ee_model *model = NULL;
  rounding  round = {0};
  ee_stream stream;
  EE_TRY(check(o));
  EE_TRY(ee_refuse_same_file(o->model, o->out));
  EE_TRY(ee_refuse_same_file(o->data, o->out));
  EE_TRY(ee_check_output(o->out));
  EE_TRY(ee_model_load(o->model, &model));
  ee_status status = read_cuts(o, model, &round);
  if (status == EE_OK) status = ee_stream_open(o->data, model, o->samples, &stream);
  if (status == EE_OK) {
    status = score_model(o, model, &round, &stream);
    ee_stream_close(&stream);
  }
  free(round.cut);
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
      {"backend", 0, EE_OPTION_TEXT, &o.backend, "NAME",
       "default: the environment's EE_BACKEND, or the best", 0, 0},
      {"link-values", 0, EE_OPTION_TEXT, &o.values, "f16|int8",
       "round values at --cuts, as links would that carry these", 0, 0},
      {"cuts", 0, EE_OPTION_TEXT, &o.cuts, "C/D/...|NAME",
       "in front of these layers, by number, or of the one of this name", 0, 0},
      ee_winograd_option,
      ee_tuned_option,
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
