/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration against closed forms and sums by the formula. */
#include "ee/calibrate.h"

#include <math.h>
#include <string.h>

#include "ee/rng.h"
#include "ee_test.h"

enum { SAMPLES = 4000, CLASSES = 5 };

static float   logits[SAMPLES * CLASSES];
static int32_t label[SAMPLES];

static const ee_scores scores = {
    .n = SAMPLES, .n_classes = CLASSES, .logits = logits, .label = label};

static double probability(const float *z, int k, double t) {
  double sum = 0.0;
  for (int j = 0; j < CLASSES; j++) sum += exp(z[j] / t);
  return exp(z[k] / t) / sum;
}

/* Random logits, and labels drawn from their softmax at temperature @p t: t is the truth. */
static void draw_scores(uint64_t seed, double t) {
  for (int i = 0; i < SAMPLES; i++) {
    ee_rng rng = ee_rng_at(seed, (uint64_t)i);
    float *z   = logits + i * CLASSES;
    for (int k = 0; k < CLASSES; k++) z[k] = (float)(8 * ee_rng_uniform(&rng));
    double u = ee_rng_uniform(&rng);
    for (label[i] = 0; label[i] < CLASSES - 1; label[i]++) {
      u -= probability(z, label[i], t);
      if (u < 0) break;
    }
  }
}

static void nll_and_accuracy_are_the_sums_of_their_formulas(void) {
  draw_scores(1, 2.0);
  for (double t = 0.3; t < 10; t *= 2) {
    double nll = 0.0, right = 0.0;
    for (int i = 0; i < SAMPLES; i++) {
      const float *z    = logits + i * CLASSES;
      int          most = 0;
      for (int k = 1; k < CLASSES; k++) most = z[k] > z[most] ? k : most;
      nll -= log(probability(z, label[i], t)) / SAMPLES;
      right += most == label[i];
    }
    CU_ASSERT_DOUBLE_EQUAL(ee_nll(&scores, t), nll, 1e-10);
    CU_ASSERT_EQUAL(ee_accuracy(&scores), right / SAMPLES);
  }
}

/* Bin by bin over all samples, as the definition reads. */
static void ece_is_the_sum_over_bins_of_its_formula(void) {
  draw_scores(2, 1.0);
  for (double t = 0.3; t < 10; t *= 2) {
    double ece = 0.0;
    for (int b = 0; b < 15; b++) {
      double right = 0.0, confidence = 0.0;
      int    n = 0;
      for (int i = 0; i < SAMPLES; i++) {
        const float *z    = logits + i * CLASSES;
        int          most = 0;
        for (int k = 1; k < CLASSES; k++) most = z[k] > z[most] ? k : most;
        double p = probability(z, most, t);
        if (!(p > b / 15.0 && p <= (b + 1) / 15.0)) continue;
        n++;
        right += most == label[i];
        confidence += p;
      }
      if (n > 0) ece += (double)n / SAMPLES * fabs(right / n - confidence / n);
    }
    CU_ASSERT_DOUBLE_EQUAL(ee_ece(&scores, t), ece, 1e-10);
  }
}

/* A confidence of exactly 1/3 = 5/15 belongs to the bin that ends there. */
static void a_confidence_on_the_edge_of_a_bin_belongs_below_it(void) {
  const float   even[] = {0, 0, 0, 0, 0, 0};
  const int32_t zero[] = {0, 0};
  ee_scores     two    = {.n = 2, .n_classes = 3, .logits = even, .label = zero};  // 1/3 = 5/15
  CU_ASSERT_DOUBLE_EQUAL(ee_ece(&two, 1.0), 2.0 / 3, 1e-15);

  // 1/3 (right) and a little more than 1/3 (wrong): in bins of their own, so errors do not cancel.
  const float     uneven[]  = {0, 0, 0, 0, 0, 1e-6f};
  const ee_scores separated = {.n = 2, .n_classes = 3, .logits = uneven, .label = zero};
  CU_ASSERT_DOUBLE_EQUAL(ee_ece(&separated, 1.0), (2.0 / 3 + 1.0 / 3) / 2, 1e-6);
}

