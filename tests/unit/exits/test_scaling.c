/* SPDX-License-Identifier: Apache-2.0 */
/* Vector scaling against searches along every variable; isotonic regression against the min-max
 * formula. */
#include "ee/scaling.h"

#include <math.h>
#include <string.h>

#include "ee/rng.h"
#include "ee_test.h"

enum { SAMPLES = 600, CLASSES = 3 };

static float   logits[SAMPLES * CLASSES];
static int32_t label[SAMPLES];

static const ee_scores scores = {
    .n = SAMPLES, .n_classes = CLASSES, .logits = logits, .label = label};

static const double true_weight[CLASSES] = {0.4, 0.7, 1.1};
static const double true_bias[CLASSES]   = {0.5, -0.8, 0.3};

/* What vector scaling minimises, at x = (weight, bias), by naive sums. */
static double objective(const double *x) {
  double sum = 0.0, ridge = 0.0;
  for (int i = 0; i < SAMPLES; i++) {
    double all = 0.0, u[CLASSES];
    for (int k = 0; k < CLASSES; k++) u[k] = x[k] * logits[i * CLASSES + k] + x[CLASSES + k];
    for (int k = 0; k < CLASSES; k++) all += exp(u[k]);
    sum -= u[label[i]] - log(all);
  }
  for (int k = 0; k < CLASSES; k++) ridge += (x[k] - 1) * (x[k] - 1);
  for (int k = 0; k < CLASSES; k++) ridge += x[CLASSES + k] * x[CLASSES + k];
  return sum / SAMPLES + 1e-6 / 2 * ridge;
}

/* Labels drawn from the softmax of logits scaled by the truth. */
static void draw_scores(uint64_t seed) {
  for (int i = 0; i < SAMPLES; i++) {
    ee_rng rng = ee_rng_at(seed, (uint64_t)i);
    double u[CLASSES], all = 0.0;
    for (int k = 0; k < CLASSES; k++) {
      logits[i * CLASSES + k] = (float)(10 * ee_rng_uniform(&rng) - 5);
      u[k]                    = exp(true_weight[k] * logits[i * CLASSES + k] + true_bias[k]);
      all += u[k];
    }
    double at = ee_rng_uniform(&rng) * all;
    for (label[i] = 0; label[i] < CLASSES - 1; label[i]++) {
      at -= u[label[i]];
      if (at < 0) break;
    }
  }
}

/* The sum is convex: where no step along any variable and no random step makes it less is the
 * minimum. */
static void no_step_from_the_vector_scaling_makes_its_sum_less(void) {
  double x[2 * CLASSES], y[2 * CLASSES];
  ee_rng rng = ee_rng_at(9, 9);
  draw_scores(1);
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_vector(&scores, x, x + CLASSES), EE_OK);
  double least = objective(x);
  for (int j = 0; j < 2 * CLASSES; j++) {
    double slope = 0.0;
    for (int side = -1; side <= 1; side += 2) {
      memcpy(y, x, sizeof y);
      y[j] += side * 1e-4;
      CU_ASSERT_TRUE(objective(y) >= least - 1e-14);
      slope += side * objective(y);
    }
    CU_ASSERT_DOUBLE_EQUAL(slope / 2e-4, 0.0, 1e-6);
  }
  for (int r = 0; r < 100; r++) {
    for (int j = 0; j < 2 * CLASSES; j++) y[j] = x[j] + 0.2 * (ee_rng_uniform(&rng) - 0.5);
    CU_ASSERT_TRUE(objective(y) >= least);
  }
}

/* Cyclic search along one variable at a time by thirds: slow, and shares nothing with L-BFGS. */
static void vector_scaling_finds_what_searching_each_variable_in_turn_finds(void) {
  double x[2 * CLASSES], y[2 * CLASSES] = {1, 1, 1};
  draw_scores(2);
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_vector(&scores, x, x + CLASSES), EE_OK);
  for (int round = 0; round < 40; round++) {
    for (int j = 0; j < 2 * CLASSES; j++) {
      double low = y[j] - 1, high = y[j] + 1;
      while (high - low > 1e-7) {
        double left = low + (high - low) / 3, right = high - (high - low) / 3;
        y[j]         = left;
        double value = objective(y);
        y[j]         = right;
        if (value < objective(y))
          high = right;
        else
          low = left;
      }
      y[j] = (low + high) / 2;
    }
  }
  CU_ASSERT_TRUE(objective(x) <= objective(y) + 1e-10);
  for (int k = 0; k < CLASSES; k++) {
    CU_ASSERT_DOUBLE_EQUAL(x[k], y[k], 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(x[k], true_weight[k], 0.25);
    double shift = x[CLASSES + k] - x[CLASSES], wanted = true_bias[k] - true_bias[0];
    CU_ASSERT_DOUBLE_EQUAL(shift, y[CLASSES + k] - y[CLASSES], 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(shift, wanted, 0.5);
  }
}

/* All right: without the ridge the weights would grow for ever. */
static void samples_that_can_be_told_apart_give_finite_weights(void) {
  double x[2 * CLASSES];
  draw_scores(3);
  for (int i = 0; i < SAMPLES; i++) {
    const float *z = logits + i * CLASSES;
    label[i]       = z[1] > z[0] ? 1 : 0;
    label[i]       = z[2] > z[label[i]] ? 2 : label[i];
  }
  CU_ASSERT_EQUAL_FATAL(ee_calibrate_vector(&scores, x, x + CLASSES), EE_OK);
  for (int j = 0; j < 2 * CLASSES; j++) CU_ASSERT_TRUE(isfinite(x[j]) && fabs(x[j]) < 1e4);
  CU_ASSERT_TRUE(x[0] > 2.0);
}

static void vector_scaling_refuses_scores_that_cannot_be_used(void) {
  double x[2 * CLASSES] = {7};
  draw_scores(4);
  label[5] = CLASSES;
  CU_ASSERT_EQUAL(ee_calibrate_vector(&scores, x, x + CLASSES), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "sample 5 has label 3"));
  CU_ASSERT_EQUAL(x[0], 7.0);
}

