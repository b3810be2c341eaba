/* SPDX-License-Identifier: Apache-2.0 */
/* Risk control: losses sample by sample, bounds against slow sums, and the promises themselves over
 * many calibration sets drawn from a population whose risk is known. */
#include "ee/risk.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ee/confidence.h"
#include "ee/rng.h"
#include "ee_test.h"

/* ---- losses ---- */

enum { SAMPLES = 400, EXITS = 3, CLASSES = 4, GRID = 9 };

static float                logits[EXITS * SAMPLES * CLASSES];
static int32_t              label[SAMPLES];
static const ee_score_table scores = {
    .n = SAMPLES, .n_exits = EXITS, .n_classes = CLASSES, .logits = logits, .label = label};
static const double temperature[EXITS] = {1.5, 0.8, 1.2};

static const double grid[GRID] = {1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.0};

static void draw_table(uint64_t seed) {
  for (int i = 0; i < SAMPLES; i++) {
    ee_rng rng = ee_rng_at(seed, (uint64_t)i);
    label[i]   = (int32_t)ee_rng_below(&rng, CLASSES);
    for (int e = 0; e < EXITS; e++) {
      for (int k = 0; k < CLASSES; k++) {
        double lean                             = k == label[i] ? 0.8 + 0.6 * e : 0.0;
        logits[(e * SAMPLES + i) * CLASSES + k] = (float)(2 * (lean + 3 * ee_rng_uniform(&rng)));
      }
    }
  }
}

static void probabilities(int exit, int i, float *p) {
  const float *z = logits + (exit * SAMPLES + i) * CLASSES;
  ee_softmax(z, CLASSES, (float)temperature[exit], p);
}

static double half_brier(const float *p, int y) {
  double sum = 0.0;
  for (int k = 0; k < CLASSES; k++) sum += pow((double)p[k] - (k == y), 2);
  return sum / 2;
}

/* By the overlap of the two, sum_k sqrt(p_k q_k), which leads to the same. */
static double hellinger(const float *p, const float *q) {
  double overlap = 0.0;
  for (int k = 0; k < CLASSES; k++) overlap += sqrt((double)p[k] * (double)q[k]);
  return sqrt(fmax(1.0 - overlap, 0.0));
}

static double naive_loss(ee_risk_loss loss, int i, double threshold) {
  float early[CLASSES], last[CLASSES];
  int   e = 0;
  probabilities(0, i, early);
  while (e < EXITS - 1 && early[ee_argmax(early, CLASSES)] < (float)threshold) {
    probabilities(++e, i, early);
  }
  probabilities(EXITS - 1, i, last);
  int a = ee_argmax(early, CLASSES), b = ee_argmax(last, CLASSES), y = label[i];
  if (loss == EE_LOSS_CONSISTENCY) return a == b ? 0 : 1;
  if (loss == EE_LOSS_GAP) return (a == y ? 0 : 1) - (b == y ? 0 : 1);
  if (loss == EE_LOSS_HELLINGER) return e < EXITS - 1 ? hellinger(early, last) : 0.0;
  return half_brier(early, y) - half_brier(last, y);
}

static void losses_are_those_of_leaving_at_the_first_sure_exit(void) {
  const ee_risk_loss all[] = {EE_LOSS_CONSISTENCY, EE_LOSS_GAP, EE_LOSS_BRIER, EE_LOSS_HELLINGER};
  draw_table(1);
  for (int j = 0; j < 4; j++) {
    ee_risk_table table;
    double        sum = 0.0;
    CU_ASSERT_EQUAL_FATAL(ee_risk_losses(&scores, temperature, all[j], GRID, grid, &table), EE_OK);
    for (int k = 0; k < GRID; k++) {
      for (int i = 0; i < SAMPLES; i++) {
        double wanted = naive_loss(all[j], i, grid[k]);
        CU_ASSERT_DOUBLE_EQUAL(table.loss[k * SAMPLES + i], wanted, 1e-6);
        sum += wanted;
      }
    }
    CU_ASSERT_TRUE(sum > 1.0);
    for (int i = 0; i < SAMPLES; i++) CU_ASSERT_EQUAL(table.loss[i], 0.0);  // nobody leaves early
    ee_risk_table_free(&table);
    CU_ASSERT_PTR_NULL(table.loss);
  }
}

