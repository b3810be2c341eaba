/* SPDX-License-Identifier: Apache-2.0 */
/* The lowest threshold that can be promised. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ee/risk.h"

static ee_status check(const ee_risk_table *table, const ee_risk_promise *promise) {
  bool with_delta = promise->method == EE_RISK_UCB || promise->method == EE_RISK_LTT;
  if (table->n < 1 || table->n_grid < 1)
    return EE_FAIL(EE_ERR_ARG, "there are %lld samples at %d thresholds, expected one at least",
                   (long long)table->n, table->n_grid);
  if (!(promise->epsilon > 0.0 && promise->epsilon < 1.0))
    return EE_FAIL(EE_ERR_ARG, "epsilon is %g, expected between 0 and 1", promise->epsilon);
  if (with_delta && !(promise->delta > 0.0 && promise->delta < 1.0))
    return EE_FAIL(EE_ERR_ARG, "delta is %g, expected between 0 and 1", promise->delta);
  return EE_OK;
}

static double mean(int64_t n, const double *x) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += x[i];
  return sum / (double)n;
}

/* Whether the samples speak for grid point @p k. */
static bool holds(const ee_risk_table *table, const ee_risk_promise *promise, int k) {
  int64_t       n       = table->n;
  const double *loss    = table->loss + k * n;
  double        epsilon = promise->epsilon;
  switch (promise->method) {
    case EE_RISK_NAIVE:
      return mean(n, loss) < epsilon;
    case EE_RISK_CRC:
      return mean(n, loss) <= ((double)(n + 1) * epsilon - 1.0) / (double)n;
    case EE_RISK_UCB:
      return ee_risk_wsr_bound(n, loss, promise->delta) < epsilon;
    case EE_RISK_LTT:
      return ee_risk_p_value(n, loss, epsilon) <= promise->delta;
  }
  return false;
}

/* The last that holds. */
static int last_of_all(const ee_risk_table *table, const ee_risk_promise *promise) {
  int k = table->n_grid - 1;
  while (k >= 0 && !holds(table, promise, k)) k--;
  return k;
}

/* The last before the first that does not hold. */
static int last_in_row(const ee_risk_table *table, const ee_risk_promise *promise) {
  int k = 0;
  while (k < table->n_grid && holds(table, promise, k)) k++;
  return k - 1;
}

ee_status ee_risk_choose(const ee_risk_table *table, const ee_risk_promise *promise, int *index) {
  EE_TRY(check(table, promise));
  bool in_row = promise->method == EE_RISK_UCB || promise->method == EE_RISK_LTT;
  *index      = in_row ? last_in_row(table, promise) : last_of_all(table, promise);
  return EE_OK;
}

static ee_status choose(ee_risk_table *table, const ee_risk_promise *promise, double *threshold) {
  int index;
  if (promise->method == EE_RISK_CRC || promise->method == EE_RISK_UCB) ee_risk_envelope(table);
  EE_TRY(ee_risk_choose(table, promise, &index));
  *threshold = index >= 0 ? table->grid[index] : INFINITY;
  return EE_OK;
}

/* Thresholds from 1 down to 0; NULL if there is no memory. */
static double *new_grid(int n_grid) {
  double *grid = calloc((size_t)n_grid + 1, sizeof *grid);
  for (int k = 0; grid != NULL && k <= n_grid; k++) grid[k] = 1.0 - (double)k / n_grid;
  return grid;
}

/* From scores, or from answers if there are none. */
static ee_status find(const ee_score_table *scores, const double *temperature,
                      const ee_exit_table *answers, ee_risk_loss loss,
                      const ee_risk_promise *promise, int n_grid, double *threshold) {
  ee_risk_table table;
  if (n_grid < 1) return EE_FAIL(EE_ERR_ARG, "the grid has %d steps, expected some", n_grid);
  double *grid = new_grid(n_grid);
  if (grid == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d thresholds", n_grid);
  ee_status status = scores != NULL
                         ? ee_risk_losses(scores, temperature, loss, n_grid + 1, grid, &table)
                         : ee_risk_answers_losses(answers, loss, n_grid + 1, grid, &table);
  if (status == EE_OK) status = choose(&table, promise, threshold);
  ee_risk_table_free(&table);
  free(grid);
  return status;
}

ee_status ee_risk_threshold(const ee_score_table *scores, const double *temperature,
                            ee_risk_loss loss, const ee_risk_promise *promise, int n_grid,
                            double *threshold) {
  return find(scores, temperature, NULL, loss, promise, n_grid, threshold);
}

ee_status ee_risk_answers_threshold(const ee_exit_table *answers, ee_risk_loss loss,
                                    const ee_risk_promise *promise, int n_grid, double *threshold) {
  return find(NULL, NULL, answers, loss, promise, n_grid, threshold);
}