enum { POINTS = 60 };

/* g(x_i) = max_{a <= x_i} min_{b >= x_i} mean of right over confidences in [a, b]. */
static double min_max(int n, const double *confidence, const bool *right, double at) {
  double greatest = -1.0;
  for (int a = 0; a < n; a++) {
    double least = 2.0;
    if (confidence[a] > at) continue;
    for (int b = 0; b < n; b++) {
      double sum = 0.0, count = 0.0;
      if (confidence[b] < at) continue;
      for (int i = 0; i < n; i++) {
        if (confidence[i] < confidence[a] || confidence[i] > confidence[b]) continue;
        sum += right[i];
        count += 1;
      }
      least = fmin(least, sum / count);
    }
    greatest = fmax(greatest, least);
  }
  return greatest;
}

/* Confidences are multiples of 1/20, so that many are equal. */
static void isotonic_regression_is_the_min_max_formula(void) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    ee_rng      rng = ee_rng_at(5, seed);
    double      confidence[POINTS];
    bool        right[POINTS];
    ee_isotonic fit;
    for (int i = 0; i < POINTS; i++) {
      confidence[i] = (double)ee_rng_below(&rng, 21) / 20;
      right[i]      = ee_rng_uniform(&rng) < 0.2 + 0.6 * confidence[i];
    }
    CU_ASSERT_EQUAL_FATAL(ee_isotonic_fit(POINTS, confidence, right, &fit), EE_OK);
    for (int i = 0; i < POINTS; i++) {
      double wanted = min_max(POINTS, confidence, right, confidence[i]);
      CU_ASSERT_DOUBLE_EQUAL(ee_isotonic_at(&fit, confidence[i]), wanted, 1e-12);
    }
    for (int64_t b = 1; b < fit.n; b++) CU_ASSERT_TRUE(fit.value[b] > fit.value[b - 1]);
    ee_isotonic_free(&fit);
    CU_ASSERT_PTR_NULL(fit.start);
  }
}

static void between_and_beyond_its_steps_it_is_constant(void) {
  const double confidence[] = {0.9, 0.2, 0.6, 0.5};
  const bool   right[]      = {true, false, false, true};  // .2: 0; .5, .6: 1/2; .9: 1
  ee_isotonic  fit;
  CU_ASSERT_EQUAL_FATAL(ee_isotonic_fit(4, confidence, right, &fit), EE_OK);
  CU_ASSERT_EQUAL(fit.n, 3);
  CU_ASSERT_EQUAL(ee_isotonic_at(&fit, 0.0), 0.0);
  CU_ASSERT_EQUAL(ee_isotonic_at(&fit, 0.49), 0.0);
  CU_ASSERT_EQUAL(ee_isotonic_at(&fit, 0.5), 0.5);
  CU_ASSERT_EQUAL(ee_isotonic_at(&fit, 0.89), 0.5);
  CU_ASSERT_EQUAL(ee_isotonic_at(&fit, 1.0), 1.0);
  ee_isotonic_free(&fit);
}

static void isotonic_regression_refuses_no_samples_and_no_numbers(void) {
  const double confidence[] = {0.9, NAN};
  const bool   right[]      = {true, false};
  ee_isotonic  fit;
  CU_ASSERT_EQUAL(ee_isotonic_fit(0, confidence, right, &fit), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_isotonic_fit(2, confidence, right, &fit), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "sample 1 has confidence nan"));
  CU_ASSERT_PTR_NULL(fit.value);
}

const ee_fact ee_facts[] = {
    EE_FACT(no_step_from_the_vector_scaling_makes_its_sum_less),
    EE_FACT(vector_scaling_finds_what_searching_each_variable_in_turn_finds),
    EE_FACT(samples_that_can_be_told_apart_give_finite_weights),
    EE_FACT(vector_scaling_refuses_scores_that_cannot_be_used),
    EE_FACT(isotonic_regression_is_the_min_max_formula),
    EE_FACT(between_and_beyond_its_steps_it_is_constant),
    EE_FACT(isotonic_regression_refuses_no_samples_and_no_numbers),
    {NULL, NULL},
};
