/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit calibrate: one temperature per exit, fitted on one part of the data, measured on
 * another, stored in the model. */
#include "ee/calibrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate_report.h"
#include "calibrate_scores.h"
#include "command.h"
#include "ee/log.h"
#include "ee/model_file.h"
#include "output_path.h"
#include "provenance.h"
#include "same_file.h"
#include "tuned.h"
#include "winograd.h"

#define SPSA_STEPS 200
#define HOLDOUT_DEFAULT 0.5
#define NOT_GIVEN (-1.0)

typedef struct calibrate_options {
  const char *model, *data, *exits, *test, *out, *mode, *reliability, *backend;
  double      target, beta, holdout;
  uint64_t    seed;
  int         samples;
  bool        compare, json;
} calibrate_options;

/* ---- modes ---- */

static const char *const mode_name[] = {"all", "reach", "leave", "global", "offloading"};

enum { OFFLOADING = EE_CALIBRATE_GLOBAL + 1, MODES };

static ee_status find_mode(const char *name, int *mode) {
  for (*mode = 0; *mode < MODES; (*mode)++) {
    if (strcmp(name, mode_name[*mode]) == 0) return EE_OK;
  }
  return EE_FAIL(EE_ERR_USAGE, "--mode is %s, expected all, reach, leave, global or offloading",
                 name);
}

