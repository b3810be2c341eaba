/* SPDX-License-Identifier: Apache-2.0 */
/* Offloading-driven temperatures: those that trade accuracy on the device for time. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ee/calibrate.h"
#include "ee/confidence.h"
#include "ee/rng.h"

#define GAIN 0.4
#define CELLS 512             // of the confidence, for the density of right and wrong
#define LEAST_BANDWIDTH 1e-3  // of the kernels, where all confidences are equal
#define REACH_OF_KERNEL 4.0   // in bandwidths

/* What one exit says of the samples that reach it. */
typedef struct view {
  double count, sum, squares;       // of the confidences
  double all[CELLS], right[CELLS];  // samples per cell of the confidence
  double p[CELLS];                  // P(right | confidence in the cell)
} view;

typedef struct work {
  const ee_score_table     *table;
  const ee_offload_utility *utility;
  int                      *exit;        // shape [n], where each sample stands
  float                    *confidence;  // shape [n], at that exit
  view                      view;
} work;

static ee_status work_open(const ee_score_table *table, const ee_offload_utility *utility,
                           work **w) {
  *w = calloc(1, sizeof **w);
  if (*w != NULL) {
    **w = (work){.table      = table,
                 .utility    = utility,
                 .exit       = calloc((size_t)table->n, sizeof *(*w)->exit),
                 .confidence = calloc((size_t)table->n, sizeof *(*w)->confidence)};
    if ((*w)->exit != NULL && (*w)->confidence != NULL) return EE_OK;
  }
  return EE_FAIL(EE_ERR_NOMEM, "for %lld samples", (long long)table->n);
}

static void work_close(work *w) {
  if (w == NULL) return;
  free(w->exit);
  free(w->confidence);
  free(w);
}

static int cell_of(double confidence) {
  int cell = (int)(confidence * CELLS);
  return cell < CELLS ? cell : CELLS - 1;
}

static void view_add(view *v, double confidence, bool right) {
  v->count += 1.0;
  v->sum += confidence;
  v->squares += confidence * confidence;
  v->all[cell_of(confidence)] += 1.0;
  v->right[cell_of(confidence)] += right;
}

/* Scott: the deviation times count^(-1/5). */
static double bandwidth(const view *v) {
  double mean = v->sum / v->count, variance = v->squares / v->count - mean * mean;
  return fmax(sqrt(fmax(variance, 0.0)) * pow(v->count, -0.2), LEAST_BANDWIDTH);
}

/* The share of what is right around each cell, weighted by the kernel. */
static void estimate(view *v) {
  double width = bandwidth(v) * CELLS, kernel[CELLS];
  int    reach = (int)fmin(ceil(REACH_OF_KERNEL * width), CELLS - 1);
  for (int d = 0; d <= reach; d++) kernel[d] = exp(-0.5 * (d / width) * (d / width));
  for (int c = 0; c < CELLS; c++) {
    int    first = c - reach > 0 ? c - reach : 0;
    int    last  = c + reach < CELLS ? c + reach : CELLS - 1;
    double all = 0.0, right = 0.0;
    for (int j = first; j <= last; j++) {
      all += kernel[abs(j - c)] * v->all[j];
      right += kernel[abs(j - c)] * v->right[j];
    }
    v->p[c] = all > 0.0 ? right / all : 0.0;
  }
}

/* Let @p exit judge the samples that stand before it; those that it does not take go on.  Adds
 * those it takes to *left and what they are likely to have right to *right. */
static void pass_exit(work *w, int exit, double temperature, double *left, double *right) {
  const ee_score_table *t      = w->table;
  ee_scores             scores = ee_scores_of(t, exit);
  memset(&w->view, 0, sizeof w->view);
  for (int64_t i = 0; i < t->n; i++) {
    if (w->exit[i] != exit) continue;
    const float *z   = scores.logits + i * t->n_classes;
    w->confidence[i] = ee_confidence_at(z, t->n_classes, temperature);
    view_add(&w->view, (double)w->confidence[i], ee_argmax(z, t->n_classes) == t->label[i]);
  }
  if (w->view.count == 0.0) return;
  estimate(&w->view);
  for (int64_t i = 0; i < t->n; i++) {
    if (w->exit[i] != exit) continue;
    if (w->confidence[i] >= (float)w->utility->target) {
      *left += 1.0;
      *right += w->view.p[cell_of((double)w->confidence[i])];
    } else {
      w->exit[i]++;
    }
  }
}

