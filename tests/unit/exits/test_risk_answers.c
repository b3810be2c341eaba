/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds with a promise from answers alone: losses by hand, against those of logits, and the
 * promise over 600 calibration sets from a real network's table. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ee/risk.h"
#include "ee/rng.h"
#include "ee_test.h"

static ee_exit_table *new_table(int64_t n, int n_exits, int n_classes, bool probability) {
  ee_exit_table      *t     = NULL;
  ee_exit_table_parts parts = {.confidence = true, .probability = probability};
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(n, n_exits, n_classes, parts, &t), EE_OK);
  return t;
}

/* Four samples, two exits; at .7 samples 0 and 3 leave early.  Of these 0 is wrong at the first
 * exit and right at the last, 3 says the same twice. */
static void four_samples_have_the_losses_worked_out_by_hand(void) {
  static const float   sure[]   = {0.9f, 0.8f, 0.6f, 0.9f, 0.4f, 0.5f, 0.7f, 0.6f};
  static const int32_t said[]   = {0, 1, 0, 1, 1, 1, 0, 0};
  static const double  wanted[] = {1, 0, 0, 0}, grid[] = {0.7};
  ee_exit_table       *t = new_table(4, 2, 2, false);
  ee_risk_table        table;
  memcpy(t->confidence, sure, sizeof sure);
  memcpy(t->prediction, said, sizeof said);
  CU_ASSERT_EQUAL_FATAL(ee_risk_answers_losses(t, EE_LOSS_CONSISTENCY, 1, grid, &table), EE_OK);
  for (int i = 0; i < 4; i++) CU_ASSERT_EQUAL(table.loss[i], wanted[i]);
  ee_risk_table_free(&table);
  CU_ASSERT_EQUAL(ee_risk_answers_losses(t, EE_LOSS_GAP, 1, grid, &table), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "row 0 has no label"));
  CU_ASSERT_EQUAL(ee_risk_answers_losses(t, EE_LOSS_HELLINGER, 1, grid, &table), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "no probabilities"));
  for (int i = 0; i < 4; i++) t->label[i] = i == 3 ? 1 : said[2 * i + 1];
  CU_ASSERT_EQUAL_FATAL(ee_risk_answers_losses(t, EE_LOSS_GAP, 1, grid, &table), EE_OK);
  for (int i = 0; i < 4; i++) CU_ASSERT_EQUAL(table.loss[i], wanted[i]);  // 3: wrong twice
  ee_risk_table_free(&table);
  t->label[0] = 0;  // now leaving early is what makes it right
  CU_ASSERT_EQUAL_FATAL(ee_risk_answers_losses(t, EE_LOSS_GAP, 1, grid, &table), EE_OK);
  CU_ASSERT_EQUAL(table.loss[0], -1.0);
  ee_risk_table_free(&table);
  ee_exit_table_destroy(&t);
}

enum { SAMPLES = 200, EXITS = 3, CLASSES = 4, GRID = 5 };

/* Logits in the order of scores and of tables, with the answers that follow from them. */
static void draw(float *logits, int32_t *label, ee_exit_table *t) {
  const float temperature[EXITS] = {1.5f, 0.75f, 1.25f};
  for (int i = 0; i < SAMPLES; i++) {
    ee_rng rng = ee_rng_at(21, (uint64_t)i);
    float  row[EXITS * CLASSES];
    label[i] = t->label[i] = (int32_t)ee_rng_below(&rng, CLASSES);
    for (int j = 0; j < EXITS * CLASSES; j++) {
      row[j] = (float)(4 * ee_rng_uniform(&rng) + (j % CLASSES == label[i]));
      logits[(j / CLASSES * SAMPLES + i) * CLASSES + j % CLASSES] = row[j];
    }
    ee_exit_table_set_logits(t, i, row, temperature);
  }
}

