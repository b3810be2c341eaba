/* SPDX-License-Identifier: Apache-2.0 */
/* Counters by epoch against a plain table of all epochs. */
#include "counters.h"

#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"
#include "ee_test.h"

enum { EPOCHS = 40, EXITS = 3, SAMPLES = 7 };

/* Ids wander inside the window of delay + 2 epochs that a run allows; an epoch is read when the
 * window leaves it. */
static void every_epoch_in_the_window_keeps_its_own_counts(void) {
  for (int delay = 0; delay < 3; delay++) {
    ee_counters counters;
    int64_t     table[EPOCHS + 8][EXITS] = {{0}};
    ee_rng      rng                      = ee_rng_at(4, (uint64_t)delay);
    CU_ASSERT_EQUAL_FATAL(ee_counters_open(EXITS, SAMPLES, delay, &counters), EE_OK);
    for (int oldest = 0; oldest < EPOCHS; oldest++) {
      for (int i = 0; i < 50; i++) {
        int      epoch = oldest + (int)ee_rng_below(&rng, (uint64_t)delay + 2);
        uint64_t id    = (uint64_t)epoch * SAMPLES + ee_rng_below(&rng, SAMPLES);
        int      exit  = (int)ee_rng_below(&rng, EXITS);
        ee_counters_of(&counters, id)->reached[exit]++;
        ee_counters_of(&counters, id)->left[exit] += 2;
        ee_counters_of(&counters, id)->work += 3;
        table[epoch][exit]++;
      }
      const ee_epoch_counts *c   = ee_counters_of(&counters, (uint64_t)oldest * SAMPLES);
      int64_t                all = 0;
      for (int e = 0; e < EXITS; e++) {
        CU_ASSERT_EQUAL(c->reached[e], table[oldest][e]);
        CU_ASSERT_EQUAL(c->left[e], 2 * table[oldest][e]);
        all += table[oldest][e];
      }
      CU_ASSERT_EQUAL(c->work, 3 * all);
    }
    ee_counters_close(&counters);
  }
}

static void a_new_epoch_begins_with_nothing(void) {
  ee_counters counters;
  CU_ASSERT_EQUAL_FATAL(ee_counters_open(2, 10, 0, &counters), EE_OK);
  ee_epoch_counts *c = ee_counters_of(&counters, 9);
  c->reached[1] = c->left[1] = c->work = c->busy = c->received_bytes = c->link_ns = 5;
  const ee_epoch_counts *later = ee_counters_of(&counters, 30);  // the same place of the ring
  CU_ASSERT_PTR_EQUAL(later, c);
  CU_ASSERT_EQUAL(later->reached[1] | later->left[1], 0);
  CU_ASSERT_EQUAL(later->work | later->busy | later->received_bytes | later->link_ns, 0);
  ee_counters_close(&counters);
}

/* Nobody takes anything while ids go up to the last epoch; then epochs are taken one by one, while
 * newer ones still grow. */
static void a_growing_ring_keeps_what_is_not_taken(void) {
  ee_counters counters;
  int64_t     table[EPOCHS + 8] = {0};
  ee_rng      rng               = ee_rng_at(5, 0);
  CU_ASSERT_EQUAL_FATAL(ee_counters_open(EXITS, SAMPLES, 1, &counters), EE_OK);
  counters.grows = true;
  for (int taken = 0, newest = 0; taken<EPOCHS; taken += newest> EPOCHS / 2) {
    counters.taken = taken;
    for (int i = 0; i < 30; i++) {
      int epoch = taken + (int)ee_rng_below(&rng, (uint64_t)(newest - taken) + 1);
      CU_ASSERT_EQUAL(ee_counters_reserve(&counters, (uint64_t)newest * SAMPLES), EE_OK);
      ee_epoch_counts *c = ee_counters_of(&counters, (uint64_t)epoch * SAMPLES);
      c->left[EXITS - 1]++;
      c->busy += 2;
      table[epoch]++;
    }
    for (int epoch = taken; epoch <= newest; epoch++) {
      const ee_epoch_counts *c = ee_counters_of(&counters, (uint64_t)epoch * SAMPLES);
      CU_ASSERT_EQUAL(c->left[EXITS - 1], table[epoch]);
      CU_ASSERT_EQUAL(c->busy, 2 * table[epoch]);
      CU_ASSERT_EQUAL(c->left[0] | c->reached[EXITS - 1] | c->work, 0);
    }
    newest += newest < EPOCHS;
  }
  CU_ASSERT_TRUE(counters.n_rings <= 4 * EPOCHS);
  CU_ASSERT_EQUAL(ee_counters_reserve(&counters, UINT64_MAX / 2), EE_ERR_NOMEM);
  ee_counters_close(&counters);
}

static void a_ring_that_does_not_grow_stays(void) {
  ee_counters counters;
  CU_ASSERT_EQUAL_FATAL(ee_counters_open(EXITS, SAMPLES, 1, &counters), EE_OK);
  CU_ASSERT_EQUAL(ee_counters_reserve(&counters, 1000 * SAMPLES), EE_OK);
  CU_ASSERT_EQUAL(counters.n_rings, 4);
  ee_counters_close(&counters);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_epoch_in_the_window_keeps_its_own_counts),
    EE_FACT(a_new_epoch_begins_with_nothing),
    EE_FACT(a_growing_ring_keeps_what_is_not_taken),
    EE_FACT(a_ring_that_does_not_grow_stays),
    {NULL, NULL},
};
