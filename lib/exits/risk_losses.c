/* SPDX-License-Identifier: Apache-2.0 */
/* What leaving early costs each sample, at each threshold of a grid. */
#include <math.h>
#include <stdlib.h>

#include "ee/confidence.h"
#include "ee/measures.h"
#include "ee/risk.h"

static ee_status check_grid(int n_grid, const double *grid) {
  if (n_grid < 1) return EE_FAIL(EE_ERR_ARG, "the grid has %d thresholds, expected some", n_grid);
  for (int k = 0; k < n_grid; k++) {
    if (!isnan(grid[k]) && (k == 0 || grid[k] < grid[k - 1])) continue;
    return EE_FAIL(EE_ERR_ARG, "threshold %d of the grid is %g, expected less than the one before",
                   k, grid[k]);
  }
  return EE_OK;
}

static ee_status check(const ee_score_table *scores, const double *temperature, int n_grid,
                       const double *grid) {
  EE_TRY(ee_score_table_check(scores));
  EE_TRY(check_grid(n_grid, grid));
  for (int e = 0; e < scores->n_exits; e++) {
    if (temperature[e] > 0.0 && isfinite(temperature[e])) continue;
    return EE_FAIL(EE_ERR_ARG, "exit %d has temperature %g, expected a positive number", e,
                   temperature[e]);
  }
  return EE_OK;
}

/* One sample's answer at one exit. */
typedef struct answer {
  float  confidence;
  int    prediction;
  double brier;  // half the score
} answer;

static double half_brier(const float *z, int n, double temperature, int label, double *p) {
  ee_scaling scaling = {.temperature = temperature};
  double     sum     = 0.0;
  ee_scaled_softmax(z, n, &scaling, label, p);
  for (int k = 0; k < n; k++) sum += (p[k] - (k == label)) * (p[k] - (k == label));
  return sum / 2.0;
}

static answer answer_of(const ee_score_table *s, int exit, int64_t i, double temperature,
                        double *p) {
  const float *z = s->logits + ((int64_t)exit * s->n + i) * s->n_classes;
  return (answer){.confidence = ee_confidence_at(z, s->n_classes, temperature),
                  .prediction = ee_argmax(z, s->n_classes),
                  .brier      = half_brier(z, s->n_classes, temperature, s->label[i], p)};
}

static double loss_of(ee_risk_loss loss, const answer *early, const answer *last, int label) {
  switch (loss) {
    case EE_LOSS_CONSISTENCY:
      return early->prediction != last->prediction;
    case EE_LOSS_GAP:
      return (early->prediction != label) - (last->prediction != label);
    case EE_LOSS_BRIER:
      return early->brier - last->brier;
  }
  return 1.0;
}

static void fill(const ee_score_table *scores, const double *temperature, ee_risk_loss loss,
                 ee_risk_table *table, answer *all, double *p) {
  int last = scores->n_exits - 1;
  for (int64_t i = 0; i < scores->n; i++) {
    for (int e = 0; e <= last; e++) all[e] = answer_of(scores, e, i, temperature[e], p);
    for (int k = 0; k < table->n_grid; k++) {
      int at = 0;
      while (at < last && !(all[at].confidence >= (float)table->grid[k])) at++;
      table->loss[(int64_t)k * table->n + i] =
          loss_of(loss, &all[at], &all[last], scores->label[i]);
    }
  }
}

static ee_status table_open(int64_t n, int n_grid, const double *grid, ee_risk_table *table) {
  size_t values;
  *table = (ee_risk_table){.n = n, .n_grid = n_grid};
  if (!__builtin_mul_overflow((size_t)n, (size_t)n_grid, &values)) {
    table->grid = calloc((size_t)n_grid, sizeof *table->grid);
    table->loss = calloc(values, sizeof *table->loss);
  }
  if (table->grid == NULL || table->loss == NULL) {
    ee_risk_table_free(table);
    return EE_FAIL(EE_ERR_NOMEM, "for the losses of %lld samples at %d thresholds", (long long)n,
                   n_grid);
  }
  for (int k = 0; k < n_grid; k++) table->grid[k] = grid[k];
  return EE_OK;
}

ee_status ee_risk_losses(const ee_score_table *scores, const double *temperature, ee_risk_loss loss,
                         int n_grid, const double *grid, ee_risk_table *table) {
  *table = (ee_risk_table){.n = 0};
  EE_TRY(check(scores, temperature, n_grid, grid));
  answer   *all    = calloc((size_t)scores->n_exits, sizeof *all);
  double   *p      = calloc((size_t)scores->n_classes, sizeof *p);
  ee_status status = all != NULL && p != NULL ? table_open(scores->n, n_grid, grid, table)
                                              : EE_FAIL(EE_ERR_NOMEM, "for one sample's answers");
  if (status == EE_OK) fill(scores, temperature, loss, table, all, p);
  free(all);
  free(p);
  return status;
}

void ee_risk_envelope(ee_risk_table *table) {
  for (int64_t j = table->n; j < table->n * table->n_grid; j++) {
    table->loss[j] = fmax(table->loss[j], table->loss[j - table->n]);
  }
}

void ee_risk_table_free(ee_risk_table *table) {
  free(table->grid);
  free(table->loss);
  *table = (ee_risk_table){.n = 0};
}