static void answers_of_logits_have_the_losses_of_the_logits(void) {
  static float          logits[EXITS * SAMPLES * CLASSES];
  static int32_t        label[SAMPLES];
  static const double   grid[GRID] = {1, 0.8, 0.6, 0.4, 0}, temperature[] = {1.5, 0.75, 1.25};
  const ee_score_table  scores  = {SAMPLES, EXITS, CLASSES, logits, label};
  const ee_risk_promise promise = {EE_RISK_CRC, 0.3, 0.1};
  ee_exit_table        *t       = new_table(SAMPLES, EXITS, CLASSES, true);
  draw(logits, label, t);
  for (int loss = EE_LOSS_CONSISTENCY; loss <= EE_LOSS_HELLINGER; loss++) {
    ee_risk_table of_scores, of_answers;
    double        a, b;
    CU_ASSERT_EQUAL_FATAL(
        ee_risk_losses(&scores, temperature, (ee_risk_loss)loss, GRID, grid, &of_scores), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_risk_answers_losses(t, (ee_risk_loss)loss, GRID, grid, &of_answers),
                          EE_OK);
    for (int j = 0; j < GRID * SAMPLES; j++)
      CU_ASSERT_DOUBLE_EQUAL(of_scores.loss[j], of_answers.loss[j], 1e-3);
    ee_risk_table_free(&of_scores);
    ee_risk_table_free(&of_answers);
    CU_ASSERT_EQUAL(ee_risk_threshold(&scores, temperature, (ee_risk_loss)loss, &promise, 20, &a),
                    EE_OK);
    CU_ASSERT_EQUAL(ee_risk_answers_threshold(t, (ee_risk_loss)loss, &promise, 20, &b), EE_OK);
    CU_ASSERT_EQUAL(a, b);
  }
  ee_exit_table_destroy(&t);
}

/* At .5 everyone leaves at exit 1 and is wrong, at 0 already at exit 0 and is right: what holds at
 * the end of the grid may not be promised over what does not before. */
static void losses_that_fall_again_do_not_lower_the_threshold(void) {
  const ee_risk_promise naive = {EE_RISK_NAIVE, 0.1, 0.1}, crc = {EE_RISK_CRC, 0.1, 0.1};
  ee_exit_table        *t = new_table(60, 3, 2, false);
  double                threshold;
  for (int i = 0; i < 60; i++) {
    t->confidence[3 * i]     = 0.3f;
    t->confidence[3 * i + 1] = 0.8f;
    t->prediction[3 * i + 1] = 1;
  }
  CU_ASSERT_EQUAL(ee_risk_answers_threshold(t, EE_LOSS_CONSISTENCY, &naive, 2, &threshold), EE_OK);
  CU_ASSERT_EQUAL(threshold, 0.0);
  CU_ASSERT_EQUAL(ee_risk_answers_threshold(t, EE_LOSS_CONSISTENCY, &crc, 2, &threshold), EE_OK);
  CU_ASSERT_EQUAL(threshold, 1.0);
  ee_exit_table_destroy(&t);
}

/* ---- AlexNet with a side branch on CIFAR-10: 10,000 samples are the population ---- */

enum { ROWS = 10000, PART = 300, SPLITS = 600, STEPS = 20 };

#define EPSILON 0.05
#define DELTA 0.1

static bool read_real(ee_exit_table *t) {
  const char *path = ee_test_data("exit-tables/balexnet_cifar10_results_ee_alexnet_for_ucb_3.csv");
  FILE       *file = path != NULL ? fopen(path, "r") : NULL;
  double      target, c[2], y[2];
  int         n = 0;
  if (file == NULL) return false;
  CU_ASSERT_EQUAL(fscanf(file, "%*[^\n]"), 0);  // the header
  while (n < ROWS && fscanf(file, "%*d,%lf,%*f,%lf,%lf,%*f,%lf,%lf,%*f", &target, &c[0], &y[0],
                            &c[1], &y[1]) == 5) {
    for (int e = 0; e < 2; e++) {
      t->confidence[2 * n + e] = (float)c[e];
      t->prediction[2 * n + e] = (int32_t)y[e];
    }
    t->label[n++] = (int32_t)target;
  }
  fclose(file);
  CU_ASSERT_EQUAL_FATAL(n, ROWS);
  return true;
}