/* Offloading: an answer takes as long as the FLOP until its exit say. */
static ee_status fit_offloading(const calibrate_options *o, const ee_model *m,
                                const ee_score_table *fit, double *temperature, int64_t *fitted) {
  double *time = calloc((size_t)m->n_exits, sizeof *time), flops = 0.0, z;
  if (time == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", m->n_exits);
  for (int e = 0, layer = 0; e < m->n_exits; e++) {
    for (; layer <= m->exit[e].attach; layer++) flops += m->layer[layer].flops;
    flops += m->head_flops[e];
    time[e]   = flops;
    fitted[e] = e < m->n_exits - 1 ? fit->n : 0;
  }
  ee_offload_utility utility = {
      .target = o->target, .beta = o->beta, .time = time, .steps = SPSA_STEPS, .seed = o->seed};
  ee_status status = ee_calibrate_offloading(fit, &utility, temperature, &z);
  free(time);
  return status;
}

/* Temperatures of all exits, to the report and to the model; the arrays are room for them. */
static ee_status fit_into(const calibrate_options *o, ee_model *m, const ee_score_table *fit,
                          double *temperature, int64_t *fitted, ee_calibration *c) {
  int mode;
  EE_TRY(find_mode(o->mode, &mode));
  if (mode == OFFLOADING)
    EE_TRY(fit_offloading(o, m, fit, temperature, fitted));
  else
    EE_TRY(ee_calibrate_exits(fit, (ee_calibrate_mode)mode, o->target, temperature, fitted));
  c->targeted = mode != EE_CALIBRATE_ALL;
  for (int e = 0; e < m->n_exits; e++) {
    c->exit[e].temperature[0] = (double)m->exit[e].temperature;
    m->exit[e].temperature    = (float)temperature[e];
    c->exit[e].temperature[1] = (double)m->exit[e].temperature;
    c->exit[e].fitted         = fitted[e];
  }
  return EE_OK;
}

static bool at_bound(double temperature) {
  return temperature <= 1.001 * EE_TEMPERATURE_MIN || temperature >= 0.999 * EE_TEMPERATURE_MAX;
}

static void warn_fitted(const ee_calibration *c) {
  for (int e = 0; e < c->n_exits; e++) {
    double    t = c->exit[e].temperature[1];
    long long n = c->exit[e].fitted;
    if (n == 0) ee_log(EE_LOG_WARNING, "exit %d: no sample to fit on; its temperature is 1", e);
    if (!at_bound(t)) continue;
    ee_log(EE_LOG_WARNING,
           "exit %d: the best temperature is out of bounds, %g is stored; its %lld samples are too "
           "few, or nearly all right, or right by chance only",
           e, t, n);
  }
}

/* The last exit's temperature is 1. */
static void warn_offloading(const ee_calibration *c, double beta) {
  for (int e = 0; e < c->n_exits - 1; e++) {
    double t = c->exit[e].temperature[1];
    if (!at_bound(t)) continue;
    ee_log(EE_LOG_WARNING,
           "exit %d: the search went to the bound, temperature %g is stored; the exit takes %s, "
           "however sure it is; %s --beta than %g weighs accuracy %s",
           e, t, t < 1.0 ? "nearly all samples" : "hardly any sample",
           t < 1.0 ? "a higher" : "a lower", beta, t < 1.0 ? "more" : "less");
  }
}

static ee_status fit(const calibrate_options *o, ee_model *m, const ee_score_table *scores,
                     ee_calibration *c) {
  double   *temperature = calloc((size_t)m->n_exits, sizeof *temperature);
  int64_t  *fitted      = calloc((size_t)m->n_exits, sizeof *fitted);
  ee_status status      = temperature != NULL && fitted != NULL
                              ? fit_into(o, m, scores, temperature, fitted, c)
                              : EE_FAIL(EE_ERR_NOMEM, "for %d exits", m->n_exits);
  free(temperature);
  free(fitted);
  return status;
}

/* ---- what is fitted and measured on ---- */

typedef struct parts {
  ee_score_set fit, test;
  bool         same;  // measured on what was fitted on; test is empty
} parts;

static void parts_free(parts *p) {
  ee_score_set_free(&p->fit);
  ee_score_set_free(&p->test);
}

static ee_status read_parts(const calibrate_options *o, const ee_model *m, parts *p) {
  const char     *path    = o->exits != NULL ? o->exits : o->data;
  ee_score_source source  = {.path       = path,
                             .table_only = o->exits != NULL,
                             .model      = m,
                             .backend    = o->backend,
                             .samples    = o->samples};
  double          holdout = o->holdout == NOT_GIVEN ? HOLDOUT_DEFAULT : o->holdout;
  ee_score_set    all;
  EE_TRY(ee_score_set_read(&source, &all));
  if (o->test != NULL || holdout == 0.0) {
    *p                = (parts){.fit = all, .same = o->test == NULL};
    source.path       = o->test;
    source.table_only = false;
    return o->test != NULL ? ee_score_set_read(&source, &p->test) : EE_OK;
  }
  ee_status status = ee_score_set_split(&all, holdout, o->seed, &p->fit, &p->test);
  ee_score_set_free(&all);
  return status;
}

/* ---- the whole ---- */

static ee_status remember(const ee_calibration *c, ee_model *m) {
  char line[EE_MESSAGE_BYTES];
  ee_calibration_line(c, line, sizeof line);
  char *note = ee_provenance_note(m->provenance, EE_CALIBRATION_LINE, line);
  if (note == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the provenance of %s", m->name);
  m->provenance = note;
  return EE_OK;
}

static ee_status calibrate_model(const calibrate_options *o, ee_model *m, parts *p,
                                 ee_calibration *c) {
  const ee_score_table *test = p->same ? &p->fit.table : &p->test.table;
  c->fit_n                   = p->fit.table.n;
  c->test_n                  = test->n;
  c->unseen                  = !p->same;
  EE_TRY(fit(o, m, &p->fit.table, c));
  EE_TRY(ee_calibration_measure(c, &p->fit.table, test));
  EE_TRY(remember(c, m));
  if (o->reliability != NULL) EE_TRY(ee_calibration_save_reliability(c, o->reliability));
  EE_TRY(ee_model_save(m, o->out != NULL ? o->out : o->model));
  if (strcmp(o->mode, mode_name[OFFLOADING]) == 0)
    warn_offloading(c, o->beta);
  else
    warn_fitted(c);
  if (o->json) return ee_calibration_print_json(c);
  ee_calibration_print(c);
  return EE_OK;
}

static ee_status calibrate_parts(const calibrate_options *o, ee_model *m) {
  const char    *path = o->exits != NULL ? o->exits : o->data;
  parts          p    = {.same = false};
  ee_calibration c    = {.mode      = o->mode,
                         .target    = o->target,
                         .fit_path  = path,
                         .test_path = o->test != NULL ? o->test : path,
                         .compared  = o->compare,
                         .n_exits   = m->n_exits,
                         .exit      = calloc((size_t)m->n_exits, sizeof *c.exit)};
  ee_status      status =
      c.exit != NULL ? read_parts(o, m, &p) : EE_FAIL(EE_ERR_NOMEM, "for %d exits", m->n_exits);
  if (status == EE_OK) status = calibrate_model(o, m, &p, &c);
  parts_free(&p);
  free(c.exit);
  return status;
}

/* Of all files, only the model may be written over, by its own -o. */
static ee_status check_files(const calibrate_options *o) {
  const char *in[] = {o->data, o->exits, o->test};
  const char *out  = o->out != NULL ? o->out : o->model;
  for (int i = 0; i < 3; i++) {
    EE_TRY(ee_refuse_same_file(in[i], out));
    EE_TRY(ee_refuse_same_file(in[i], o->reliability));
  }
  EE_TRY(ee_refuse_same_file(o->model, o->reliability));
  EE_TRY(ee_refuse_same_output(out, o->reliability));
  EE_TRY(ee_check_output(o->out));
  return ee_check_output(o->reliability);
}

static ee_status check_options(const calibrate_options *o) {
  int mode;
  EE_TRY(find_mode(o->mode, &mode));
  if ((o->data == NULL) == (o->exits == NULL))
    return EE_FAIL(EE_ERR_USAGE, "expected either DATA.h5 or --exits EXITS.h5");
  if (o->test != NULL && o->holdout != NOT_GIVEN)
    return EE_FAIL(EE_ERR_USAGE, "expected either --holdout or --test, not both");
  return check_files(o);
}

static ee_status calibrate(const calibrate_options *o) {
  ee_model *model = NULL;
  EE_TRY(check_options(o));
  EE_TRY(ee_model_load(o->model, &model));
  ee_status status = calibrate_parts(o, model);
  ee_model_destroy(&model);
  return status;
}

int ee_app_calibrate(int argc, char **argv) {
  calibrate_options o        = {.mode = "all", .target = 0.8, .beta = 0.5, .holdout = NOT_GIVEN};
  const char       *in[2]    = {NULL, NULL};
  const ee_option   option[] = {
        {"output", 'o', EE_OPTION_TEXT, &o.out, "MODEL.h5", "default: the model file itself", 0, 0},
        {"mode", 0, EE_OPTION_TEXT, &o.mode, "NAME",
         "fit on all samples, those that reach or leave at an exit, one global, or offloading", 0, 0},
        {"target", 0, EE_OPTION_DOUBLE, &o.target, "P",
         "confidence at which exits take samples in the other modes; default 0.8", 0, 1},
        {"beta", 0, EE_OPTION_DOUBLE, &o.beta, "B",
         "offloading: weight of accuracy against time; default 0.5", 0, 1},
        {"holdout", 0, EE_OPTION_DOUBLE, &o.holdout, "SHARE",
         "samples to measure on only; default 0.5; 0: measure where fitted", 0, 0.999},
        {"test", 0, EE_OPTION_TEXT, &o.test, "DATA2.h5", "measure on these and fit on all others", 0,
         0},
        {"exits", 0, EE_OPTION_TEXT, &o.exits, "EXITS.h5", "exit table to use instead of DATA.h5", 0,
         0},
        {"compare", 0, EE_OPTION_FLAG, &o.compare, NULL,
         "with vector scaling and isotonic regression", 0, 0},
        {"reliability", 0, EE_OPTION_TEXT, &o.reliability, "OUT.h5", "write reliability diagrams", 0,
         0},
        {"seed", 0, EE_OPTION_UINT64, &o.seed, "N", "of the choice what to hold out; default 0", 0,
         0},
        {"samples", 'n', EE_OPTION_INT, &o.samples, "N", "only the first N; default all", 1, 2e9},
        {"backend", 0, EE_OPTION_TEXT, &o.backend, "NAME",
         "default: the environment's EE_BACKEND, or the best", 0, 0},
        ee_winograd_option,
        ee_tuned_option,
        {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit calibrate [options] MODEL.h5 [DATA.h5]",
                                "Fits each exit's temperature by least negative log-likelihood, "
                                "measures it on samples\nthat were held out, and stores it.  The "
                                "data should not be those the model was trained\non.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                2};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model = in[0];
  o.data  = n > 1 ? in[1] : NULL;
  return ee_app_finish(calibrate(&o));
}
