/* SPDX-License-Identifier: Apache-2.0 */
/* Temperatures of all exits, against subsets picked sample by sample and searches over grids. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ee/calibrate.h"
#include "ee/confidence.h"
#include "ee/rng.h"
#include "ee_test.h"

enum { SAMPLES = 1500, EXITS = 3, CLASSES = 4 };

static float   logits[EXITS * SAMPLES * CLASSES];
static int32_t label[SAMPLES];

static const ee_score_table table = {
    .n = SAMPLES, .n_exits = EXITS, .n_classes = CLASSES, .logits = logits, .label = label};

static float *logits_of(int exit, int i) {
  return logits + (exit * SAMPLES + i) * CLASSES;
}

/* Deeper exits lean more towards the label; all are surer than they should be. */
static void draw_table(uint64_t seed) {
  for (int i = 0; i < SAMPLES; i++) {
    ee_rng rng = ee_rng_at(seed, (uint64_t)i);
    label[i]   = (int32_t)ee_rng_below(&rng, CLASSES);
    for (int e = 0; e < EXITS; e++) {
      for (int k = 0; k < CLASSES; k++) {
        double lean        = k == label[i] ? 0.8 + 0.6 * e : 0.0;
        logits_of(e, i)[k] = (float)(2 * (lean + 3 * ee_rng_uniform(&rng)));
      }
    }
  }
}

static float confidence(int exit, int i, double temperature) {
  float p[CLASSES];
  ee_softmax(logits_of(exit, i), CLASSES, (float)temperature, p);
  return p[ee_argmax(p, CLASSES)];
}

/* Samples picked for one fit, and the fit's test: no temperature of a fine grid is better. */
static float   picked[SAMPLES * CLASSES];
static int32_t picked_label[SAMPLES];
static int     n_picked;

static void pick(int exit, int i) {
  memcpy(picked + n_picked * CLASSES, logits_of(exit, i), CLASSES * sizeof *picked);
  picked_label[n_picked++] = label[i];
}

static double naive_nll(double t) {
  double sum = 0.0;
  for (int i = 0; i < n_picked; i++) {
    double all = 0.0;
    for (int k = 0; k < CLASSES; k++) all += exp(picked[i * CLASSES + k] / t);
    sum -= picked[i * CLASSES + picked_label[i]] / t - log(all);
  }
  return sum;
}

static void check_best(double temperature, int64_t fitted) {
  double least = naive_nll(temperature);
  CU_ASSERT_EQUAL(fitted, n_picked);
  for (double t = temperature / 2; t < 2 * temperature; t *= 1.02) {
    CU_ASSERT_TRUE(naive_nll(t) >= least - 1e-9);
  }
}

static void fitting_on_all_samples_looks_at_each_exit_alone(void) {
  double  t[EXITS];
  int64_t fitted[EXITS];
  draw_table(1);
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_exits(&table, EE_CALIBRATE_ALL, 0.9, t, fitted), EE_OK);
  for (int e = 0; e < EXITS; e++) {
    n_picked = 0;
    for (int i = 0; i < SAMPLES; i++) pick(e, i);
    check_best(t[e], fitted[e]);
  }
}

/* @p at_one: exits take samples before calibration, not after. */
static void check_subsets(ee_calibrate_mode mode, double target, bool at_one) {
  double  t[EXITS];
  int64_t fitted[EXITS];
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_exits(&table, mode, target, t, fitted), EE_OK);
  for (int e = 0; e < EXITS; e++) {
    n_picked = 0;
    for (int i = 0; i < SAMPLES; i++) {
      bool wanted = true;
      for (int before = 0; before < e; before++) {
        wanted &= confidence(before, i, at_one ? 1.0 : t[before]) < (float)target;
      }
      if (mode == EE_CALIBRATE_LEAVE && e < EXITS - 1) {
        wanted &= confidence(e, i, 1.0) >= (float)target;
      }
      if (wanted) pick(e, i);
    }
    CU_ASSERT_TRUE(n_picked > 20 && n_picked <= SAMPLES);
    check_best(t[e], fitted[e]);
  }
}

static void fitting_on_those_who_reach_an_exit_leaves_out_who_left_before(void) {
  draw_table(2);
  check_subsets(EE_CALIBRATE_REACH, 0.8, false);
  check_subsets(EE_CALIBRATE_REACH, 0.95, false);
}

static void fitting_on_those_who_leave_takes_only_who_is_sure_there(void) {
  draw_table(3);
  check_subsets(EE_CALIBRATE_LEAVE, 0.8, true);
  check_subsets(EE_CALIBRATE_LEAVE, 0.95, true);
}

