/* SPDX-License-Identifier: Apache-2.0 */
/* Confidence against closed forms and sorting. */
#include "ee/confidence.h"

#include <math.h>
#include <stdlib.h>

#include "ee/rng.h"
#include "ee_test.h"

#define MOST 20

static int random_logits(uint64_t stream, float *z) {
  ee_rng rng = ee_rng_at(1, stream);
  int    n   = 1 + (int)ee_rng_below(&rng, MOST);
  for (int k = 0; k < n; k++) z[k] = (float)(20 * ee_rng_uniform(&rng) - 10);
  return n;
}

/* With two classes p_0 = 1 / (1 + exp(-(z_0 - z_1) / T)). */
static void softmax_of_two_classes_is_the_logistic_function(void) {
  for (int k = -200; k <= 200; k++) {
    for (float t = 0.25f; t < 5.0f; t *= 2) {
      float z[2] = {(float)k / 10 + 3, 3}, p[2];
      ee_softmax(z, 2, t, p);
      CU_ASSERT_DOUBLE_EQUAL(p[0], 1 / (1 + exp(-(z[0] - 3.0) / t)), 1e-7);
      CU_ASSERT_DOUBLE_EQUAL(p[1], 1 / (1 + exp((z[0] - 3.0) / t)), 1e-7);
    }
  }
}

static void ratios_of_probabilities_are_exponentials_and_they_add_up_to_one(void) {
  for (uint64_t s = 0; s < 500; s++) {
    float  z[MOST], p[MOST], t = 0.5f + (float)(s % 7);
    int    n   = random_logits(s, z);
    double sum = 0.0;
    ee_softmax(z, n, t, p);
    for (int k = 0; k < n; k++) {
      sum += p[k];
      CU_ASSERT_DOUBLE_EQUAL(p[k], p[0] * exp(((double)z[k] - z[0]) / t), 1e-5 * p[k]);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, 1.0, 1e-6);
  }
}

static void huge_logits_do_not_overflow(void) {
  const float z[3] = {3e38f, -3e38f, 3e38f};
  float       p[3];
  ee_softmax(z, 3, 0.05f, p);
  CU_ASSERT_EQUAL(p[0], 0.5f);
  CU_ASSERT_EQUAL(p[1], 0.0f);
  CU_ASSERT_EQUAL(p[2], 0.5f);
}

static void argmax_is_the_lowest_index_of_the_largest(void) {
  for (uint64_t s = 0; s < 500; s++) {
    ee_rng rng = ee_rng_at(2, s);
    int    n   = 1 + (int)ee_rng_below(&rng, MOST);
    float  x[MOST];
    for (int k = 0; k < n; k++)
      x[k] = (float)ee_rng_below(&rng, 4) - 5;  // many equal, all negative
    int best = ee_argmax(x, n);
    for (int k = 0; k < n; k++) CU_ASSERT_TRUE(k < best ? x[k] < x[best] : x[k] <= x[best]);
  }
}

static int falling(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x < y) - (x > y);
}

static void margin_is_the_difference_of_the_first_two_when_sorted(void) {
  for (uint64_t s = 0; s < 500; s++) {
    float z[MOST], p[MOST];
    int   n = random_logits(s, z);
    ee_softmax(z, n, 3.0f, p);
    float margin = ee_margin(p, n);
    qsort(p, (size_t)n, sizeof *p, falling);
    CU_ASSERT_EQUAL(margin, n > 1 ? p[0] - p[1] : p[0]);
  }
}

/* Entropy of k equal probabilities is ln k; of (q, 1 - q) the binary entropy; of one class 0. */
static void entropy_has_its_closed_forms(void) {
  float p[MOST] = {0};
  for (int k = 1; k <= MOST; k++) {
    for (int i = 0; i < k; i++) p[i] = 1.0f / (float)k;
    CU_ASSERT_DOUBLE_EQUAL(ee_entropy(p, MOST), log(k), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(ee_normalised_entropy(p, MOST), log(k) / log(MOST), 1e-6);
    CU_ASSERT_TRUE(ee_normalised_entropy(p, k) <= 1.0f);
  }
  for (double q = 0.05; q < 1; q += 0.05) {
    const float two[2] = {(float)q, (float)(1 - q)};
    CU_ASSERT_DOUBLE_EQUAL(ee_entropy(two, 2), -q * log(q) - (1 - q) * log(1 - q), 1e-6);
  }
  const float sure[3] = {0, 1, 0};
  CU_ASSERT_EQUAL(ee_entropy(sure, 3), 0.0f);
  CU_ASSERT_EQUAL(ee_normalised_entropy(sure + 1, 1), 0.0f);
}

const ee_fact ee_facts[] = {
    EE_FACT(softmax_of_two_classes_is_the_logistic_function),
    EE_FACT(ratios_of_probabilities_are_exponentials_and_they_add_up_to_one),
    EE_FACT(huge_logits_do_not_overflow),
    EE_FACT(argmax_is_the_lowest_index_of_the_largest),
    EE_FACT(margin_is_the_difference_of_the_first_two_when_sorted),
    EE_FACT(entropy_has_its_closed_forms),
    {NULL, NULL},
};
