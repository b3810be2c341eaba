/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds for a budget, by the shares of samples that exits are to answer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/thresholds.h"

#define NOBODY 2.0f  // a threshold that no confidence reaches

static int down(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x < y) - (x > y);
}

/* What is needed while the exits are gone through. */
typedef struct pass {
  const ee_exit_table *table;
  char                *gone;    // shape [n], the sample has left
  float               *sorted;  // shape [n]
} pass;

/* Samples @p first to @p behind - 1 of those sorted are as confident as the @p rank-th, from 1: let
 * all of them go, or none, whichever number is nearer to the rank. */
static float nearer(const float *sorted, int64_t first, int64_t behind, int64_t rank) {
  if (behind - rank <= rank - first) return sorted[rank - 1];
  return first > 0 ? sorted[first - 1] : NOBODY;
}

/* The threshold at which about the @p rank most confident samples leave that are still there. */
static float ranked(const pass *s, int e, int64_t rank) {
  int64_t there = 0;
  for (int64_t i = 0; i < s->table->n; i++) {
    if (!s->gone[i]) s->sorted[there++] = s->table->confidence[i * s->table->n_exits + e];
  }
  if (rank < 1 || rank > there) return NOBODY;
  qsort(s->sorted, (size_t)there, sizeof *s->sorted, down);
  int64_t first = rank - 1, behind = rank;
  while (first > 0 && s->sorted[first - 1] == s->sorted[rank - 1]) first--;
  while (behind < there && s->sorted[behind] == s->sorted[rank - 1]) behind++;
  return nearer(s->sorted, first, behind, rank);
}

/* Let leave at exit e who reaches the threshold; returns how many. */
static int64_t leave(const pass *s, int e, float threshold) {
  int64_t left = 0;
  for (int64_t i = 0; i < s->table->n; i++) {
    if (s->gone[i] || s->table->confidence[i * s->table->n_exits + e] < threshold) continue;
    s->gone[i] = 1;
    left++;
  }
  return left;
}

static void go_through(const pass *s, double q, float *threshold, double *cost) {
  const ee_exit_table *t    = s->table;
  int                  last = t->n_exits - 1;
  int64_t              here = t->n, owed = 0;  // owed: that ties kept from leaving so far
  double               all = 0.0, sum = 0.0;
  for (int e = 0; e <= last; e++) all += pow(q, e + 1);
  for (int e = 0; e < last; e++) {
    int64_t rank = (int64_t)floor((double)t->n * pow(q, e + 1) / all) + owed;
    threshold[e] = ranked(s, e, rank);
    int64_t left = leave(s, e, threshold[e]);
    owed         = rank - left;
    sum += (double)left * t->flops[e];
    here -= left;
  }
  *cost = (sum + (double)here * t->flops[last]) / (double)t->n;
}

ee_status ee_budgeted_step(const ee_exit_table *table, int p, float *threshold, double *cost) {
  if (table->n < 1 || table->confidence == NULL) {
    return EE_FAIL(EE_ERR_ARG, "thresholds for a budget need a table with samples and confidences");
  }
  if (p < 1 || p > EE_BUDGET_STEPS) {
    return EE_FAIL(EE_ERR_ARG, "step %d of a budget, expected 1 to %d", p, EE_BUDGET_STEPS);
  }
  pass      s      = {.table  = table,
                      .gone   = calloc((size_t)table->n, 1),
                      .sorted = malloc((size_t)table->n * sizeof *s.sorted)};
  ee_status status = EE_OK;
  if (s.gone == NULL || s.sorted == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for %lld samples", (long long)table->n);
  } else {
    go_through(&s, p / 20.0, threshold, cost);
  }
  free(s.gone);
  free(s.sorted);
  return status;
}

/* Keep in @p threshold what the best step gave: the costliest within the limit, else the cheapest.
 */
static ee_status search(const ee_exit_table *table, double limit, float *threshold, float *tried,
                        double *cost, bool *feasible) {
  *cost     = INFINITY;
  *feasible = false;
  for (int p = 1; p <= EE_BUDGET_STEPS; p++) {
    double here;
    EE_TRY(ee_budgeted_step(table, p, tried, &here));
    bool within = here <= limit;
    bool better = within ? !*feasible || here > *cost : !*feasible && here < *cost;
    if (!better) continue;
    *cost     = here;
    *feasible = within;
    memcpy(threshold, tried, (size_t)(table->n_exits - 1) * sizeof *threshold);
  }
  return EE_OK;
}

ee_status ee_budgeted_thresholds(const ee_exit_table *table, double budget, float *threshold,
                                 double *cost, bool *feasible) {
  double full = table->flops[table->n_exits - 1];
  if (!(budget > 0.0 && budget <= 1.0)) {
    return EE_FAIL(EE_ERR_ARG, "budget is %g, expected a share of the full cost above 0, up to 1",
                   budget);
  }
  float *tried = calloc((size_t)table->n_exits, sizeof *tried);
  if (tried == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", table->n_exits);
  ee_status status = search(table, budget * full * (1.0 + 1e-12), threshold, tried, cost, feasible);
  free(tried);
  return status;
}
