/* SPDX-License-Identifier: Apache-2.0 */
/* What leaving early costs each sample, at each threshold of a grid. */
#include <math.h>
#include <stdbool.h>
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

/* What losses are made from: logits with temperatures, or answers. */
typedef struct source {
  int64_t               n;
  int                   n_exits, n_classes;
  const int32_t        *label;
  const ee_score_table *scores;       // NULL: answers are given
  const double         *temperature;  // shape [n_exits], of the scores
  const ee_exit_table  *answers;
} source;

static ee_status check_scores(const ee_score_table *scores, const double *temperature) {
  EE_TRY(ee_score_table_check(scores));
  for (int e = 0; e < scores->n_exits; e++) {
    if (temperature[e] > 0.0 && isfinite(temperature[e])) continue;
    return EE_FAIL(EE_ERR_ARG, "exit %d has temperature %g, expected a positive number", e,
                   temperature[e]);
  }
  return EE_OK;
}

static ee_status check_answers(const ee_exit_table *t, ee_risk_loss loss) {
  bool whole = loss == EE_LOSS_BRIER || loss == EE_LOSS_HELLINGER;
  bool right = loss == EE_LOSS_BRIER || loss == EE_LOSS_GAP;
  if (t->n < 1) return EE_FAIL(EE_ERR_ARG, "there are no samples, expected some");
  if (t->confidence == NULL)
    return EE_FAIL(EE_ERR_ARG, "the table has no confidences, expected one per sample and exit");
  if (whole && t->probability == NULL)
    return EE_FAIL(EE_ERR_ARG,
                   "the table has no probabilities, which the loss is made of; consistency and gap "
                   "need none");
  for (int64_t i = 0; i < t->n && right; i++) {
    if (t->label[i] < 0)
      return EE_FAIL(EE_ERR_ARG, "row %lld has no label, expected one", (long long)i);
  }
  return EE_OK;
}

/* One sample's answer at one exit. */
typedef struct answer {
  float   confidence;
  int     prediction;
  double *p;     // shape [n_classes], probabilities, if they are known
  double  loss;  // against the last exit's answer
} answer;

/* Fill what does not look at other exits. */
static void answer_from_scores(const source *s, int exit, int64_t i, answer *one) {
  const float *z       = s->scores->logits + ((int64_t)exit * s->n + i) * s->n_classes;
  ee_scaling   scaling = {.temperature = s->temperature[exit]};
  one->confidence      = ee_confidence_at(z, s->n_classes, scaling.temperature);
  one->prediction      = ee_argmax(z, s->n_classes);
  ee_scaled_softmax(z, s->n_classes, &scaling, s->label[i], one->p);
}

static void answer_from_table(const source *s, int exit, int64_t i, answer *one) {
  const ee_exit_table *t    = s->answers;
  int64_t              cell = i * s->n_exits + exit;
  one->confidence           = t->confidence[cell];
  one->prediction           = t->prediction[cell];
  for (int k = 0; k < s->n_classes && t->probability != NULL; k++)
    one->p[k] = (double)t->probability[cell * s->n_classes + k];
}

static double half_brier(const double *p, int n, int label) {
  double sum = 0.0;
  for (int k = 0; k < n; k++) sum += (p[k] - (k == label)) * (p[k] - (k == label));
  return sum / 2.0;
}

static double hellinger(const double *p, const double *q, int n) {
  double sum = 0.0;
  for (int k = 0; k < n; k++) sum += (sqrt(p[k]) - sqrt(q[k])) * (sqrt(p[k]) - sqrt(q[k]));
  return fmin(sqrt(sum / 2.0), 1.0);
}

static double loss_of(ee_risk_loss loss, const answer *early, const answer *last, int n_classes,
                      int label) {
  switch (loss) {
    case EE_LOSS_CONSISTENCY:
      return early->prediction != last->prediction;
    case EE_LOSS_GAP:
      return (early->prediction != label) - (last->prediction != label);
    case EE_LOSS_BRIER:
      return half_brier(early->p, n_classes, label) - half_brier(last->p, n_classes, label);
    case EE_LOSS_HELLINGER:
      return hellinger(early->p, last->p, n_classes);
  }
  return 1.0;
}

/* Answers of sample @p i at all exits. */
static void fill_answers(const source *s, ee_risk_loss loss, int64_t i, answer *all) {
  int last = s->n_exits - 1;
  for (int e = 0; e <= last; e++) {
    if (s->scores != NULL)
      answer_from_scores(s, e, i, &all[e]);
    else
      answer_from_table(s, e, i, &all[e]);
  }
  for (int e = 0; e <= last; e++)
    all[e].loss = loss_of(loss, &all[e], &all[last], s->n_classes, s->label[i]);
}

static void fill(const source *s, ee_risk_loss loss, ee_risk_table *table, answer *all) {
  int last = s->n_exits - 1;
  for (int64_t i = 0; i < s->n; i++) {
    fill_answers(s, loss, i, all);
    for (int k = 0; k < table->n_grid; k++) {
      int at = 0;
      while (at < last && !(all[at].confidence >= (float)table->grid[k])) at++;
      table->loss[(int64_t)k * table->n + i] = all[at].loss;
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

static ee_status make_losses(const source *s, ee_risk_loss loss, int n_grid, const double *grid,
                             ee_risk_table *table) {
  EE_TRY(check_grid(n_grid, grid));
  size_t    exits = (size_t)s->n_exits, classes = (size_t)s->n_classes;
  answer   *all    = calloc(exits, sizeof *all);
  double   *p      = calloc(exits * classes, sizeof *p);
  ee_status status = all != NULL && p != NULL ? table_open(s->n, n_grid, grid, table)
                                              : EE_FAIL(EE_ERR_NOMEM, "for one sample's answers");
  for (size_t e = 0; e < exits && status == EE_OK; e++) all[e].p = p + e * classes;
  if (status == EE_OK) fill(s, loss, table, all);
  free(all);
  free(p);
  return status;
}

ee_status ee_risk_losses(const ee_score_table *scores, const double *temperature, ee_risk_loss loss,
                         int n_grid, const double *grid, ee_risk_table *table) {
  *table = (ee_risk_table){.n = 0};
  EE_TRY(check_scores(scores, temperature));
  const source s = {.n           = scores->n,
                    .n_exits     = scores->n_exits,
                    .n_classes   = scores->n_classes,
                    .label       = scores->label,
                    .scores      = scores,
                    .temperature = temperature};
  return make_losses(&s, loss, n_grid, grid, table);
}

ee_status ee_risk_answers_losses(const ee_exit_table *answers, ee_risk_loss loss, int n_grid,
                                 const double *grid, ee_risk_table *table) {
  *table = (ee_risk_table){.n = 0};
  EE_TRY(check_answers(answers, loss));
  const source s = {.n         = answers->n,
                    .n_exits   = answers->n_exits,
                    .n_classes = answers->n_classes,
                    .label     = answers->label,
                    .answers   = answers};
  return make_losses(&s, loss, n_grid, grid, table);
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
