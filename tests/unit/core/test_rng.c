/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/rng.h"

#include "ee_test.h"

static void the_same_seed_and_stream_give_the_same_numbers(void) {
  ee_rng a = ee_rng_at(7, 3), b = ee_rng_at(7, 3), c = ee_rng_at(7, 4), d = ee_rng_at(8, 3);
  for (int i = 0; i < 100; i++) {
    uint64_t x = ee_rng_bits(&a);
    CU_ASSERT_EQUAL(x, ee_rng_bits(&b));
    CU_ASSERT_NOT_EQUAL(x, ee_rng_bits(&c));
    CU_ASSERT_NOT_EQUAL(x, ee_rng_bits(&d));
  }
}

static void neighbouring_streams_are_uncorrelated(void) {
  double sum = 0.0;
  for (uint64_t stream = 0; stream < 10000; stream++) {
    ee_rng a = ee_rng_at(1, stream), b = ee_rng_at(1, stream + 1);
    sum += (ee_rng_uniform(&a) - 0.5) * (ee_rng_uniform(&b) - 0.5);
  }
  CU_ASSERT_DOUBLE_EQUAL(sum / 10000, 0.0, 5.0 / 12 / 100);  // 5 standard errors
}

static void uniform_numbers_have_the_moments_of_the_uniform_distribution(void) {
  ee_rng rng = ee_rng_at(42, 0);
  double sum = 0.0, squares = 0.0;
  int    n = 100000;
  for (int i = 0; i < n; i++) {
    double x = ee_rng_uniform(&rng);
    CU_ASSERT_TRUE_FATAL(x >= 0.0 && x < 1.0);
    sum += x;
    squares += x * x;
  }
  CU_ASSERT_DOUBLE_EQUAL(sum / n, 0.5, 0.005);
  CU_ASSERT_DOUBLE_EQUAL(squares / n, 1.0 / 3, 0.005);
}

static void integers_below_n_are_equally_frequent(void) {
  ee_rng rng       = ee_rng_at(5, 5);
  int    count[11] = {0};
  for (int i = 0; i < 110000; i++) count[ee_rng_below(&rng, 11)]++;
  for (int k = 0; k < 11; k++) CU_ASSERT_TRUE(count[k] > 9500 && count[k] < 10500);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_same_seed_and_stream_give_the_same_numbers),
    EE_FACT(neighbouring_streams_are_uncorrelated),
    EE_FACT(uniform_numbers_have_the_moments_of_the_uniform_distribution),
    EE_FACT(integers_below_n_are_equally_frequent),
    {NULL, NULL},
};
