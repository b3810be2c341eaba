/* SPDX-License-Identifier: Apache-2.0 */
/* The rule where samples come at a rate: what no answer can be sooner for is no gain. */
#include <math.h>

#include "decide.h"
#include "ee_test.h"
#include "lab.h"

static const ee_plan *found;  // what the planner below finds

static ee_status find_given(const ee_chain *chain, ee_plan **plan) {
  (void)chain;
  return ee_plan_copy(found, plan);
}

static const ee_planner given = {.name = "given", .help = "", .find = find_given};

static lab                   t;
static ee_controller_options options;
static ee_decider            decider;
static ee_plan              *one, *two;  // all on device 0; the last three layers on device 1

static void open_case(void) {
  lab_open(&t, true);
  for (int i = 0; i < LAB_DEVICES * LAB_DEVICES; i++) t.estimate.bandwidth[i] = 1e12;
  one     = LAB_PLAN(1, 6, 0);
  two     = LAB_PLAN(2, 3, 0, 6, 1);
  found   = two;
  decider = (ee_decider){0};
  options = (ee_controller_options){.rebalance  = true,
                                    .rule       = ee_rule_by_name("gain"),
                                    .planner    = &given,
                                    .min_gain   = 0.1,
                                    .look_every = 1,
                                    .hold       = 1};
}

static void close_case(void) {
  ee_plan_destroy(&one);
  ee_plan_destroy(&two);
  lab_close(&t);
}

static ee_verdict decide(void) {
  ee_decision_record record;
  CU_ASSERT_EQUAL(ee_decide(&decider, &options, &t.estimate, one, 1e6, &record), EE_OK);
  ee_plan_destroy(&record.best);
  return record.verdict;
}

/* Of plans of 2 and 1 s, say: a source of 3 s leaves nothing to gain; at one of 1.9 s it is 5 %, at
 * 1.7 s 15 %, and the figures are the source's. */
static void a_source_limits_what_a_plan_can_gain(void) {
  const double       part[]    = {1.5, 1.05, 0.95, 0.85, 0.0};
  const ee_verdict   verdict[] = {EE_VERDICT_KEPT_BEST, EE_VERDICT_KEPT_BEST, EE_VERDICT_KEPT_SMALL,
                                  EE_VERDICT_ADOPTED, EE_VERDICT_ADOPTED};
  ee_decision_record free_run, record;
  open_case();
  CU_ASSERT_EQUAL(ee_decide(&decider, &options, &t.estimate, one, 1e6, &free_run), EE_OK);
  ee_plan_destroy(&free_run.best);
  CU_ASSERT_TRUE(free_run.period_best < 0.74 * free_run.period_now);
  for (int i = 0; i < 5; i++) {
    double source           = part[i] * free_run.period_now;
    t.estimate.least_period = source;
    CU_ASSERT_EQUAL(ee_decide(&decider, &options, &t.estimate, one, 1e6, &record), EE_OK);
    CU_ASSERT_EQUAL(record.verdict, verdict[i]);
    CU_ASSERT_EQUAL(record.period_now, fmax(free_run.period_now, source));
    CU_ASSERT_EQUAL(record.period_best, fmax(free_run.period_best, source));
    ee_plan_destroy(&record.best);
  }
  options.rule            = ee_rule_by_name("petals");
  options.look_every      = 1;
  t.estimate.least_period = 0.85 * free_run.period_now;
  for (int i = 0; i < 4; i++) CU_ASSERT_EQUAL(decide(), EE_VERDICT_KEPT_SMALL);
  close_case();
}

/* A device that leaves is left whatever the source does, and by latency the source counts nothing.
 */
static void a_slow_source_keeps_no_device_that_left_and_no_latency(void) {
  open_case();
  t.estimate.least_period = 1e9;
  CU_ASSERT_EQUAL(decide(), EE_VERDICT_KEPT_BEST);
  ee_planner by_latency = given;
  by_latency.by_latency = true;
  options.planner       = &by_latency;
  t.estimate.speed[1]   = 100.0 * t.estimate.speed[0];
  ee_plan *far          = LAB_PLAN(2, 1, 0, 6, 1);
  found                 = far;
  CU_ASSERT_EQUAL(decide(), EE_VERDICT_ADOPTED);
  options.planner     = &given;
  t.estimate.speed[0] = 0.0;
  ee_plan *rest       = LAB_PLAN(1, 6, 1);
  found               = rest;
  CU_ASSERT_EQUAL(decide(), EE_VERDICT_ADOPTED);
  ee_plan_destroy(&far);
  ee_plan_destroy(&rest);
  close_case();
}

const ee_fact ee_facts[] = {
    EE_FACT(a_source_limits_what_a_plan_can_gain),
    EE_FACT(a_slow_source_keeps_no_device_that_left_and_no_latency),
    {NULL, NULL},
};
