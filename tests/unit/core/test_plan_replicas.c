/* SPDX-License-Identifier: Apache-2.0 */
/* Plans whose stages have several devices. */
#include <string.h>

#include "ee/plan.h"
#include "ee_test.h"

/* Layers 0-3 on device 0, 4-9 on 2, 4 and 5, 10 on 1 and 6; 3 and 7 are idle. */
static ee_plan *shared_stages(void) {
  ee_plan *plan = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(11, 8, 3, &plan), EE_OK);
  plan->stage[0] = (ee_stage){0, 4, 0};
  plan->stage[1] = (ee_stage){4, 10, 2};
  plan->stage[2] = (ee_stage){10, 11, 1};
  CU_ASSERT_EQUAL(ee_plan_add_replica(plan, 2, 6), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_add_replica(plan, 1, 4), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_add_replica(plan, 1, 5), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
  return plan;
}

static void devices_of_a_stage_stand_in_the_order_in_which_they_were_added(void) {
  ee_plan  *plan    = shared_stages();
  const int width[] = {1, 3, 2}, device[3][3] = {{0}, {2, 4, 5}, {1, 6}};
  const int stage[] = {0, 2, 1, -1, 1, 1, 2, -1}, place[] = {0, 0, 0, -1, 1, 2, 1, -1};
  for (int s = 0; s < 3; s++) {
    CU_ASSERT_EQUAL(ee_plan_width(plan, s), width[s]);
    for (int k = 0; k < width[s]; k++) {
      CU_ASSERT_EQUAL(ee_plan_device(plan, s, k), device[s][k]);
    }
  }
  for (int d = 0; d < 8; d++) {
    CU_ASSERT_EQUAL(ee_plan_stage_of_device(plan, d), stage[d]);
    if (stage[d] >= 0) CU_ASSERT_EQUAL(ee_plan_place(plan, d), place[d]);
  }
  CU_ASSERT_EQUAL(ee_plan_devices_used(plan), 6);
  ee_plan_destroy(&plan);
}

static void every_fault_of_replicas_is_found_and_named(void) {
  const struct {
    int         replica;
    ee_replica  is;
    const char *words;
  } fault[] = {
      {0, {1, 8}, "on device 8, expected 0 to 7"}, {0, {1, -1}, "on device -1, expected 0 to 7"},
      {0, {1, 2}, "on device 2, which has"},       {1, {1, 4}, "on device 4, which has"},
      {2, {2, 0}, "on device 0, which has"},       {2, {3, 6}, "of stage 3, expected 1 to 2"},
      {1, {0, 7}, "of stage 0, expected 1 to 2"},  {0, {-1, 4}, "of stage -1, expected 0 to 2"},
  };
  for (size_t k = 0; k < sizeof fault / sizeof fault[0]; k++) {
    ee_plan *plan                   = shared_stages();
    plan->replica[fault[k].replica] = fault[k].is;
    CU_ASSERT_EQUAL(ee_plan_check(plan), EE_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), fault[k].words));
    ee_plan_destroy(&plan);
  }
  ee_plan *plan = shared_stages();
  CU_ASSERT_EQUAL(ee_plan_add_replica(plan, 3, 7), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_plan_add_replica(plan, -1, 7), EE_ERR_ARG);
  CU_ASSERT_EQUAL(plan->n_replicas, 3);
  ee_plan_destroy(&plan);
}

static void copies_are_equal_until_a_replica_is_changed_or_added(void) {
  for (int change = 0; change < 6; change++) {
    ee_plan *plan = shared_stages(), *copy = NULL;
    if (change == 5) CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 4, 3), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_plan_copy(plan, &copy), EE_OK);
    CU_ASSERT_TRUE(ee_plan_equal(plan, copy));
    CU_ASSERT_EQUAL(ee_plan_hash(plan), ee_plan_hash(copy));
    if (change == 0) copy->replica[1].device = 7;
    if (change == 1) copy->replica[1].stage = 2;
    if (change == 2) copy->n_replicas--;
    if (change == 3) CU_ASSERT_EQUAL(ee_plan_add_replica(copy, 0, 7), EE_OK);
    if (change >= 4) CU_ASSERT_EQUAL(ee_plan_set_turns(copy, 4, 2), EE_OK);
    CU_ASSERT_FALSE(ee_plan_equal(plan, copy));
    CU_ASSERT_NOT_EQUAL(ee_plan_hash(plan), ee_plan_hash(copy));
    ee_plan_destroy(&plan);
    ee_plan_destroy(&copy);
  }
}

static void text_names_all_devices_of_a_stage_and_never_overruns(void) {
  ee_plan   *plan    = shared_stages();
  const char whole[] = "0-3 @0 | 4-9 @2,4,5 | 10-10 @1,6";
  for (int size = 1; size <= 44; size++) {
    char text[48];
    memset(text, '#', sizeof text);
    CU_ASSERT_PTR_EQUAL(ee_plan_text(plan, text, size), text);
    CU_ASSERT_EQUAL(text[size], '#');
    CU_ASSERT_EQUAL(strncmp(text, whole, (size_t)size - 1), 0);
    CU_ASSERT_EQUAL((int)strlen(text),
                    size - 1 < (int)strlen(whole) ? size - 1 : (int)strlen(whole));
  }
  ee_plan_destroy(&plan);
}

/* Devices 2, 4 and 5 take 2, 1 and 4 of a round of 7. */
static void turns_are_one_unless_they_are_set(void) {
  ee_plan *plan = shared_stages();
  char     text[48];
  CU_ASSERT_EQUAL(ee_plan_turns(plan, 5), 1);
  CU_ASSERT_EQUAL(ee_plan_round(plan, 1), 3);
  uint64_t before = ee_plan_hash(plan);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 5, 1), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_hash(plan), before);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 2, 2), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 5, 4), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_round(plan, 0), 1);
  CU_ASSERT_EQUAL(ee_plan_round(plan, 1), 7);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text),
                         "0-3 @0 | 4-9 @2*2,4,5*4 | 10-10 @1,6");
  ee_plan_destroy(&plan);
}

static void turns_that_cannot_be_are_refused(void) {
  ee_plan *plan = shared_stages();
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 8, 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, -1, 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 2, 0), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 2, EE_PLAN_TURNS + 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 2, EE_PLAN_TURNS), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
  plan->turns[4] = 0;
  CU_ASSERT_EQUAL(ee_plan_check(plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "device 4 of the plan has 0 turns"));
  ee_plan_destroy(&plan);
}

const ee_fact ee_facts[] = {
    EE_FACT(devices_of_a_stage_stand_in_the_order_in_which_they_were_added),
    EE_FACT(every_fault_of_replicas_is_found_and_named),
    EE_FACT(copies_are_equal_until_a_replica_is_changed_or_added),
    EE_FACT(turns_are_one_unless_they_are_set),
    EE_FACT(turns_that_cannot_be_are_refused),
    EE_FACT(text_names_all_devices_of_a_stage_and_never_overruns),
    {NULL, NULL},
};