static void one_global_temperature_fits_each_sample_where_it_leaves(void) {
  double  t[EXITS];
  int64_t fitted[EXITS];
  int     left[EXITS] = {0};
  draw_table(4);
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_exits(&table, EE_CALIBRATE_GLOBAL, 0.9, t, fitted), EE_OK);
  n_picked = 0;
  for (int i = 0; i < SAMPLES; i++) {
    int e = 0;
    while (e < EXITS - 1 && confidence(e, i, 1.0) < 0.9f) e++;
    pick(e, i);
    left[e]++;
  }
  for (int e = 0; e < EXITS; e++) {
    CU_ASSERT_TRUE(left[e] > 20);
    CU_ASSERT_EQUAL(t[e], t[0]);
    check_best(t[e], fitted[e]);
  }
}

static void an_exit_that_nobody_reaches_keeps_temperature_one(void) {
  double  t[EXITS];
  int64_t fitted[EXITS];
  draw_table(5);
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_exits(&table, EE_CALIBRATE_REACH, 0.0, t, fitted), EE_OK);
  CU_ASSERT_EQUAL(fitted[0], SAMPLES);
  CU_ASSERT_EQUAL(fitted[2], 0);
  CU_ASSERT_EQUAL(t[2], 1.0);
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_exits(&table, EE_CALIBRATE_LEAVE, 1.5, t, fitted), EE_OK);
  CU_ASSERT_EQUAL(fitted[0], 0);
  CU_ASSERT_EQUAL(t[1], 1.0);
  CU_ASSERT_EQUAL(fitted[2], SAMPLES);
}

static void confidences_have_the_bits_that_policies_see(void) {
  draw_table(6);
  for (int i = 0; i < SAMPLES; i++)
    CU_ASSERT_EQUAL(ee_confidence_at(logits_of(1, i), CLASSES, 0.7), confidence(1, i, 0.7));
}

static void a_logit_that_is_no_number_is_named_with_exit_and_sample(void) {
  double  t[EXITS] = {7.0};
  int64_t fitted[EXITS];
  draw_table(7);
  logits_of(2, 11)[3] = INFINITY;
  CU_ASSERT_EQUAL(ee_calibrate_exits(&table, EE_CALIBRATE_REACH, 0.5, t, fitted), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "exit 2: sample 11 has logit inf"));
  CU_ASSERT_EQUAL(t[0], 7.0);
}

/* ---- offloading-driven temperatures ---- */

static const double cost[EXITS] = {1.0, 2.0, 5.0};

/* The objective with a Gaussian at every sample, without cells. */
static double naive_objective(const ee_offload_utility *u, const double *t) {
  static int at[SAMPLES];
  double     left = 0.0, likely = 0.0, time = 0.0;
  memset(at, 0, sizeof at);
  for (int e = 0; e < EXITS - 1; e++) {
    static double c[SAMPLES], right[SAMPLES];
    int           n    = 0;
    double        mean = 0.0, square = 0.0;
    for (int i = 0; i < SAMPLES; i++) {
      if (at[i] != e) continue;
      c[n]       = (double)confidence(e, i, t[e]);
      right[n++] = ee_argmax(logits_of(e, i), CLASSES) == label[i];
    }
    for (int j = 0; j < n; j++) mean += c[j] / n;
    for (int j = 0; j < n; j++) square += (c[j] - mean) * (c[j] - mean) / n;
    double h = fmax(sqrt(square) * pow(n, -0.2), 1e-3);
    for (int i = 0; i < SAMPLES; i++) {
      if (at[i] != e) continue;
      double here = (double)confidence(e, i, t[e]), all = 0.0, hits = 0.0;
      if (here < (double)(float)u->target) {
        at[i]++;
        continue;
      }
      for (int j = 0; j < n; j++) {
        double k = exp(-0.5 * pow((c[j] - here) / h, 2));
        all += k;
        hits += k * right[j];
      }
      left += 1;
      likely += hits / all;
    }
  }
  for (int i = 0; i < SAMPLES; i++) time += cost[at[i]];
  return (1 - u->beta) * time / (SAMPLES * cost[EXITS - 1]) -
         u->beta * (left > 0 ? likely / left : 0);
}

static void the_offloading_objective_is_the_sum_over_kernels_at_every_sample(void) {
  const double       points[][EXITS] = {{1, 1, 1}, {2.5, 1.5, 1}, {0.6, 4, 1}, {30, 30, 1}};
  ee_offload_utility u               = {.target = 0.8, .beta = 0.6, .time = cost};
  draw_table(8);
  for (int j = 0; j < 4; j++) {
    double z = 0.0;
    CU_ASSERT_EQUAL_FATAL(ee_offload_objective(&table, &u, points[j], &z), EE_OK);
    CU_ASSERT_DOUBLE_EQUAL(z, naive_objective(&u, points[j]), 3e-4);
  }
}

