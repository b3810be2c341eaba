/* SPDX-License-Identifier: Apache-2.0 */
/* The elementary functions against the platform's own, and the moments of the Gaussian numbers. */
#include <math.h>

#include "ee_test.h"
#include "modulation_parts.h"

#define PI 3.14159265358979323846

static void turns_are_cosine_and_sine(void) {
  double worst = 0.0;
  for (int k = -20000; k <= 20000; k++) {
    double turns = k / 4999.0;
    double angle = 2.0 * PI * (turns - rint(turns));
    ee_iq  z     = ee_turn(turns);
    worst        = fmax(worst, fmax(fabs(z.i - cos(angle)), fabs(z.q - sin(angle))));
  }
  CU_ASSERT_TRUE(worst < 1e-15);
}

static void quarter_turns_are_exact(void) {
  static const ee_iq expected[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
  for (int k = -8; k < 8; k++) {
    ee_iq z = ee_turn(0.25 * k);
    CU_ASSERT_TRUE(z.i == expected[(k + 8) % 4].i && z.q == expected[(k + 8) % 4].q);
  }
}

static void large_turns_keep_their_fraction(void) {
  ee_iq z = ee_turn(1099511627776.0 + 0.125), w = ee_turn(-1099511627776.0 - 0.125);
  CU_ASSERT_DOUBLE_EQUAL(z.i, sqrt(0.5), 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(z.q, sqrt(0.5), 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(w.q, -sqrt(0.5), 1e-15);
}

/* Relative error, with the libm value as the truth. */
static double relative_error(double value, double truth) {
  return truth == 0.0 ? fabs(value) : fabs(value - truth) / fabs(truth);
}

static void logarithms_are_those_of_libm(void) {
  double worst = relative_error(ee_ln(1.0), 0.0);
  for (int k = 1; k < 20000; k++) {
    worst = fmax(worst, relative_error(ee_ln(k / 9973.0), log(k / 9973.0)));
    worst = fmax(worst, relative_error(ee_ln(1.0 + k * 1e-9), log(1.0 + k * 1e-9)));
  }
  for (int e = -1070; e < 1024; e++) {
    worst = fmax(worst, relative_error(ee_ln(ldexp(1.3, e)), log(ldexp(1.3, e))));
  }
  CU_ASSERT_TRUE(worst < 1e-15);
}

static void exponentials_are_those_of_libm(void) {
  double worst = 0.0;
  for (int k = -7000; k <= 7000; k++) {
    worst = fmax(worst, relative_error(ee_exp(k * 0.0999), exp(k * 0.0999)));
  }
  CU_ASSERT_TRUE(worst < 1e-14);
  CU_ASSERT_TRUE(ee_exp(0.0) == 1.0);
}

static void exponentials_have_an_end_on_both_sides(void) {
  CU_ASSERT_TRUE(ee_exp(-INFINITY) == 0.0);
  CU_ASSERT_TRUE(ee_exp(-1e9) == 0.0);
  CU_ASSERT_TRUE(ee_exp(1e9) == ee_exp(700.0));
  CU_ASSERT_TRUE(isfinite(ee_exp(INFINITY)));
}

/* Moments 1 to 4 are 0, 1, 0, 3; tolerances are five standard errors of each. */
static void gaussian_numbers_have_the_moments_of_the_normal_distribution(void) {
  ee_rng rng    = ee_rng_at(1, 0);
  double sum[4] = {0}, cross = 0.0;
  int    pairs = 100000, n = 2 * pairs;
  for (int k = 0; k < pairs; k++) {
    ee_iq  z    = ee_gaussian(&rng);
    double x[2] = {z.i, z.q};
    for (int a = 0; a < 2; a++) {
      for (int m = 0; m < 4; m++) sum[m] += pow(x[a], m + 1);
    }
    cross += x[0] * x[1];
  }
  CU_ASSERT_DOUBLE_EQUAL(sum[0] / n, 0.0, 5.0 * sqrt(1.0 / n));
  CU_ASSERT_DOUBLE_EQUAL(sum[1] / n, 1.0, 5.0 * sqrt(2.0 / n));
  CU_ASSERT_DOUBLE_EQUAL(sum[2] / n, 0.0, 5.0 * sqrt(15.0 / n));
  CU_ASSERT_DOUBLE_EQUAL(sum[3] / n, 3.0, 5.0 * sqrt(96.0 / n));
  CU_ASSERT_DOUBLE_EQUAL(cross / pairs, 0.0, 5.0 * sqrt(1.0 / pairs));
}

/* The share below x is (1 + erf(x / sqrt 2)) / 2. */
static void gaussian_numbers_follow_the_error_function(void) {
  ee_rng rng = ee_rng_at(2, 0);
  int    n = 200000, below[7] = {0};
  for (int k = 0; k < n / 2; k++) {
    ee_iq z = ee_gaussian(&rng);
    for (int b = 0; b < 7; b++) below[b] += (z.i < b - 3) + (z.q < b - 3);
  }
  for (int b = 0; b < 7; b++) {
    double share = 0.5 * (1.0 + erf((b - 3) / sqrt(2.0)));
    CU_ASSERT_DOUBLE_EQUAL((double)below[b] / n, share, 5.0 * sqrt(share * (1.0 - share) / n));
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(turns_are_cosine_and_sine),
    EE_FACT(quarter_turns_are_exact),
    EE_FACT(large_turns_keep_their_fraction),
    EE_FACT(logarithms_are_those_of_libm),
    EE_FACT(exponentials_are_those_of_libm),
    EE_FACT(exponentials_have_an_end_on_both_sides),
    EE_FACT(gaussian_numbers_have_the_moments_of_the_normal_distribution),
    EE_FACT(gaussian_numbers_follow_the_error_function),
    {NULL, NULL},
};
