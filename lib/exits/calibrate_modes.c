/* SPDX-License-Identifier: Apache-2.0 */
/* Temperatures of all exits of a network, each fitted on the samples that it has to do with. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ee/calibrate.h"
#include "ee/confidence.h"

ee_scores ee_scores_of(const ee_score_table *table, int exit) {
  size_t first = (size_t)exit * (size_t)table->n * (size_t)table->n_classes;
  return (ee_scores){.n         = table->n,
                     .n_classes = table->n_classes,
                     .logits    = table->logits + first,
                     .label     = table->label};
}

ee_status ee_score_table_check(const ee_score_table *table) {
  if (table->n_exits < 1)
    return EE_FAIL(EE_ERR_ARG, "there are %d exits, expected at least one", table->n_exits);
  for (int e = 0; e < table->n_exits; e++) {
    ee_scores scores = ee_scores_of(table, e);
    ee_status status = ee_scores_check(&scores);
    if (status == EE_OK) continue;
    char reason[EE_MESSAGE_BYTES];
    strcpy(reason, ee_status_message());
    return EE_FAIL(status, "exit %d: %.900s", e, reason);
  }
  return EE_OK;
}

float ee_confidence_at(const float *z, int n, double temperature) {
  double top = z[ee_argmax(z, n)], sum = 0.0;
  for (int k = 0; k < n; k++) sum += exp((z[k] - top) / (float)temperature);
  return (float)(1.0 / sum);
}

static const float *logits_at(const ee_score_table *table, int exit, int64_t i) {
  return table->logits + ((int64_t)exit * table->n + i) * table->n_classes;
}

static bool takes(const ee_score_table *table, int exit, int64_t i, double temperature,
                  double target) {
  if (exit == table->n_exits - 1) return true;
  const float *z = logits_at(table, exit, i);
  return ee_confidence_at(z, table->n_classes, temperature) >= (float)target;
}

/* Samples picked from a table: room for all of them. */
typedef struct pick {
  ee_scores scores;  // of those picked so far; its arrays are those below
  float    *logits;
  int32_t  *label;
  int      *exit;  // shape [n], where each sample stands or leaves
} pick;

static ee_status pick_open(const ee_score_table *table, pick *p) {
  size_t n = (size_t)table->n, one = (size_t)table->n_classes * sizeof *p->logits;
  *p        = (pick){.logits = calloc(n, one),
                     .label  = calloc(n, sizeof *p->label),
                     .exit   = calloc(n, sizeof *p->exit)};
  p->scores = (ee_scores){.n_classes = table->n_classes, .logits = p->logits, .label = p->label};
  if (p->logits != NULL && p->label != NULL && p->exit != NULL) return EE_OK;
  return EE_FAIL(EE_ERR_NOMEM, "for the logits of %lld samples", (long long)table->n);
}

static void pick_close(pick *p) {
  free(p->logits);
  free(p->label);
  free(p->exit);
}

static void pick_add(pick *p, const ee_score_table *table, int exit, int64_t i) {
  size_t classes = (size_t)table->n_classes;
  memcpy(p->logits + (size_t)p->scores.n * classes, logits_at(table, exit, i),
         classes * sizeof *p->logits);
  p->label[p->scores.n++] = table->label[i];
}

/* The temperature of the picked samples; 1 if there is none. */
static ee_status fit_picked(const pick *p, double *temperature, int64_t *fitted) {
  *temperature = 1.0;
  *fitted      = p->scores.n;
  return p->scores.n > 0 ? ee_calibrate_temperature(&p->scores, temperature) : EE_OK;
}

static ee_status fit_all(const ee_score_table *table, double *temperature, int64_t *fitted) {
  for (int e = 0; e < table->n_exits; e++) {
    ee_scores scores = ee_scores_of(table, e);
    EE_TRY(ee_calibrate_temperature(&scores, &temperature[e]));
    fitted[e] = table->n;
  }
  return EE_OK;
}

/* From the first exit to the last, which each see whom the calibrated exits before let go on. */
static ee_status fit_reach(const ee_score_table *table, double target, pick *p, double *temperature,
                           int64_t *fitted) {
  for (int64_t i = 0; i < table->n; i++) p->exit[i] = 0;
  for (int e = 0; e < table->n_exits; e++) {
    p->scores.n = 0;
    for (int64_t i = 0; i < table->n; i++) {
      if (p->exit[i] == e) pick_add(p, table, e, i);
    }
    EE_TRY(fit_picked(p, &temperature[e], &fitted[e]));
    for (int64_t i = 0; i < table->n; i++) {
      p->exit[i] += p->exit[i] == e && !takes(table, e, i, temperature[e], target);
    }
  }
  return EE_OK;
}

/* Where each sample leaves before calibration. */
static void find_exits(const ee_score_table *table, double target, int *exit) {
  for (int64_t i = 0; i < table->n; i++) {
    exit[i] = 0;
    while (!takes(table, exit[i], i, 1.0, target)) exit[i]++;
  }
}

static ee_status fit_leave(const ee_score_table *table, double target, pick *p, double *temperature,
                           int64_t *fitted) {
  find_exits(table, target, p->exit);
  for (int e = 0; e < table->n_exits; e++) {
    p->scores.n = 0;
    for (int64_t i = 0; i < table->n; i++) {
      if (p->exit[i] == e) pick_add(p, table, e, i);
    }
    EE_TRY(fit_picked(p, &temperature[e], &fitted[e]));
  }
  return EE_OK;
}

static ee_status fit_global(const ee_score_table *table, double target, pick *p,
                            double *temperature, int64_t *fitted) {
  find_exits(table, target, p->exit);
  for (int64_t i = 0; i < table->n; i++) pick_add(p, table, p->exit[i], i);
  EE_TRY(fit_picked(p, &temperature[0], &fitted[0]));
  for (int e = 1; e < table->n_exits; e++) {
    temperature[e] = temperature[0];
    fitted[e]      = fitted[0];
  }
  return EE_OK;
}

static ee_status fit_some(const ee_score_table *table, ee_calibrate_mode mode, double target,
                          pick *p, double *temperature, int64_t *fitted) {
  switch (mode) {
    case EE_CALIBRATE_ALL:
      return fit_all(table, temperature, fitted);
    case EE_CALIBRATE_REACH:
      return fit_reach(table, target, p, temperature, fitted);
    case EE_CALIBRATE_LEAVE:
      return fit_leave(table, target, p, temperature, fitted);
    case EE_CALIBRATE_GLOBAL:
      return fit_global(table, target, p, temperature, fitted);
  }
  return EE_FAIL(EE_ERR_ARG, "there is no mode %d of calibration", (int)mode);
}

ee_status ee_calibrate_exits(const ee_score_table *table, ee_calibrate_mode mode, double target,
                             double *temperature, int64_t *fitted) {
  pick p;
  EE_TRY(ee_score_table_check(table));
  ee_status status = pick_open(table, &p);
  if (status == EE_OK) status = fit_some(table, mode, target, &p, temperature, fitted);
  pick_close(&p);
  return status;
}