/* Risk of all rows if those as sure as @p threshold leave, with the definitions written out. */
static double true_risk(const ee_exit_table *t, bool gap, double threshold) {
  double sum = 0.0;
  for (int i = 0; i < ROWS; i++) {
    const int32_t *said = t->prediction + 2 * i;
    if (!(t->confidence[2 * i] >= (float)threshold)) continue;
    sum += gap ? (said[0] != t->label[i]) - (said[1] != t->label[i]) : said[0] != said[1];
  }
  return sum / ROWS;
}

static void draw_rows(const ee_exit_table *all, uint64_t split, ee_exit_table *part) {
  ee_rng rng = ee_rng_at(31, split);
  for (int j = 0; j < PART; j++) {
    int64_t i = (int64_t)ee_rng_below(&rng, ROWS);
    memcpy(part->confidence + 2 * j, all->confidence + 2 * i, 2 * sizeof(float));
    memcpy(part->prediction + 2 * j, all->prediction + 2 * i, 2 * sizeof(int32_t));
    part->label[j] = all->label[i];
  }
}

/* Share of splits whose threshold has a true risk above epsilon; *risk is their mean risk. */
static double broken(const ee_exit_table *all, ee_risk_loss loss, ee_risk_method method,
                     double *risk) {
  const ee_risk_promise promise = {method, EPSILON, DELTA};
  ee_exit_table        *part    = new_table(PART, 2, 10, false);
  double                share   = 0.0, risk_at[STEPS + 1];
  *risk                         = 0.0;
  for (int k = 0; k <= STEPS; k++)
    risk_at[k] = true_risk(all, loss == EE_LOSS_GAP, 1 - (double)k / STEPS);
  for (uint64_t split = 0; split < SPLITS; split++) {
    double threshold, one = 0.0;
    draw_rows(all, split, part);
    CU_ASSERT_EQUAL_FATAL(ee_risk_answers_threshold(part, loss, &promise, STEPS, &threshold),
                          EE_OK);
    if (isfinite(threshold)) one = risk_at[(int)lround((1 - threshold) * STEPS)];
    share += (one > EPSILON) / (double)SPLITS;
    *risk += one / SPLITS;
  }
  ee_exit_table_destroy(&part);
  return share;
}

static void promises_hold_over_draws_from_a_real_table(void) {
  double         most = DELTA + 3.1 * sqrt(DELTA * (1 - DELTA) / SPLITS), risk;
  ee_exit_table *all  = new_table(ROWS, 2, 10, false);
  if (read_real(all)) {
    for (int loss = EE_LOSS_CONSISTENCY; loss <= EE_LOSS_GAP; loss++) {
      CU_ASSERT_TRUE(broken(all, (ee_risk_loss)loss, EE_RISK_UCB, &risk) <= most);
      CU_ASSERT_TRUE(broken(all, (ee_risk_loss)loss, EE_RISK_LTT, &risk) <= most);
      CU_ASSERT_TRUE(risk > 0.0);  // and yet some leave
      broken(all, (ee_risk_loss)loss, EE_RISK_CRC, &risk);
      CU_ASSERT_TRUE(risk > 0.0 && risk <= EPSILON);
    }
    CU_ASSERT_TRUE(broken(all, EE_LOSS_CONSISTENCY, EE_RISK_NAIVE, &risk) > most);
  }
  ee_exit_table_destroy(&all);
}

const ee_fact ee_facts[] = {
    EE_FACT(four_samples_have_the_losses_worked_out_by_hand),
    EE_FACT(answers_of_logits_have_the_losses_of_the_logits),
    EE_FACT(losses_that_fall_again_do_not_lower_the_threshold),
    EE_FACT(promises_hold_over_draws_from_a_real_table),
    {NULL, NULL},
};
