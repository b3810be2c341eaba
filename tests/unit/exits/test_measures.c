/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of probabilities against their formulas, written out sample by sample and bin by bin. */
#include "ee/measures.h"

#include <math.h>

#include "ee/rng.h"
#include "ee_test.h"

enum { SAMPLES = 500, CLASSES = 4 };

static float   logits[SAMPLES * CLASSES];
static int32_t label[SAMPLES];

static const ee_scores scores = {
    .n = SAMPLES, .n_classes = CLASSES, .logits = logits, .label = label};

static const double     weight[CLASSES] = {1.2, 0.5, 0.9, 2.0};
static const double     bias[CLASSES]   = {0.3, -1.0, 0.0, 0.7};
static const ee_scaling vector          = {.temperature = 1.7, .weight = weight, .bias = bias};

static void draw_scores(uint64_t seed) {
  ee_rng rng = ee_rng_at(seed, 0);
  for (int j = 0; j < SAMPLES * CLASSES; j++) logits[j] = (float)(6 * ee_rng_uniform(&rng) - 3);
  for (int i = 0; i < SAMPLES; i++) label[i] = (int32_t)ee_rng_below(&rng, CLASSES);
}

/* p_k of sample i, from the definition. */
static double probability(int i, int k, const ee_scaling *s) {
  double u[CLASSES], sum = 0.0;
  for (int j = 0; j < CLASSES; j++) {
    double w = s->weight != NULL ? s->weight[j] : 1.0, b = s->bias != NULL ? s->bias[j] : 0.0;
    u[j] = exp((w * logits[i * CLASSES + j] + b) / s->temperature);
    sum += u[j];
  }
  return u[k] / sum;
}

static int prediction(int i, const ee_scaling *s) {
  int best = 0;
  for (int k = 1; k < CLASSES; k++) {
    if (probability(i, k, s) > probability(i, best, s)) best = k;
  }
  return best;
}

static bool in_bin(double p, int b) {
  return p > b / 15.0 && p <= (b + 1) / 15.0;
}

static double classwise(const ee_scaling *s) {
  double all = 0.0;
  for (int k = 0; k < CLASSES; k++) {
    for (int b = 0; b < 15; b++) {
      double n = 0.0, p = 0.0, hits = 0.0;
      for (int i = 0; i < SAMPLES; i++) {
        double one = probability(i, k, s);
        if (!in_bin(one, b)) continue;
        n += 1;
        p += one;
        hits += label[i] == k;
      }
      if (n > 0) all += n / SAMPLES * fabs(hits / n - p / n);
    }
  }
  return all / CLASSES;
}

