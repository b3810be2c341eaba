/* SPDX-License-Identifier: Apache-2.0 */
/* The measured cost of offloading, against its definition on made-up estimates. */
#include "offload_cost.h"

#include <math.h>

#include "ee_test.h"
#include "lab.h"

static void it_is_the_time_of_all_links_in_layers_of_the_first_stage(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(2, 3, 0, 6, 2);
  lab_open(&t, true);
  ee_estimate *e                    = &t.estimate;
  e->bandwidth[0 * LAB_DEVICES + 2] = 5e4;
  e->latency[0 * LAB_DEVICES + 2]   = 0.002;
  e->bandwidth[0 * LAB_DEVICES + 1] = 1.0;  // not of this plan
  e->speed[0]                       = 2e6;
  double layer                      = (e->work[0] + e->work[1] + e->work[2]) / 3.0 / 2e6;
  double link                       = 0.002 + e->cut_bytes[3] / 5e4;
  CU_ASSERT_DOUBLE_EQUAL(ee_offload_cost_of(e, plan, false, 0.125), 0.125 * link / layer, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_offload_cost_of(e, plan, false, 1e6), EE_OFFLOAD_COST_MOST, 0.0);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void one_stage_has_no_links_and_an_unknown_speed_no_cost(void) {
  lab      t;
  ee_plan *one = LAB_PLAN(1, 6, 0), *two = LAB_PLAN(2, 3, 0, 6, 1);
  lab_open(&t, true);
  CU_ASSERT_EQUAL(ee_offload_cost_of(&t.estimate, one, false, 0.1), 0.0);
  t.estimate.bandwidth[1] = 0.0;  // unlimited
  CU_ASSERT_EQUAL(ee_offload_cost_of(&t.estimate, two, false, 0.1), 0.0);
  t.estimate.measured[0] = 0;
  CU_ASSERT_TRUE(isnan(ee_offload_cost_of(&t.estimate, two, false, 0.1)));
  ee_plan_destroy(&one);
  ee_plan_destroy(&two);
  lab_close(&t);
}

/* The lab's exits stand after layers 1 and 3; with the plan cut at 5 both are the first stage's. */
static void offloading_sends_what_is_alive_behind_the_exits(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(2, 5, 0, 6, 1);
  lab_open(&t, true);
  ee_estimate *e  = &t.estimate;
  e->cut_bytes[2] = 3000.0;
  e->cut_bytes[4] = 1000.0;
  e->cut_bytes[5] = 70000.0;
  e->bandwidth[1] = 1e5;
  double layer    = 0.0;
  for (int l = 0; l < 5; l++) layer += e->work[l] / 5.0 / e->speed[0];
  CU_ASSERT_DOUBLE_EQUAL(ee_offload_cost_of(e, plan, true, 0.01), 0.01 * 0.02 / layer, 1e-12);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(it_is_the_time_of_all_links_in_layers_of_the_first_stage),
    EE_FACT(one_stage_has_no_links_and_an_unknown_speed_no_cost),
    EE_FACT(offloading_sends_what_is_alive_behind_the_exits),
    {NULL, NULL},
};