/* Two exits, two classes, T = 1; logits are logarithms of these probabilities:
 *   sample 0  (1/2, 1/2) then (16/25, 9/25): overlap .4 + .3 = .7 sqrt 2, distance sqrt(1 - .98995)
 *   sample 1  the same twice: 0
 *   sample 2  (1, 0) then (0, 1), but for 1e-17: 1
 *   sample 3  (1, 0) then (1/2, 1/2): overlap sqrt(1/2) */
static void hellinger_distances_are_those_worked_out_by_hand(void) {
  const float          inf   = 40.0f;
  const float          z[]   = {0,
                                0,
                                logf(9),
                                0,
                                inf,
                                0,
                                inf,
                                0,  // exit 0
                                logf(16.0f / 9),
                                0,
                                logf(9),
                                0,
                                0,
                                inf,
                                0,
                                0};
  const int32_t        y[]   = {0, 1, 0, 1};
  const ee_score_table four  = {4, 2, 2, z, y};
  const double         one[] = {1.0, 1.0}, all_leave[] = {0.0};
  const double         wanted[] = {sqrt(1 - 0.7 * sqrt(2)), 0.0, 1.0, sqrt(1 - sqrt(0.5))};
  ee_risk_table        table;
  CU_ASSERT_EQUAL_FATAL(ee_risk_losses(&four, one, EE_LOSS_HELLINGER, 1, all_leave, &table), EE_OK);
  for (int i = 0; i < 4; i++) CU_ASSERT_DOUBLE_EQUAL(table.loss[i], wanted[i], 1e-6);
  ee_risk_table_free(&table);
}

static void the_envelope_is_the_greatest_loss_so_far(void) {
  ee_risk_table plain, envelope;
  int           above = 0;
  draw_table(2);
  CU_ASSERT_EQUAL_FATAL(ee_risk_losses(&scores, temperature, EE_LOSS_GAP, GRID, grid, &plain),
                        EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_risk_losses(&scores, temperature, EE_LOSS_GAP, GRID, grid, &envelope),
                        EE_OK);
  ee_risk_envelope(&envelope);
  for (int i = 0; i < SAMPLES; i++) {
    for (int k = 0; k < GRID; k++) {
      double most = plain.loss[i];
      for (int j = 1; j <= k; j++) most = fmax(most, plain.loss[j * SAMPLES + i]);
      CU_ASSERT_EQUAL(envelope.loss[k * SAMPLES + i], most);
      above += most > plain.loss[k * SAMPLES + i];
    }
  }
  CU_ASSERT_TRUE(above > 0);
  ee_risk_table_free(&plain);
  ee_risk_table_free(&envelope);
}

static void what_cannot_be_used_is_refused(void) {
  const double  rising[] = {0.5, 0.6};
  const double  cold[]   = {1.0, 0.0, 1.0};
  ee_risk_table table;
  draw_table(3);
  CU_ASSERT_EQUAL(ee_risk_losses(&scores, temperature, EE_LOSS_GAP, 2, rising, &table), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "threshold 1 of the grid is 0.6"));
  CU_ASSERT_EQUAL(ee_risk_losses(&scores, cold, EE_LOSS_GAP, GRID, grid, &table), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "exit 1 has temperature 0"));
  CU_ASSERT_PTR_NULL(table.loss);
  CU_ASSERT_EQUAL_FATAL(ee_risk_losses(&scores, temperature, EE_LOSS_GAP, GRID, grid, &table),
                        EE_OK);
  int                   index = 7;
  const ee_risk_promise bad[] = {{EE_RISK_CRC, 0.0, 0.1},
                                 {EE_RISK_CRC, NAN, 0.1},
                                 {EE_RISK_LTT, 0.1, 1.0},
                                 {EE_RISK_UCB, 0.1, 0.0}};
  for (int j = 0; j < 4; j++) CU_ASSERT_EQUAL(ee_risk_choose(&table, &bad[j], &index), EE_ERR_ARG);
  CU_ASSERT_EQUAL(index, 7);
  ee_risk_table_free(&table);
}

