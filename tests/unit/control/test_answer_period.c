/* SPDX-License-Identifier: Apache-2.0 */
/* Seconds per answer against means of arrival times. */
#include "answer_period.h"
#include "ee_test.h"

static void it_is_the_time_between_last_answers_over_the_samples(void) {
  ee_answer_period p = {0};
  CU_ASSERT_DOUBLE_EQUAL(ee_answer_period_look(&p, 10, 5000000000), 0.5, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_answer_period_look(&p, 4, 6000000000), 0.25, 1e-12);
}

/* Samples whose answers are still under way count when these are here. */
static void without_new_answers_the_last_one_stands(void) {
  ee_answer_period p = {0};
  CU_ASSERT_EQUAL(ee_answer_period_look(&p, 1, 0), 0.0);
  CU_ASSERT_DOUBLE_EQUAL(ee_answer_period_look(&p, 3, 2000000000), 0.5, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_answer_period_look(&p, 4, 2000000000), 0.5, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_answer_period_look(&p, 4, 18000000000), 2.0, 1e-12);
}

const ee_fact ee_facts[] = {
    EE_FACT(it_is_the_time_between_last_answers_over_the_samples),
    EE_FACT(without_new_answers_the_last_one_stands),
    {NULL, NULL},
};