static void check_measures(const ee_scaling *s) {
  ee_measures m;
  double      nll = 0.0, brier = 0.0, right = 0.0;
  CU_ASSERT_EQUAL_FATAL(ee_measure(&scores, s, &m), EE_OK);
  for (int i = 0; i < SAMPLES; i++) {
    nll -= log(probability(i, label[i], s)) / SAMPLES;
    right += prediction(i, s) == label[i];
    for (int k = 0; k < CLASSES; k++) {
      brier += pow(probability(i, k, s) - (k == label[i]), 2) / SAMPLES;
    }
  }
  CU_ASSERT_DOUBLE_EQUAL(m.nll, nll, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(m.brier, brier, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(m.accuracy, right / SAMPLES, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(m.classwise_ece, classwise(s), 1e-12);
}

static void measures_are_the_sums_of_their_formulas(void) {
  draw_scores(1);
  check_measures(&(ee_scaling){.temperature = 1.0});
  check_measures(&(ee_scaling){.temperature = 0.4});
  check_measures(&vector);
}

static void without_weights_they_agree_with_the_measures_of_a_temperature(void) {
  draw_scores(2);
  for (double t = 0.3; t < 8; t *= 2) {
    ee_measures m;
    CU_ASSERT_EQUAL_FATAL(ee_measure(&scores, &(ee_scaling){.temperature = t}, &m), EE_OK);
    CU_ASSERT_DOUBLE_EQUAL(m.nll, ee_nll(&scores, t), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(m.reliability.ece, ee_ece(&scores, t), 1e-12);
    CU_ASSERT_EQUAL(m.accuracy, ee_accuracy(&scores));
  }
}

static void a_reliability_diagram_holds_the_means_of_each_bin(void) {
  ee_measures m;
  int64_t     total = 0;
  draw_scores(3);
  CU_ASSERT_EQUAL_FATAL(ee_measure(&scores, &vector, &m), EE_OK);
  for (int b = 0; b < 15; b++) {
    double n = 0.0, confidence = 0.0, right = 0.0;
    for (int i = 0; i < SAMPLES; i++) {
      int    top = prediction(i, &vector);
      double p   = probability(i, top, &vector);
      if (!in_bin(p, b)) continue;
      n += 1;
      confidence += p;
      right += top == label[i];
    }
    CU_ASSERT_EQUAL(m.reliability.bin[b].count, (int64_t)n);
    CU_ASSERT_DOUBLE_EQUAL(m.reliability.bin[b].confidence, n > 0 ? confidence / n : 0.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(m.reliability.bin[b].accuracy, n > 0 ? right / n : 0.0, 1e-12);
    total += m.reliability.bin[b].count;
  }
  CU_ASSERT_EQUAL(total, SAMPLES);
}

/* .8 right, .8 wrong, .3 right: bins of 2 and 1. */
static void the_diagram_of_three_confidences_is_the_one_made_by_hand(void) {
  const double   confidence[] = {0.8, 0.79, 0.3};
  const bool     right[]      = {true, false, true};
  ee_reliability diagram;
  ee_reliability_make(3, confidence, right, &diagram);
  CU_ASSERT_EQUAL(diagram.bin[11].count, 2);  // (11/15, 12/15]
  CU_ASSERT_DOUBLE_EQUAL(diagram.bin[11].confidence, 0.795, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(diagram.bin[11].accuracy, 0.5, 1e-15);
  CU_ASSERT_EQUAL(diagram.bin[4].count, 1);  // (4/15, 5/15]
  CU_ASSERT_DOUBLE_EQUAL(diagram.ece, (2 * 0.295 + 0.7) / 3, 1e-15);
}

static void probabilities_that_are_rounded_away_have_a_finite_nll(void) {
  const float z[] = {0.0f, 2000.0f, 0.0f};
  double      p[3];
  double      nll = ee_scaled_softmax(z, 3, &(ee_scaling){.temperature = 0.5}, 0, p);
  CU_ASSERT_EQUAL(p[0], 0.0);
  CU_ASSERT_EQUAL(p[1], 1.0);
  CU_ASSERT_DOUBLE_EQUAL(nll, 4000.0, 1e-9);
}

static void every_probability_has_one_bin(void) {
  CU_ASSERT_EQUAL(ee_bin_of(0.0), 0);
  CU_ASSERT_EQUAL(ee_bin_of(1e-300), 0);
  CU_ASSERT_EQUAL(ee_bin_of(1.0 / 15), 0);
  CU_ASSERT_EQUAL(ee_bin_of(1.0 / 15 + 1e-9), 1);
  CU_ASSERT_EQUAL(ee_bin_of(1.0), 14);
  CU_ASSERT_EQUAL(ee_bin_of(1.0 + 1e-9), 14);
}

const ee_fact ee_facts[] = {
    EE_FACT(measures_are_the_sums_of_their_formulas),
    EE_FACT(without_weights_they_agree_with_the_measures_of_a_temperature),
    EE_FACT(a_reliability_diagram_holds_the_means_of_each_bin),
    EE_FACT(the_diagram_of_three_confidences_is_the_one_made_by_hand),
    EE_FACT(probabilities_that_are_rounded_away_have_a_finite_nll),
    EE_FACT(every_probability_has_one_bin),
    {NULL, NULL},
};