/* ---- bounds ---- */

/* Greatest mu on a fine grid that the bets do not rule out, with the formula's sums made anew for
 * every sample. */
static double slow_wsr(int n, const double *x, double delta) {
  for (int step = 2000; step >= 0; step--) {
    double mu = step / 2000.0, product = 1.0, most = 0.0;
    for (int j = 1; j <= n; j++) {
      double v = 0.25;
      for (int i = 1; i < j; i++) {
        double m = 0.5;
        for (int h = 1; h <= i; h++) m += x[h - 1];
        v += pow(x[i - 1] - m / (i + 1), 2);
      }
      double nu = fmin(sqrt(2 * log(1 / delta) / (n * v / j)), 1.0);
      product *= 1 - nu * (x[j - 1] - mu);
      most = fmax(most, product);
    }
    if (most < 1 / delta) return mu;
  }
  return 0.0;
}

static void the_wsr_bound_is_the_root_of_its_formula(void) {
  for (uint64_t seed = 0; seed < 8; seed++) {
    ee_rng rng = ee_rng_at(3, seed);
    double x[40], low = seed % 2 == 0 ? 0.0 : -0.5;
    for (int i = 0; i < 40; i++) x[i] = low + ee_rng_uniform(&rng) * (0.1 + 0.1 * (double)seed);
    double bound = ee_risk_wsr_bound(40, x, 0.1);
    CU_ASSERT_DOUBLE_EQUAL(bound, slow_wsr(40, x, 0.1), 1.0 / 2000 + 1e-8);
  }
  const double one = 1.0;
  CU_ASSERT_EQUAL(ee_risk_wsr_bound(1, &one, 0.1), 1.0);  // one loss rules nothing out
}

/* Zeros: every bet is won alike, so (1 + nu_1 mu) ... (1 + nu_n mu) = 1 / delta. */
static void losses_of_zero_bring_the_wsr_bound_down_with_their_number(void) {
  double zeros[1000] = {0}, before = 1.0;
  for (int n = 10; n <= 1000; n *= 10) {
    double bound = ee_risk_wsr_bound(n, zeros, 0.05);
    CU_ASSERT_TRUE(bound < before);
    CU_ASSERT_TRUE(bound > 1 - pow(0.05, 1.0 / n));  // no bound may be below the exact one
    before = bound;
  }
  CU_ASSERT_TRUE(before < 0.01);
}

static double choose(int n, int k) {
  double c = 1.0;
  for (int i = 1; i <= k; i++) c *= (double)(n - k + i) / i;
  return c;
}

static void the_p_value_is_the_lesser_of_hoeffding_and_bentkus(void) {
  for (int n = 5; n <= 45; n += 10) {
    double x[45] = {0}, epsilon = 0.2;
    for (int right = 0; right < n; right++) {  // one loss more each time, halves among them
      x[right]   = right % 3 == 0 ? 0.5 : 1.0;
      double sum = 0.0, tail = 0.0;
      for (int i = 0; i < n; i++) sum += x[i];
      double r = fmin(sum / n, epsilon);
      double h = exp(-n * (r * log(r / epsilon) + (1 - r) * log((1 - r) / (1 - epsilon))));
      for (int k = 0; k <= (int)ceil(sum); k++) {
        tail += choose(n, k) * pow(epsilon, k) * pow(1 - epsilon, n - k);
      }
      double wanted = fmin(1.0, fmin(h, exp(1.0) * tail));
      CU_ASSERT_DOUBLE_EQUAL(ee_risk_p_value(n, x, epsilon), wanted, 1e-10);
    }
  }
  const double none[3] = {0}, gains[3] = {-1, 0, -0.5};
  CU_ASSERT_DOUBLE_EQUAL(ee_risk_p_value(3, none, 0.2), pow(0.8, 3), 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_risk_p_value(3, gains, 0.2), pow(0.8, 3), 1e-12);
}

