/* SPDX-License-Identifier: Apache-2.0 */
/* Exit tables in memory: room, rows from logits, and what may stand in them. */
#include "ee/exit_table.h"

#include <math.h>
#include <stdlib.h>

#include "ee/confidence.h"

#define SUM_TOLERANCE 1e-3

static bool fits(int64_t n, int n_exits, int n_classes) {
  if (n < 0 || n_exits < 1 || n_classes < 1) return false;
  int64_t most = INT64_MAX / 64;
  return n_exits <= most / n_classes && n <= most / ((int64_t)n_exits * n_classes);
}

/* calloc that gives memory for nothing, too. */
static void *room(int64_t n, size_t bytes) {
  return calloc(n > 0 ? (size_t)n : 1, bytes);
}

static bool allocate(ee_exit_table *t, ee_exit_table_parts parts) {
  int64_t cells = t->n * t->n_exits;
  t->prediction = room(cells, sizeof *t->prediction);
  t->label      = room(t->n, sizeof *t->label);
  t->layers     = room(t->n_exits, sizeof *t->layers);
  t->flops      = room(t->n_exits, sizeof *t->flops);
  if (parts.confidence) t->confidence = room(cells, sizeof *t->confidence);
  if (parts.probability) t->probability = room(cells * t->n_classes, sizeof *t->probability);
  if (parts.score) t->score = room(cells, sizeof *t->score);
  return t->prediction != NULL && t->label != NULL && t->layers != NULL && t->flops != NULL &&
         (t->confidence != NULL || !parts.confidence) &&
         (t->probability != NULL || !parts.probability) && (t->score != NULL || !parts.score);
}

ee_status ee_exit_table_create(int64_t n, int n_exits, int n_classes, ee_exit_table_parts parts,
                               ee_exit_table **table) {
  *table = NULL;
  if (!fits(n, n_exits, n_classes)) {
    return EE_FAIL(EE_ERR_ARG, "an exit table cannot have %lld samples, %d exits and %d classes",
                   (long long)n, n_exits, n_classes);
  }
  ee_exit_table *t = calloc(1, sizeof *t);
  if (t != NULL) *t = (ee_exit_table){.n = n, .n_exits = n_exits, .n_classes = n_classes};
  if (t == NULL || !allocate(t, parts)) {
    ee_exit_table_destroy(&t);
    return EE_FAIL(EE_ERR_NOMEM, "for an exit table of %lld samples, %d exits and %d classes",
                   (long long)n, n_exits, n_classes);
  }
  for (int64_t i = 0; i < n; i++) t->label[i] = -1;
  for (int64_t k = 0; t->score != NULL && k < n * n_exits; k++) t->score[k] = NAN;
  for (int e = 0; e < n_exits; e++) {
    t->layers[e] = e + 1;
    t->flops[e]  = e + 1;
  }
  *table = t;
  return EE_OK;
}

void ee_exit_table_set_logits(ee_exit_table *table, int64_t i, const float *logits,
                              const float *temperature) {
  int k = table->n_classes;
  for (int e = 0; e < table->n_exits; e++) {
    const float *z    = logits + (int64_t)e * k;
    int64_t      cell = i * table->n_exits + e;
    int          best = ee_argmax(z, k);

    table->prediction[cell] = best;
    if (table->probability != NULL) {
      float *p = table->probability + cell * k;
      ee_softmax(z, k, temperature[e], p);
      if (table->confidence != NULL) table->confidence[cell] = p[best];
    } else if (table->confidence != NULL) {
      double sum = 0.0;
      for (int c = 0; c < k; c++) sum += exp(((double)z[c] - z[best]) / temperature[e]);
      table->confidence[cell] = (float)(1.0 / sum);
    }
  }
}

/* NaN is in no range. */
static bool in_unit(float x) {
  return x >= 0.0f && x <= 1.0f;
}

static ee_status check_probabilities(const ee_exit_table *t, int64_t i, int e) {
  const float *p   = t->probability + (i * t->n_exits + e) * t->n_classes;
  double       sum = 0.0;
  for (int k = 0; k < t->n_classes; k++) {
    if (!(p[k] >= 0.0f && p[k] <= 1.0f + (float)SUM_TOLERANCE)) {
      return EE_FAIL(EE_ERR_ARG, "row %lld, exit %d: probability of class %d is %g, not in [0, 1]",
                     (long long)i, e, k, (double)p[k]);
    }
    sum += p[k];
  }
  if (fabs(sum - 1.0) <= SUM_TOLERANCE) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "row %lld, exit %d: probabilities add up to %g, expected 1",
                 (long long)i, e, sum);
}

static ee_status check_cell(const ee_exit_table *t, int64_t i, int e) {
  int64_t cell = i * t->n_exits + e;
  int32_t said = t->prediction[cell];
  if (said < 0 || said >= t->n_classes) {
    return EE_FAIL(EE_ERR_ARG, "row %lld, exit %d: prediction is %d, expected 0 to %d",
                   (long long)i, e, (int)said, t->n_classes - 1);
  }
  if (t->confidence != NULL && !in_unit(t->confidence[cell])) {
    return EE_FAIL(EE_ERR_ARG, "row %lld, exit %d: confidence is %g, not in [0, 1]", (long long)i,
                   e, (double)t->confidence[cell]);
  }
  if (t->score != NULL && !isnan(t->score[cell]) && !in_unit(t->score[cell])) {
    return EE_FAIL(EE_ERR_ARG, "row %lld, exit %d: score is %g, not in [0, 1]", (long long)i, e,
                   (double)t->score[cell]);
  }
  return t->probability != NULL ? check_probabilities(t, i, e) : EE_OK;
}

static ee_status check_costs(const ee_exit_table *t) {
  for (int e = 0; e < t->n_exits; e++) {
    int    layers = e > 0 ? t->layers[e - 1] : 1;
    double flops  = e > 0 ? t->flops[e - 1] : 0.0;
    if (t->layers[e] < layers) {
      return EE_FAIL(EE_ERR_ARG, "exit %d stands after %d layers, expected at least %d", e,
                     t->layers[e], layers);
    }
    if (!(t->flops[e] >= flops && isfinite(t->flops[e]))) {
      return EE_FAIL(EE_ERR_ARG, "exit %d costs %g FLOP, expected at least %g", e, t->flops[e],
                     flops);
    }
  }
  return EE_OK;
}

ee_status ee_exit_table_check(const ee_exit_table *table) {
  EE_TRY(check_costs(table));
  for (int64_t i = 0; i < table->n; i++) {
    if (table->label[i] < -1 || table->label[i] >= table->n_classes) {
      return EE_FAIL(EE_ERR_ARG,
                     "row %lld: label is %d, expected 0 to %d, or -1 if it is not known",
                     (long long)i, (int)table->label[i], table->n_classes - 1);
    }
    for (int e = 0; e < table->n_exits; e++) EE_TRY(check_cell(table, i, e));
  }
  return EE_OK;
}

void ee_exit_table_destroy(ee_exit_table **table) {
  ee_exit_table *t = *table;
  if (t == NULL) return;
  free(t->confidence);
  free(t->prediction);
  free(t->label);
  free(t->probability);
  free(t->score);
  free(t->layers);
  free(t->flops);
  free(t);
  *table = NULL;
}
