/* SPDX-License-Identifier: Apache-2.0 */
/* Naps of who looks again and again. */
#include "ee/clock.h"
#include "ee_test.h"

static void naps_grow_by_a_sixteenth_up_to_the_longest(void) {
  int64_t nap = 1600, expected[] = {1700, 1806, 1900, 1900};
  for (int i = 0; i < 4; i++) {
    ee_clock_nap(&nap, 1900);
    CU_ASSERT_EQUAL(nap, expected[i]);
  }
}

static void a_nap_that_is_the_longest_stays_as_it_is(void) {
  int64_t nap = 2000;
  ee_clock_nap(&nap, 2000);
  CU_ASSERT_EQUAL(nap, 2000);
}

const ee_fact ee_facts[] = {
    EE_FACT(naps_grow_by_a_sixteenth_up_to_the_longest),
    EE_FACT(a_nap_that_is_the_longest_stays_as_it_is),
    {NULL, NULL},
};