/* ---- choices ---- */

/* Losses of ten samples; row k has k losses of 1. */
static void fill_steps(ee_risk_table *table, double *loss, double *thresholds) {
  *table = (ee_risk_table){.n = 10, .n_grid = 6, .grid = thresholds, .loss = loss};
  for (int k = 0; k < 6; k++) {
    thresholds[k] = 1 - 0.1 * k;
    for (int i = 0; i < 10; i++) loss[k * 10 + i] = i < k;
  }
}

static void naive_and_crc_take_the_last_mean_that_is_small_enough(void) {
  double        loss[60], thresholds[6];
  ee_risk_table table;
  int           index;
  fill_steps(&table, loss, thresholds);  // means 0, .1, .2, .3, .4, .5
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_NAIVE, 0.35, 0}, &index),
                  EE_OK);
  CU_ASSERT_EQUAL(index, 3);
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_NAIVE, 0.3, 0}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, 2);  // strictly below
  // CRC: 11/10 eps - 1/10 = .285 for eps = .35, .18 for eps = .2545..., below 0 for eps = .09
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_CRC, 0.35, 0}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, 2);
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_CRC, 0.25, 0}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, 1);
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_CRC, 0.09, 0}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, -1);
}

/* Row 2 is bad, row 3 good again: UCB and LTT stop before row 2, the means alone go on. */
static void a_sequence_of_tests_stops_at_the_first_that_does_not_reject(void) {
  static double loss[4 * 500];
  double        thresholds[] = {0.9, 0.8, 0.7, 0.6};
  ee_risk_table table        = {.n = 500, .n_grid = 4, .grid = thresholds, .loss = loss};
  int           index;
  for (int i = 0; i < 500; i++) loss[2 * 500 + i] = i % 2;
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_UCB, 0.1, 0.1}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, 1);
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_LTT, 0.1, 0.1}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, 1);  // the last that was rejected, not the first that was not
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_NAIVE, 0.1, 0}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, 3);
  for (int i = 0; i < 500; i++) loss[i] = i % 2;
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_LTT, 0.1, 0.1}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, -1);
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_UCB, 0.1, 0.1}, &index), EE_OK);
  CU_ASSERT_EQUAL(index, -1);
}

/* Ten losses of 0: the p-value at epsilon = .2 is .8^10 = .107. */
static void ltt_rejects_up_to_delta_and_no_further(void) {
  double        loss[10] = {0}, thresholds[] = {0.5};
  ee_risk_table table = {.n = 10, .n_grid = 1, .grid = thresholds, .loss = loss};
  int           index;
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_LTT, 0.2, 0.108}, &index),
                  EE_OK);
  CU_ASSERT_EQUAL(index, 0);
  CU_ASSERT_EQUAL(ee_risk_choose(&table, &(ee_risk_promise){EE_RISK_LTT, 0.2, 0.107}, &index),
                  EE_OK);
  CU_ASSERT_EQUAL(index, -1);
}

/* ---- promises ---- */

enum { TRIALS = 600, CALIBRATION = 200, STEPS = 26 };

#define EPSILON 0.1
#define DELTA 0.1

/* Sample i loses at grid point k iff a uniform number is below k / 100: the risk there is k / 100,
 * and losses do not fall along the grid. */
static double true_risk(int index) {
  return index < 0 ? 0.0 : index / 100.0;
}

static void draw_losses(uint64_t trial, ee_risk_table *table) {
  static double loss[STEPS * CALIBRATION], thresholds[STEPS];
  *table = (ee_risk_table){.n = CALIBRATION, .n_grid = STEPS, .grid = thresholds, .loss = loss};
  for (int k = 0; k < STEPS; k++) thresholds[k] = 1 - 0.01 * k;
  for (int i = 0; i < CALIBRATION; i++) {
    ee_rng rng = ee_rng_at(100 + trial, (uint64_t)i);
    double u   = ee_rng_uniform(&rng);
    for (int k = 0; k < STEPS; k++) loss[k * CALIBRATION + i] = u < true_risk(k);
  }
}

