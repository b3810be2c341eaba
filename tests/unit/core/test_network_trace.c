/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded networks: delays looked up, transfers carried row by row, outages, and what comes behind
 * the end. */
#include "ee/network_trace.h"

#include <math.h>

#include "ee/rng.h"
#include "ee_test.h"

/* Rows of 2, 1 and 3 seconds. */
static double at[] = {0.0, 2.0, 3.0, 6.0};

static void delays_are_those_of_their_rows_again_and_again(void) {
  double                 delay[] = {0.1, 0.7, 0.3};
  const ee_network_trace trace   = {.n = 3, .at = at, .delay = delay};
  for (int period = 0; period < 3; period++) {
    double begin = 6.0 * period;
    CU_ASSERT_EQUAL(ee_network_delay(&trace, 1e9, begin), 0.1);
    CU_ASSERT_EQUAL(ee_network_delay(&trace, 0, begin + 1.75), 0.1);
    CU_ASSERT_EQUAL(ee_network_delay(&trace, 0, begin + 2.0), 0.7);
    CU_ASSERT_EQUAL(ee_network_delay(&trace, 0, begin + 2.75), 0.7);
    CU_ASSERT_EQUAL(ee_network_delay(&trace, 0, begin + 3.0), 0.3);
    CU_ASSERT_EQUAL(ee_network_delay(&trace, 0, begin + 5.75), 0.3);
  }
}

/* 8 bit/s for two seconds, none for one, 4 bit/s for three: 28 bits a period. */
static double                 bits[] = {0.0, 16.0, 16.0, 28.0};
static const ee_network_trace uneven = {.n = 3, .at = at, .bits = bits};

static void transfers_take_what_the_bandwidth_says(void) {
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 1.0, 0.0), 1.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 1.0, 0.5), 1.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 2.0, 0.0), 2.0, 1e-12);  // before the outage
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 2.5, 0.0), 4.0, 1e-12);  // through it
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 0.5, 2.25), 1.75, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 1.0, 5.0), 1.5, 1e-12);  // over the end
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 3.5, 6.0), 6.0, 1e-12);  // a period
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&uneven, 35.0, 12.5), 60.0, 1e-12);
  CU_ASSERT_EQUAL(ee_network_delay(&uneven, 0.0, 2.5), 0.0);
}

static void bits_add_up_over_rows_and_periods(void) {
  double period = uneven.at[uneven.n], all = uneven.bits[uneven.n];
  for (int i = 0; i <= uneven.n; i++) {
    CU_ASSERT_DOUBLE_EQUAL(ee_network_bits_until(&uneven, uneven.at[i]), uneven.bits[i], 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(ee_network_bits_until(&uneven, 7 * period + uneven.at[i]),
                           7 * all + uneven.bits[i], 1e-9);
  }
  CU_ASSERT_DOUBLE_EQUAL(ee_network_bits_until(&uneven, 0.5), 0.5 * uneven.bits[1] / uneven.at[1],
                         1e-12);
}

enum { ROWS = 12 };

/* Bit by bit as they cross, walking over the rows from the one that @p t is in. */
static double walk(const double *row_at, const double *rate, double bytes, double t) {
  double period = row_at[ROWS], left = 8 * bytes, took = 0.0, now = fmod(t, period);
  int    row = 0;
  while (row_at[row + 1] <= now) row++;
  for (;;) {
    double rest = row_at[row + 1] - now;
    if (rate[row] * rest >= left) return took + left / rate[row];
    left -= rate[row] * rest;
    took += rest;
    row = (row + 1) % ROWS;
    now = row_at[row];
  }
}

static void long_and_short_transfers_agree_with_a_walk_over_the_rows(void) {
  double row_at[ROWS + 1] = {0.0}, rate[ROWS], crossed[ROWS + 1] = {0.0};
  for (uint64_t draw = 0; draw < 50; draw++) {
    ee_rng rng = ee_rng_at(9, draw);
    for (int i = 0; i < ROWS; i++) {
      rate[i] = ee_rng_below(&rng, 3) == 0 && i > 0 ? 0.0 : 1e5 * (0.1 + ee_rng_uniform(&rng));
      row_at[i + 1]  = row_at[i] + 0.1 + ee_rng_uniform(&rng);
      crossed[i + 1] = crossed[i] + rate[i] * (row_at[i + 1] - row_at[i]);
    }
    const ee_network_trace trace = {.n = ROWS, .at = row_at, .bits = crossed};
    for (int k = 0; k < 100; k++) {
      double t = 40 * ee_rng_uniform(&rng), bytes = 2e5 * pow(ee_rng_uniform(&rng), 3);
      CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&trace, bytes, t), walk(row_at, rate, bytes, t),
                             1e-8);
    }
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(delays_are_those_of_their_rows_again_and_again),
    EE_FACT(transfers_take_what_the_bandwidth_says),
    EE_FACT(bits_add_up_over_rows_and_periods),
    EE_FACT(long_and_short_transfers_agree_with_a_walk_over_the_rows),
    {NULL, NULL},
};
