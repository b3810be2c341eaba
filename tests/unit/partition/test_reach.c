/* SPDX-License-Identifier: Apache-2.0 */
/* Reach against counting samples one after the other. */
#include "ee/partition.h"
#include "ee/rng.h"
#include "ee_test.h"

enum { LAYERS = 12, EXITS = 4, SAMPLES = 1024 };  // shares in 1/1024 are exact

static void reach_is_the_share_of_samples_that_run_a_layer(void) {
  const int attach[EXITS] = {2, 2, 7, LAYERS - 1};
  int       ran[LAYERS]   = {0};
  double    reach[LAYERS], share[EXITS] = {0};
  ee_rng    rng = ee_rng_at(1, 1);
  for (int i = 0; i < SAMPLES; i++) {
    int e = (int)ee_rng_below(&rng, EXITS);
    share[e] += 1.0 / SAMPLES;
    for (int l = 0; l <= attach[e]; l++) ran[l]++;
  }
  ee_reach_from_shares(LAYERS, EXITS, attach, share, reach);
  for (int l = 0; l < LAYERS; l++) CU_ASSERT_EQUAL(reach[l], (double)ran[l] / SAMPLES);
}

/* Ten exits of 1/10 add up to a little more or less than 1, in any order of attachment. */
static void reach_is_a_share_that_never_grows_whatever_the_rounding(void) {
  const int attach[10] = {9, 1, 8, 0, 3, 7, 2, 4, 6, 5};
  double    share[10], reach[LAYERS];
  for (int e = 0; e < 10; e++) share[e] = e == 0 ? 0.1000000001 : 0.1;
  ee_reach_from_shares(LAYERS, 10, attach, share, reach);
  for (int l = 0; l < LAYERS; l++) {
    CU_ASSERT_TRUE(reach[l] >= 0.0 && reach[l] <= (l > 0 ? reach[l - 1] : 1.0));
  }
  CU_ASSERT_EQUAL(reach[0], 1.0);
  CU_ASSERT_EQUAL(reach[LAYERS - 1], 0.0);
}

const ee_fact ee_facts[] = {
    EE_FACT(reach_is_the_share_of_samples_that_run_a_layer),
    EE_FACT(reach_is_a_share_that_never_grows_whatever_the_rounding),
    {NULL, NULL},
};