typedef struct outcome {
  double broken;  // share of trials whose true risk is above epsilon
  double risk;    // mean true risk
} outcome;

static outcome try_promise(ee_risk_method method) {
  const ee_risk_promise promise = {method, EPSILON, DELTA};
  outcome               all     = {0, 0};
  for (uint64_t trial = 0; trial < TRIALS; trial++) {
    ee_risk_table table;
    int           index = 0;
    draw_losses(trial, &table);
    CU_ASSERT_EQUAL_FATAL(ee_risk_choose(&table, &promise, &index), EE_OK);
    all.broken += (true_risk(index) > EPSILON + 1e-12) / (double)TRIALS;
    all.risk += true_risk(index) / TRIALS;
  }
  return all;
}

/* What a share of delta may show by chance: 3.1 standard deviations, one in a thousand. */
static double most_by_chance(void) {
  return DELTA + 3.1 * sqrt(DELTA * (1 - DELTA) / TRIALS);
}

static void ucb_breaks_its_promise_no_more_often_than_delta(void) {
  outcome ucb = try_promise(EE_RISK_UCB);
  CU_ASSERT_TRUE(ucb.broken <= most_by_chance());
  CU_ASSERT_TRUE(ucb.risk > 0.03);  // and yet it dares something
}

static void ltt_breaks_its_promise_no_more_often_than_delta(void) {
  outcome ltt = try_promise(EE_RISK_LTT);
  CU_ASSERT_TRUE(ltt.broken <= most_by_chance());
  CU_ASSERT_TRUE(ltt.risk > 0.03);
}

static void the_mean_risk_of_crc_is_at_most_epsilon(void) {
  outcome crc = try_promise(EE_RISK_CRC);
  CU_ASSERT_TRUE(crc.risk <= EPSILON);
  CU_ASSERT_TRUE(crc.risk > 0.08);
}

static void naive_thresholds_break_what_was_allowed_in_many_trials(void) {
  CU_ASSERT_TRUE(try_promise(EE_RISK_NAIVE).broken > DELTA + 0.1);
}

/* ---- the same through scores: calibration sets are drawn from a table, whose risk is known ----
 */

enum { SPLITS = 500, PART = 150 };

static double table_risk(ee_risk_loss loss, double threshold) {
  double sum = 0.0;
  for (int i = 0; i < SAMPLES; i++) sum += naive_loss(loss, i, threshold);
  return sum / SAMPLES;
}

/* A random part of the table, with replacement. */
static void draw_part(uint64_t split, float *part_logits, int32_t *part_label) {
  ee_rng rng = ee_rng_at(77, split);
  for (int j = 0; j < PART; j++) {
    int i         = (int)ee_rng_below(&rng, SAMPLES);
    part_label[j] = label[i];
    for (int e = 0; e < EXITS; e++) {
      memcpy(part_logits + (e * PART + j) * CLASSES, logits + (e * SAMPLES + i) * CLASSES,
             CLASSES * sizeof *logits);
    }
  }
}

static outcome try_splits(ee_risk_loss loss, ee_risk_method method) {
  static float          part_logits[EXITS * PART * CLASSES];
  static int32_t        part_label[PART];
  const ee_score_table  part    = {PART, EXITS, CLASSES, part_logits, part_label};
  const ee_risk_promise promise = {method, EPSILON, DELTA};
  outcome               all     = {0, 0};
  double                risk_at[21];
  for (int k = 0; k <= 20; k++) risk_at[k] = table_risk(loss, 1 - k / 20.0);
  for (uint64_t split = 0; split < SPLITS; split++) {
    double threshold, risk = 0.0;
    draw_part(split, part_logits, part_label);
    CU_ASSERT_EQUAL_FATAL(ee_risk_threshold(&part, temperature, loss, &promise, 20, &threshold),
                          EE_OK);
    if (isfinite(threshold)) risk = risk_at[(int)lround((1 - threshold) * 20)];
    all.broken += (risk > EPSILON) / (double)SPLITS;
    all.risk += risk / SPLITS;
  }
  return all;
}

