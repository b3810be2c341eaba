/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a table's exits: by hand on five samples, and against plain sums on a drawn
 * table. */
#include "ee/exit_quality.h"

#include <math.h>

#include "ee/rng.h"
#include "five_samples.h"

/* Right at the three exits: 100, 011, 001, 111, 101. */
static void five_samples_are_judged_as_by_hand(void) {
  ee_exit_table  *table = five_samples();
  ee_exit_quality q[3];
  ee_answer_kinds kinds;
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_judge(table, q, &kinds), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(q[0].accuracy, 3 / 5.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(q[1].accuracy, 2 / 5.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(q[2].accuracy, 4 / 5.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(q[0].confidence, (0.9 + 0.4 + 0.72 + 0.95 + 0.3) / 5, 1e-7);
  // No two are in one bin, so that it is the mean over samples.
  CU_ASSERT_DOUBLE_EQUAL(q[0].ece, (0.1 + 0.4 + 0.72 + 0.05 + 0.7) / 5, 1e-7);
  CU_ASSERT(kinds.labelled == 5 && kinds.all_correct == 1 && kinds.good == 2);
  CU_ASSERT(kinds.all_wrong == 0 && kinds.bad == 2);
  ee_exit_table_destroy(&table);
}

enum { DRAWN = 700, EXITS = 4 };

static ee_exit_table *drawn(void) {
  ee_exit_table *t   = NULL;
  ee_rng         rng = ee_rng_at(5, 0);
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(DRAWN, EXITS, 2, (ee_exit_table_parts){.confidence = true}, &t), EE_OK);
  for (int k = 0; k < DRAWN * EXITS; k++) {
    t->confidence[k] = (float)ee_rng_uniform(&rng);
    t->prediction[k] = (int32_t)ee_rng_below(&rng, 2);
  }
  for (int i = 0; i < DRAWN; i++) t->label[i] = (int32_t)ee_rng_below(&rng, 3) - 1;
  return t;
}

/* Bin by bin, from the definition. */
static double plain_ece(const ee_exit_table *t, int e, int labelled) {
  double all = 0.0;
  for (int b = 0; b < 15; b++) {
    double excess = 0.0;
    for (int i = 0; i < DRAWN; i++) {
      double sure = (double)t->confidence[i * EXITS + e];
      if (t->label[i] < 0 || !(sure > b / 15.0 && sure <= (b + 1) / 15.0)) continue;
      excess += (t->prediction[i * EXITS + e] == t->label[i]) - sure;
    }
    all += fabs(excess);
  }
  return all / labelled;
}

static void a_drawn_table_has_the_sums_of_the_definitions(void) {
  ee_exit_table  *t = drawn();
  ee_exit_quality q[EXITS];
  ee_answer_kinds kinds;
  int             labelled = 0, of_pattern[1 << EXITS] = {0};
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_judge(t, q, &kinds), EE_OK);
  for (int i = 0; i < DRAWN; i++) {
    int pattern = 0;  // one bit for each exit, the first one the highest
    for (int e = 0; e < EXITS; e++)
      pattern = 2 * pattern + (t->prediction[i * EXITS + e] == t->label[i]);
    if (t->label[i] >= 0) of_pattern[pattern]++;
    labelled += t->label[i] >= 0;
  }
  for (int e = 0; e < EXITS; e++) {
    double right = 0.0, sure = 0.0;
    for (int p = 0; p < 1 << EXITS; p++) right += (p >> (EXITS - 1 - e) & 1) * of_pattern[p];
    for (int i = 0; i < DRAWN; i++) sure += (double)t->confidence[i * EXITS + e];
    CU_ASSERT_DOUBLE_EQUAL(q[e].accuracy, right / labelled, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(q[e].confidence, sure / DRAWN, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(q[e].ece, plain_ece(t, e, labelled), 1e-9);
  }
  CU_ASSERT_EQUAL(kinds.labelled, labelled);
  CU_ASSERT_EQUAL(kinds.all_correct, of_pattern[15]);
  CU_ASSERT_EQUAL(kinds.good, of_pattern[1] + of_pattern[3] + of_pattern[7]);
  CU_ASSERT_EQUAL(kinds.all_wrong, of_pattern[0]);
  CU_ASSERT_EQUAL(kinds.bad, labelled - of_pattern[15] - of_pattern[1] - of_pattern[3] -
                                 of_pattern[7] - of_pattern[0]);
  ee_exit_table_destroy(&t);
}

static void what_is_not_known_is_no_number(void) {
  ee_exit_table  *bare = NULL;
  ee_exit_quality q[2];
  ee_answer_kinds kinds;
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(3, 2, 2, (ee_exit_table_parts){.confidence = false}, &bare), EE_OK);
  CU_ASSERT_EQUAL(ee_exit_table_judge(bare, q, &kinds), EE_OK);
  CU_ASSERT(isnan(q[1].accuracy) && isnan(q[1].confidence) && isnan(q[1].ece));
  CU_ASSERT(kinds.labelled == 0 && kinds.all_wrong == 0);
  bare->label[1] = 0;
  CU_ASSERT_EQUAL(ee_exit_table_judge(bare, q, &kinds), EE_OK);
  CU_ASSERT(q[1].accuracy == 1.0 && isnan(q[1].ece));
  CU_ASSERT(kinds.labelled == 1 && kinds.all_correct == 1);
  bare->n = 0;
  CU_ASSERT_EQUAL(ee_exit_table_judge(bare, q, &kinds), EE_OK);
  CU_ASSERT_TRUE(isnan(q[0].accuracy));
  bare->n = 3;
  ee_exit_table_destroy(&bare);
}

const ee_fact ee_facts[] = {
    EE_FACT(five_samples_are_judged_as_by_hand),
    EE_FACT(a_drawn_table_has_the_sums_of_the_definitions),
    EE_FACT(what_is_not_known_is_no_number),
    {NULL, NULL},
};