static double objective(work *w, const double *temperature) {
  const ee_score_table *t    = w->table;
  double                left = 0.0, right = 0.0, time = 0.0;
  memset(w->exit, 0, (size_t)t->n * sizeof *w->exit);
  for (int e = 0; e < t->n_exits - 1; e++) pass_exit(w, e, temperature[e], &left, &right);
  for (int64_t i = 0; i < t->n; i++) time += w->utility->time[w->exit[i]];
  time /= (double)t->n * w->utility->time[t->n_exits - 1];
  return (1.0 - w->utility->beta) * time - w->utility->beta * (left > 0.0 ? right / left : 0.0);
}

ee_status ee_offload_objective(const ee_score_table *table, const ee_offload_utility *utility,
                               const double *temperature, double *z) {
  work     *w;
  ee_status status = work_open(table, utility, &w);
  if (status == EE_OK) *z = objective(w, temperature);
  work_close(w);
  return status;
}

/* The best point met so far. */
typedef struct best {
  double *temperature;  // shape [n_exits]
  double  z;
} best;

static double try_point(work *w, const double *temperature, best *b) {
  double z = objective(w, temperature);
  if (z < b->z) {
    b->z = z;
    memcpy(b->temperature, temperature, (size_t)w->table->n_exits * sizeof *temperature);
  }
  return z;
}

static double bounded(double temperature) {
  return fmin(fmax(temperature, EE_TEMPERATURE_MIN), EE_TEMPERATURE_MAX);
}

/* @p at, @p near: shape [n_exits] each; @p sign: shape [n_exits]. */
static void descend(work *w, double *at, double *near, double *sign, best *b) {
  int exits = w->table->n_exits;
  for (int s = 1; s <= w->utility->steps; s++) {
    ee_rng rng = ee_rng_at(w->utility->seed, (uint64_t)s);
    double aside[2], reach = 1.0 / s;
    for (int e = 0; e < exits - 1; e++) sign[e] = ee_rng_below(&rng, 2) == 0 ? -1.0 : 1.0;
    for (int side = 0; side < 2; side++) {
      double move = side == 0 ? reach : -reach;
      for (int e = 0; e < exits - 1; e++) near[e] = bounded(at[e] + move * sign[e]);
      aside[side] = try_point(w, near, b);
    }
    double slope = (aside[0] - aside[1]) / (2.0 * reach);
    for (int e = 0; e < exits - 1; e++) at[e] = bounded(at[e] - GAIN / (s + 1) * slope * sign[e]);
    try_point(w, at, b);
  }
}

static ee_status check_utility(const ee_score_table *table, const ee_offload_utility *u) {
  if (!(u->beta >= 0.0 && u->beta <= 1.0))
    return EE_FAIL(EE_ERR_ARG, "beta is %g, expected 0 to 1", u->beta);
  if (u->steps < 1) return EE_FAIL(EE_ERR_ARG, "there are %d steps, expected some", u->steps);
  for (int e = 0; e < table->n_exits; e++) {
    double least = e == table->n_exits - 1 ? 1e-300 : 0.0;
    if (!isfinite(u->time[e]) || u->time[e] < least)
      return EE_FAIL(EE_ERR_ARG, "the time of exit %d is %g, expected a positive number", e,
                     u->time[e]);
  }
  return EE_OK;
}

ee_status ee_calibrate_offloading(const ee_score_table *table, const ee_offload_utility *utility,
                                  double *temperature, double *z) {
  work *w = NULL;
  EE_TRY(ee_score_table_check(table));
  EE_TRY(check_utility(table, utility));
  size_t    n      = (size_t)table->n_exits;
  double   *room   = calloc(n, 3 * sizeof *room);
  ee_status status = room != NULL ? work_open(table, utility, &w)
                                  : EE_FAIL(EE_ERR_NOMEM, "for %d exits", table->n_exits);
  if (status == EE_OK) {
    best b = {.temperature = temperature, .z = INFINITY};
    for (size_t e = 0; e < n; e++) room[e] = room[n + e] = 1.0;
    try_point(w, room, &b);
    descend(w, room, room + n, room + 2 * n, &b);
    *z = b.z;
  }
  work_close(w);
  free(room);
  return status;
}