static void thresholds_from_scores_keep_their_promises(void) {
  const ee_risk_loss all[] = {EE_LOSS_CONSISTENCY, EE_LOSS_GAP, EE_LOSS_BRIER, EE_LOSS_HELLINGER};
  double             most  = DELTA + 3.1 * sqrt(DELTA * (1 - DELTA) / SPLITS);
  draw_table(4);
  for (int j = 0; j < 4; j++) {
    CU_ASSERT_TRUE(try_splits(all[j], EE_RISK_UCB).broken <= most);
    CU_ASSERT_TRUE(try_splits(all[j], EE_RISK_LTT).broken <= most);
    CU_ASSERT_TRUE(try_splits(all[j], EE_RISK_CRC).risk <= EPSILON);
  }
  CU_ASSERT_TRUE(try_splits(EE_LOSS_CONSISTENCY, EE_RISK_NAIVE).broken > most);
}

static void a_promise_that_cannot_be_kept_lets_nobody_leave(void) {
  double threshold = 0.0;
  draw_table(5);
  for (int i = 0; i < SAMPLES; i++) {  // the last exit says another class than the first, always
    memcpy(logits + (2 * SAMPLES + i) * CLASSES, logits + i * CLASSES, CLASSES * sizeof *logits);
    logits[(2 * SAMPLES + i) * CLASSES + (i % CLASSES)] = -50;
    logits[i * CLASSES + (i % CLASSES)]                 = 50;
  }
  CU_ASSERT_EQUAL(ee_risk_threshold(&scores, temperature, EE_LOSS_CONSISTENCY,
                                    &(ee_risk_promise){EE_RISK_LTT, 0.05, 0.1}, 20, &threshold),
                  EE_OK);
  CU_ASSERT_EQUAL(threshold, INFINITY);
}

/* All exits say the same: the lowest threshold of the grid, which is 0, costs nothing. */
static void exits_that_agree_let_everyone_leave(void) {
  double threshold = 1.0;
  draw_table(6);
  for (int e = 1; e < EXITS; e++) {
    memcpy(logits + e * SAMPLES * CLASSES, logits, SAMPLES * CLASSES * sizeof *logits);
  }
  CU_ASSERT_EQUAL(ee_risk_threshold(&scores, temperature, EE_LOSS_CONSISTENCY,
                                    &(ee_risk_promise){EE_RISK_UCB, 0.05, 0.1}, 7, &threshold),
                  EE_OK);
  CU_ASSERT_EQUAL(threshold, 0.0);
}

const ee_fact ee_facts[] = {
    EE_FACT(losses_are_those_of_leaving_at_the_first_sure_exit),
    EE_FACT(hellinger_distances_are_those_worked_out_by_hand),
    EE_FACT(the_envelope_is_the_greatest_loss_so_far),
    EE_FACT(what_cannot_be_used_is_refused),
    EE_FACT(the_wsr_bound_is_the_root_of_its_formula),
    EE_FACT(losses_of_zero_bring_the_wsr_bound_down_with_their_number),
    EE_FACT(the_p_value_is_the_lesser_of_hoeffding_and_bentkus),
    EE_FACT(naive_and_crc_take_the_last_mean_that_is_small_enough),
    EE_FACT(a_sequence_of_tests_stops_at_the_first_that_does_not_reject),
    EE_FACT(ltt_rejects_up_to_delta_and_no_further),
    EE_FACT(ucb_breaks_its_promise_no_more_often_than_delta),
    EE_FACT(ltt_breaks_its_promise_no_more_often_than_delta),
    EE_FACT(the_mean_risk_of_crc_is_at_most_epsilon),
    EE_FACT(naive_thresholds_break_what_was_allowed_in_many_trials),
    EE_FACT(thresholds_from_scores_keep_their_promises),
    EE_FACT(exits_that_agree_let_everyone_leave),
    EE_FACT(a_promise_that_cannot_be_kept_lets_nobody_leave),
    {NULL, NULL},
};
