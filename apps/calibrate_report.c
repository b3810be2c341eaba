/* SPDX-License-Identifier: Apache-2.0 */
/* A calibration as text, JSON, reliability diagrams and a line in the model. */
#include "calibrate_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/reliability_file.h"
#include "json.h"

#define LINE_START EE_CALIBRATION_LINE

/* ---- text ---- */

static void print_comparison(const ee_calibration *c) {
  printf("\nexit  scaling             NLL     ECE  classwise   Brier  accuracy\n");
  for (int e = 0; e < c->n_exits; e++) {
    const ee_exit_change *x      = &c->exit[e];
    const char           *name[] = {"as stored", "temperature", "vector"};
    const ee_measures    *m[]    = {&x->measures[0], &x->measures[1], &x->vector};
    for (int k = 0; k < 3; k++) {
      printf("%4d  %-15s  %.4f  %.4f     %.4f  %.4f    %.4f\n", e, name[k], m[k]->nll,
             m[k]->reliability.ece, m[k]->classwise_ece, m[k]->brier, m[k]->accuracy);
    }
    printf("%4d  %-15s       -  %.4f          -       -    %.4f\n", e, "isotonic", x->isotonic.ece,
           x->measures[0].accuracy);
  }
}

void ee_calibration_print(const ee_calibration *c) {
  printf("fitted on %lld samples of %s, measured on %lld %s of %s\n", (long long)c->fit_n,
         c->fit_path, (long long)c->test_n, c->unseen ? "others" : "of the same", c->test_path);
  printf(
      "exit   fitted     temperature        NLL               ECE               "
      "classwise ECE     Brier             accuracy\n");
  for (int e = 0; e < c->n_exits; e++) {
    const ee_exit_change *x = &c->exit[e];
    const ee_measures    *a = &x->measures[0], *b = &x->measures[1];
    printf(
        "%4d  %7lld  %6.4g -> %-6.4g  %.4f -> %.4f  %.4f -> %.4f  %.4f -> %.4f  %.4f -> %.4f  "
        "%.4f\n",
        e, (long long)x->fitted, x->temperature[0], x->temperature[1], a->nll, b->nll,
        a->reliability.ece, b->reliability.ece, a->classwise_ece, b->classwise_ece, a->brier,
        b->brier, a->accuracy);
  }
  if (c->compared) print_comparison(c);
}

/* ---- JSON ---- */

static void add_measures(cJSON *to, const ee_measures *m, const char *suffix) {
  const char  *name[]  = {"nll", "ece", "classwise_ece", "brier"};
  const double value[] = {m->nll, m->reliability.ece, m->classwise_ece, m->brier};
  for (int k = 0; k < 4; k++) {
    char key[32];
    snprintf(key, sizeof key, "%s%s", name[k], suffix);
    cJSON_AddNumberToObject(to, key, value[k]);
  }
}

static void add_change(cJSON *exits, const ee_exit_change *x, bool compared) {
  cJSON *one = ee_json_item(exits);
  cJSON_AddNumberToObject(one, "temperature_before", x->temperature[0]);
  cJSON_AddNumberToObject(one, "temperature", x->temperature[1]);
  cJSON_AddNumberToObject(one, "fitted", (double)x->fitted);
  add_measures(one, &x->measures[0], "_before");
  add_measures(one, &x->measures[1], "");
  cJSON_AddNumberToObject(one, "accuracy", x->measures[0].accuracy);
  if (!compared) return;
  cJSON *vector = cJSON_AddObjectToObject(one, "vector");
  add_measures(vector, &x->vector, "");
  cJSON_AddNumberToObject(vector, "accuracy", x->vector.accuracy);
  cJSON_AddNumberToObject(cJSON_AddObjectToObject(one, "isotonic"), "ece", x->isotonic.ece);
}

ee_status ee_calibration_print_json(const ee_calibration *c) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "mode", c->mode);
  if (c->targeted) cJSON_AddNumberToObject(all, "target", c->target);
  cJSON_AddStringToObject(all, "fitted_on", c->fit_path);
  cJSON_AddNumberToObject(all, "fitted_samples", (double)c->fit_n);
  cJSON_AddStringToObject(all, "measured_on", c->test_path);
  cJSON_AddNumberToObject(all, "measured_samples", (double)c->test_n);
  cJSON_AddBoolToObject(all, "unseen", c->unseen);
  cJSON *exits = cJSON_AddArrayToObject(all, "exits");
  for (int e = 0; e < c->n_exits; e++) add_change(exits, &c->exit[e], c->compared);
  return ee_json_print(all);
}

/* ---- reliability diagrams ---- */

enum { PER_EXIT = 2 * EE_ECE_BINS };

/* @p real: room for confidences, accuracies, temperatures and errors, in this order. */
static void fill_diagrams(const ee_calibration *c, int64_t *count, double *real) {
  double *confidence = real, *accuracy = real + c->n_exits * PER_EXIT;
  double *temperature = real + 2 * c->n_exits * PER_EXIT, *ece = temperature + 2 * c->n_exits;
  for (int j = 0; j < 2 * c->n_exits; j++) {
    const ee_exit_change *x = &c->exit[j / 2];
    const ee_reliability *r = &x->measures[j % 2].reliability;
    temperature[j]          = x->temperature[j % 2];
    ece[j]                  = r->ece;
    for (int b = 0; b < EE_ECE_BINS; b++) {
      count[j * EE_ECE_BINS + b]      = r->bin[b].count;
      confidence[j * EE_ECE_BINS + b] = r->bin[b].confidence;
      accuracy[j * EE_ECE_BINS + b]   = r->bin[b].accuracy;
    }
  }
}

ee_status ee_calibration_save_reliability(const ee_calibration *c, const char *path) {
  size_t    n      = (size_t)c->n_exits;
  int64_t  *count  = calloc(n, PER_EXIT * sizeof *count);
  double   *real   = calloc(n, (2 * PER_EXIT + 4) * sizeof *real);
  ee_status status = EE_OK;
  if (count == NULL || real == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for the diagrams of %d exits", c->n_exits);
  } else {
    char line[EE_MESSAGE_BYTES];
    fill_diagrams(c, count, real);
    ee_calibration_line(c, line, sizeof line);
    status =
        ee_reliability_save(path, &(ee_reliability_data){.n_exits     = c->n_exits,
                                                         .n_bins      = EE_ECE_BINS,
                                                         .count       = count,
                                                         .confidence  = real,
                                                         .accuracy    = real + n * PER_EXIT,
                                                         .temperature = real + 2 * n * PER_EXIT,
                                                         .ece = real + 2 * n * PER_EXIT + 2 * n,
                                                         .provenance = line});
  }
  free(count);
  free(real);
  return status;
}

/* ---- what the model remembers ---- */

void ee_calibration_line(const ee_calibration *c, char *line, int bytes) {
  char target[48] = "", measured[320] = "";
  if (c->targeted) snprintf(target, sizeof target, " under confidence %g", c->target);
  if (c->unseen)
    snprintf(measured, sizeof measured, ", measured on %lld others of %.240s", (long long)c->test_n,
             c->test_path);
  int at = snprintf(line, (size_t)bytes,
                    LINE_START "mode %s%s, fitted on %lld samples of %.240s%s; samples per exit",
                    c->mode, target, (long long)c->fit_n, c->fit_path, measured);
  for (int e = 0; e < c->n_exits && at < bytes - 24; e++) {
    at += snprintf(line + at, (size_t)(bytes - at), " %lld", (long long)c->exit[e].fitted);
  }
}