/* Two classes a apart, share r right: NLL is least where 1 / (1 + exp(-a / T)) = r. */
static void the_temperature_of_two_classes_is_that_of_the_closed_form(void) {
  for (int right = 55; right < 100; right += 5) {
    float     z[200] = {0};
    int32_t   y[100];
    double    t = 0.0, wanted = 3.0 / log(right / (100.0 - right));
    ee_scores hundred = {.n = 100, .n_classes = 2, .logits = z, .label = y};
    for (int i = 0; i < 100; i++) z[2 * i + i % 2] = 3.0f;
    for (int i = 0; i < 100; i++) y[i] = i < right ? i % 2 : 1 - i % 2;
    CU_ASSERT_EQUAL_FATAL(ee_calibrate_temperature(&hundred, &t), EE_OK);
    CU_ASSERT_DOUBLE_EQUAL(t, wanted, 2e-6 * wanted);
  }
}

static void no_temperature_on_a_fine_grid_has_a_lower_nll(void) {
  const double truth[] = {0.3, 1.0, 4.0};
  for (int k = 0; k < 3; k++) {
    double t = 0.0;
    draw_scores((uint64_t)(3 + k), truth[k]);
    CU_ASSERT_EQUAL_FATAL(ee_calibrate_temperature(&scores, &t), EE_OK);
    CU_ASSERT_DOUBLE_EQUAL(t, truth[k], 0.1 * truth[k]);
    double least = ee_nll(&scores, t);
    for (double ln = log(0.05); ln <= log(20.0); ln += 0.02) {
      CU_ASSERT_TRUE(least <= ee_nll(&scores, exp(ln)) + 1e-12);
    }
    CU_ASSERT_TRUE(ee_ece(&scores, t) < 0.03);
  }
}

/* All right: ever colder is ever better.  All wrong by far: ever hotter. */
static void a_best_temperature_out_of_bounds_stops_at_the_bound(void) {
  const float   z[]     = {1, 0, 0, 1};
  const int32_t right[] = {0, 1}, wrong[] = {1, 0};
  double        t   = 0.0;
  ee_scores     two = {.n = 2, .n_classes = 2, .logits = z, .label = right};
  CU_ASSERT_EQUAL(ee_calibrate_temperature(&two, &t), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(t, 0.05, 1e-6);
  CU_ASSERT_TRUE(t >= EE_TEMPERATURE_MIN);
  two.label = wrong;
  CU_ASSERT_EQUAL(ee_calibrate_temperature(&two, &t), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(t, 20.0, 1e-4);
  CU_ASSERT_TRUE(t <= EE_TEMPERATURE_MAX);
}

static void scores_that_cannot_be_used_are_refused_by_sample(void) {
  float     z[] = {1, 0, 0, 1};
  int32_t   y[] = {0, 1};
  double    t   = 7.0;
  ee_scores two = {.n = 2, .n_classes = 2, .logits = z, .label = y};
  CU_ASSERT_EQUAL(ee_scores_check(&two), EE_OK);
  y[1] = -1;
  CU_ASSERT_EQUAL(ee_calibrate_temperature(&two, &t), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "sample 1 has label -1"));
  y[1] = 2;
  CU_ASSERT_EQUAL(ee_calibrate_temperature(&two, &t), EE_ERR_ARG);
  y[1] = 1;
  z[3] = NAN;
  CU_ASSERT_EQUAL(ee_calibrate_temperature(&two, &t), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "sample 1 has logit nan for class 1"));
  two.n = 0;
  CU_ASSERT_EQUAL(ee_calibrate_temperature(&two, &t), EE_ERR_ARG);
  CU_ASSERT_EQUAL(t, 7.0);
}

const ee_fact ee_facts[] = {
    EE_FACT(nll_and_accuracy_are_the_sums_of_their_formulas),
    EE_FACT(ece_is_the_sum_over_bins_of_its_formula),
    EE_FACT(a_confidence_on_the_edge_of_a_bin_belongs_below_it),
    EE_FACT(the_temperature_of_two_classes_is_that_of_the_closed_form),
    EE_FACT(no_temperature_on_a_fine_grid_has_a_lower_nll),
    EE_FACT(a_best_temperature_out_of_bounds_stops_at_the_bound),
    EE_FACT(scores_that_cannot_be_used_are_refused_by_sample),
    {NULL, NULL},
};
