/* SPDX-License-Identifier: Apache-2.0 */
/* Cumulative sums against their definition over all suffixes, and their run lengths against
 * Siegmund's formulas (Sequential Analysis, 1985). */
#include "cusum.h"

#include <math.h>
#include <stdbool.h>

#include "ee/rng.h"
#include "ee_test.h"

static double gauss(ee_rng *rng) {
  double u = 1.0 - ee_rng_uniform(rng), v = ee_rng_uniform(rng);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* The largest sum of a suffix of z[0..n) of at least one, sign z - allowance each; *age its length.
 */
static double largest_suffix(const double *z, int n, double sign, int *age) {
  double sum = 0.0, largest = 0.0;
  *age = 0;
  for (int i = n - 1; i >= 0; i--) {
    sum += sign * z[i] - EE_CUSUM_ALLOWANCE;
    if (sum > largest) largest = sum, *age = n - i;
  }
  return largest;
}

static void a_sum_is_the_largest_of_all_suffixes(void) {
  ee_rng   rng = ee_rng_at(3, 1);
  ee_cusum c   = {0};
  double   z[500];
  int      n = 0, alarms = 0;
  for (int k = 0; k < 20000 && n < 500; k++) {
    z[n++] = gauss(&rng) + (k / 100 % 3 == 1 ? 1.0 : k / 100 % 3 == 2 ? -1.0 : 0.0);
    int    up_age, down_age, since = ee_cusum_add(&c, z[n - 1]);
    double up = largest_suffix(z, n, 1.0, &up_age), down = largest_suffix(z, n, -1.0, &down_age);
    bool   alarm = up > EE_CUSUM_LIMIT || down > EE_CUSUM_LIMIT;
    CU_ASSERT_EQUAL(since, up > EE_CUSUM_LIMIT ? up_age : down > EE_CUSUM_LIMIT ? down_age : 0);
    CU_ASSERT_DOUBLE_EQUAL(c.up, alarm ? 0.0 : up, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(c.down, alarm ? 0.0 : down, 1e-9);
    if (alarm) n = 0, alarms++;
  }
  CU_ASSERT_TRUE(n < 500 && alarms > 1000);
}

/* Mean observations until an alarm, for observations of mean `shift` and variance 1. */
static double run_length(double shift, int runs, uint64_t seed) {
  ee_rng rng   = ee_rng_at(seed, 2);
  double total = 0.0;
  for (int r = 0; r < runs; r++) {
    ee_cusum c = {0};
    do total++;
    while (ee_cusum_add(&c, shift + gauss(&rng)) == 0);
  }
  return total / runs;
}

/* Of one side: (exp(-2 d b) + 2 d b - 1) / (2 d^2), d = shift - allowance, b = limit + 1.166. */
static double one_side(double shift) {
  double d = shift - EE_CUSUM_ALLOWANCE, b = EE_CUSUM_LIMIT + 1.166;
  return (exp(-2.0 * d * b) + 2.0 * d * b - 1.0) / (2.0 * d * d);
}

static void run_lengths_are_those_of_the_literature(void) {
  const double shift[] = {0.0, 0.25, 1.0, 2.0, 4.0};
  for (int i = 0; i < 5; i++) {
    double expected = 1.0 / (1.0 / one_side(shift[i]) + 1.0 / one_side(-shift[i]));
    double measured = run_length(shift[i], shift[i] > 0.5 ? 4000 : 1500, (uint64_t)i);
    CU_ASSERT_TRUE(fabs(measured / expected - 1.0) < (shift[i] > 3.0 ? 0.2 : 0.1));
  }
}

/* Against references that stand still; 1 - exp(-200 / 1286) of streams of 200 have an alarm. */
static void streams_of_200_have_an_alarm_as_often_as_their_run_length_says(void) {
  ee_rng rng    = ee_rng_at(4, 2);
  int    alarms = 0, streams = 4000;
  for (int s = 0; s < streams; s++) {
    ee_cusum c     = {0};
    bool     alarm = false;
    for (int k = 0; k < 200; k++) alarm = ee_cusum_add(&c, gauss(&rng)) > 0 || alarm;
    alarms += alarm;
  }
  double expected = 1.0 - exp(-200.0 * 2.0 / one_side(0.0));
  CU_ASSERT_DOUBLE_EQUAL((double)alarms / streams, expected, 0.02);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_sum_is_the_largest_of_all_suffixes),
    EE_FACT(run_lengths_are_those_of_the_literature),
    EE_FACT(streams_of_200_have_an_alarm_as_often_as_their_run_length_says),
    {NULL, NULL},
};