/* All weight on time, half, nearly none: a grid over both early exits is the measure. */
static void the_search_gains_most_of_what_a_grid_gains(void) {
  for (int k = 0; k < 3; k++) {
    const double       beta[] = {0.0, 0.5, 0.95};
    double             t[EXITS], found, at_one, best = INFINITY;
    ee_offload_utility u = {.target = 0.9, .beta = beta[k], .time = cost, .steps = 150, .seed = 4};
    draw_table(9);
    CU_ASSERT_EQUAL_FATAL(ee_calibrate_offloading(&table, &u, t, &found), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_offload_objective(&table, &u, (const double[]){1, 1, 1}, &at_one),
                          EE_OK);
    for (double a = 0.1; a < 8; a *= 1.4) {
      for (double b = 0.1; b < 8; b *= 1.4) {
        double z;
        CU_ASSERT_EQUAL(ee_offload_objective(&table, &u, (const double[]){a, b, 1}, &z), EE_OK);
        best = fmin(best, z);
      }
    }
    CU_ASSERT_TRUE(found <= at_one);
    CU_ASSERT_TRUE(found <= at_one - 0.6 * (at_one - best));
    CU_ASSERT_EQUAL(t[EXITS - 1], 1.0);
    CU_ASSERT_EQUAL_FATAL(ee_offload_objective(&table, &u, t, &at_one), EE_OK);
    CU_ASSERT_EQUAL(found, at_one);
  }
}

/* The steps of the method, one after the other, by the public objective alone. */
static void the_search_takes_the_published_steps(void) {
  double             at[EXITS] = {1, 1, 1}, sign[EXITS], t[EXITS], found, best = INFINITY;
  ee_offload_utility u = {.target = 0.9, .beta = 0.7, .time = cost, .steps = 30, .seed = 11};
  draw_table(12);
  for (int s = 0; s <= u.steps; s++) {
    double side[2] = {0, 0}, z;
    ee_rng rng     = ee_rng_at(u.seed, (uint64_t)s);
    for (int e = 0; e < EXITS - 1; e++) sign[e] = ee_rng_below(&rng, 2) == 1 ? 1.0 : -1.0;
    for (int k = 0; k < 2 && s > 0; k++) {
      double near[EXITS] = {1, 1, 1};
      for (int e = 0; e < EXITS - 1; e++) {
        near[e] = fmax(0.05, at[e] + (k == 0 ? sign[e] : -sign[e]) / s);
      }
      CU_ASSERT_EQUAL(ee_offload_objective(&table, &u, near, &side[k]), EE_OK);
      best = fmin(best, side[k]);
    }
    for (int e = 0; e < EXITS - 1 && s > 0; e++) {
      double gradient = (side[0] - side[1]) / (2.0 / s * sign[e]);
      at[e]           = fmax(0.05, at[e] - 0.4 / (s + 1) * gradient);
    }
    CU_ASSERT_EQUAL(ee_offload_objective(&table, &u, at, &z), EE_OK);
    best = fmin(best, z);
  }
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_offloading(&table, &u, t, &found), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(found, best, 1e-12);
}

/* With all weight on time the first step's look to the side would leave them. */
static void temperatures_of_the_search_stay_in_their_bounds(void) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    double             t[EXITS], z;
    ee_offload_utility u = {.target = 0.9, .time = cost, .steps = 20, .seed = seed};
    draw_table(9);
    CU_ASSERT_EQUAL_FATAL(ee_calibrate_offloading(&table, &u, t, &z), EE_OK);
    for (int e = 0; e < EXITS; e++)
      CU_ASSERT_TRUE(t[e] >= EE_TEMPERATURE_MIN && t[e] <= EE_TEMPERATURE_MAX);
  }
}

static void a_utility_that_makes_no_sense_is_refused(void) {
  double             t[EXITS], z, bad[EXITS] = {1.0, 2.0, 0.0};
  ee_offload_utility u = {.target = 0.9, .beta = 1.5, .time = cost, .steps = 5};
  CU_ASSERT_EQUAL(ee_calibrate_offloading(&table, &u, t, &z), EE_ERR_ARG);
  u.beta = 0.5;
  u.time = bad;
  draw_table(10);
  CU_ASSERT_EQUAL(ee_calibrate_offloading(&table, &u, t, &z), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "exit 2 is 0"));
  u.time  = cost;
  u.steps = 0;
  CU_ASSERT_EQUAL(ee_calibrate_offloading(&table, &u, t, &z), EE_ERR_ARG);
}

const ee_fact ee_facts[] = {
    EE_FACT(fitting_on_all_samples_looks_at_each_exit_alone),
    EE_FACT(fitting_on_those_who_reach_an_exit_leaves_out_who_left_before),
    EE_FACT(fitting_on_those_who_leave_takes_only_who_is_sure_there),
    EE_FACT(one_global_temperature_fits_each_sample_where_it_leaves),
    EE_FACT(an_exit_that_nobody_reaches_keeps_temperature_one),
    EE_FACT(confidences_have_the_bits_that_policies_see),
    EE_FACT(a_logit_that_is_no_number_is_named_with_exit_and_sample),
    EE_FACT(the_offloading_objective_is_the_sum_over_kernels_at_every_sample),
    EE_FACT(the_search_gains_most_of_what_a_grid_gains),
    EE_FACT(the_search_takes_the_published_steps),
    EE_FACT(temperatures_of_the_search_stay_in_their_bounds),
    EE_FACT(a_utility_that_makes_no_sense_is_refused),
    {NULL, NULL},
};
