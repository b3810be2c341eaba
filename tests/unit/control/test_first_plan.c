/* SPDX-License-Identifier: Apache-2.0 */
/* The first plan: what the planner says of the fleet, and of shares known beforehand. */
#include <math.h>

#include "ee/controller.h"
#include "ee_test.h"
#include "lab.h"

/* The exact planner's plan for the lab's model on speeds and reaches given here. */
static ee_plan *plan_for(const lab *t, const double *speed, const double *share) {
  ee_chain chain = t->estimate.chain;
  double   reach[LAB_LAYERS];
  for (int l = 0; l < LAB_LAYERS; l++) {
    reach[l] = 1.0;
    for (int x = 0; x < LAB_EXITS; x++) {
      if (t->model->exit[x].attach < l) reach[l] -= share[x];
    }
  }
  ee_plan *plan = NULL;
  chain.speed   = speed;
  chain.reach   = reach;
  if (ee_partition_exact(&chain, &plan) != EE_OK) abort();
  return plan;
}

static void it_is_the_planners_for_fleet_and_shares(void) {
  const double none[] = {0.0, 0.0, 1.0}, most_early[] = {0.8, 0.1, 0.1};
  const double speed[] = {1e6, 1e6, 4e6};
  lab          t;
  lab_open(&t, true);
  t.fleet->device[2].flops = 4e6;
  for (int i = 0; i < 9; i++) t.fleet->link[i].bandwidth = 1e9;
  ee_estimate_close(&t.estimate);
  CU_ASSERT_EQUAL_FATAL(ee_estimate_open(&t.setup, LAB_DEVICES, &t.estimate), EE_OK);
  ee_plan      *expected[] = {plan_for(&t, speed, none), plan_for(&t, speed, most_early)};
  const double *shares[]   = {NULL, most_early};
  CU_ASSERT_FALSE(ee_plan_equal(expected[0], expected[1]));
  for (int i = 0; i < 2; i++) {
    ee_plan    *plan = NULL;
    ee_forecast forecast;
    CU_ASSERT_EQUAL_FATAL(ee_first_plan(&t.setup, LAB_DEVICES, ee_planner_by_name("exact"),
                                        shares[i], &plan, &forecast),
                          EE_OK);
    CU_ASSERT_TRUE(ee_plan_equal(plan, expected[i]));
    CU_ASSERT_TRUE(forecast.period >= forecast.lower_bound * (1.0 - 1e-12));
    ee_plan_destroy(&plan);
    ee_plan_destroy(&expected[i]);
  }
  lab_close(&t);
}

/* Two devices, cut before layer 3: the sum of what is on the way. */
/* Layers of 1 ms: two devices have 3 ms each and what they copy at the cut between, as long as that
 * is less than what one would have to do alone. */
static void copying_counts_on_both_sides_of_a_cut(void) {
  lab t;
  lab_open(&t, false);
  t.setup.host_flops = 1e9;
  t.setup.by_seconds = true;
  for (int l = 0; l < LAB_LAYERS; l++) t.model->layer[l].seconds = 1e-3;
  for (int copies = 0; copies < 4; copies++) {
    double      ms = 1.4 * copies, bytes = (double)ee_link_cut_bytes(t.model, 3, EE_LINK_F32);
    ee_plan    *plan = NULL;
    ee_forecast forecast;
    t.model->copy_seconds = ms * 1e-3 / bytes;
    CU_ASSERT_EQUAL_FATAL(
        ee_first_plan(&t.setup, 2, ee_planner_by_name("exact"), NULL, &plan, &forecast), EE_OK);
    CU_ASSERT_EQUAL(plan->n_stages, ms < 3.0 ? 2 : 1);
    CU_ASSERT_EQUAL(plan->stage[0].end, ms < 3.0 ? 3 : LAB_LAYERS);
    CU_ASSERT_DOUBLE_EQUAL(forecast.period, fmin(3.0 + ms, 6.0) * 1e-3, 1e-9);
    ee_plan_destroy(&plan);
  }
  lab_close(&t);
}

/* Of six layers the second takes as long as the other five together: two devices share them as
 * 0-1 and 2-5, or by operations elsewhere. */
static void profiled_seconds_stand_in_for_operations(void) {
  lab      t;
  ee_plan *by_seconds = NULL, *by_operations = NULL;
  lab_open(&t, false);
  t.setup.host_flops = 2e9;
  for (int l = 0; l < LAB_LAYERS; l++) t.model->layer[l].seconds = l == 1 ? 5e-3 : 1e-3;
  CU_ASSERT_EQUAL(ee_layer_work(&t.setup, 1), t.model->layer[1].flops);
  CU_ASSERT_EQUAL_FATAL(
      ee_first_plan(&t.setup, 2, ee_planner_by_name("exact"), NULL, &by_operations, NULL), EE_OK);
  t.setup.by_seconds = true;
  CU_ASSERT_DOUBLE_EQUAL(ee_layer_work(&t.setup, 1), 1e7, 1e-3);
  CU_ASSERT_EQUAL(ee_head_work(&t.setup, 0), 0.0);
  CU_ASSERT_EQUAL_FATAL(
      ee_first_plan(&t.setup, 2, ee_planner_by_name("exact"), NULL, &by_seconds, NULL), EE_OK);
  CU_ASSERT_EQUAL(by_seconds->stage[0].end, 2);
  CU_ASSERT_NOT_EQUAL(by_operations->stage[0].end, 2);
  ee_plan_destroy(&by_seconds);
  ee_plan_destroy(&by_operations);
  lab_close(&t);
}

/* Layers of 1, 5, 1, 1, 1, 1 ms and heads of 0.25 ms, of which only those before the end count as
 * the last exit's is a layer: in all, on one device, as the profile says, whatever a second is
 * worth in operations; on one of a quarter of this host's speed four times that. */
static void a_profiled_plan_takes_the_profiled_seconds(void) {
  lab         t;
  ee_plan    *plan = NULL;
  ee_forecast forecast;
  lab_open(&t, true);
  t.setup.by_seconds = true;
  for (int d = 0; d < LAB_DEVICES; d++) {
    t.fleet->device[d].flops    = 0.0;
    t.fleet->device[d].relative = 0.25;
  }
  for (int l = 0; l < LAB_LAYERS; l++) t.model->layer[l].seconds = l == 1 ? 5e-3 : 1e-3;
  t.model->head_seconds[0] = t.model->head_seconds[1] = 0.25e-3;
  for (int i = 0; i < 4; i++) {
    t.setup.fleet      = i % 2 == 0 ? NULL : t.fleet;
    t.setup.host_flops = i < 2 ? 2e9 : 3e7;
    int devices        = i % 2 == 0 ? 1 : LAB_DEVICES;
    CU_ASSERT_EQUAL_FATAL(
        ee_first_plan(&t.setup, devices, ee_planner_by_name("latency"), NULL, &plan, &forecast),
        EE_OK);
    CU_ASSERT_DOUBLE_EQUAL(forecast.period, i % 2 == 0 ? 10.5e-3 : 42e-3, 1e-9);
    ee_plan_destroy(&plan);
  }
  t.setup.fleet      = NULL;
  t.setup.by_seconds = false;
  t.setup.host_flops = 0.0;
  double flops       = t.model->head_flops[0] + t.model->head_flops[1];
  for (int l = 0; l < LAB_LAYERS; l++) flops += t.model->layer[l].flops;
  CU_ASSERT_EQUAL_FATAL(
      ee_first_plan(&t.setup, 1, ee_planner_by_name("latency"), NULL, &plan, &forecast), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(forecast.period, flops / EE_ASSUMED_FLOPS, 1e-12);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

/* One byte per second between the two: nothing is worth sending. */
static void measured_links_are_planned_with(void) {
  const double bandwidth[] = {0, 1, 1, 0}, latency[] = {0, 2, 2, 0};
  lab          t;
  ee_plan     *plan = NULL;
  ee_estimate  e;
  lab_open(&t, false);
  CU_ASSERT_EQUAL_FATAL(ee_first_plan(&t.setup, 2, ee_planner_by_name("exact"), NULL, &plan, NULL),
                        EE_OK);
  CU_ASSERT_EQUAL(plan->n_stages, 2);
  ee_plan_destroy(&plan);
  t.setup.link_bandwidth = bandwidth;
  t.setup.link_latency   = latency;
  CU_ASSERT_EQUAL_FATAL(ee_first_plan(&t.setup, 2, ee_planner_by_name("exact"), NULL, &plan, NULL),
                        EE_OK);
  CU_ASSERT_EQUAL(plan->n_stages, 1);
  CU_ASSERT_EQUAL_FATAL(ee_estimate_open(&t.setup, 2, &e), EE_OK);
  CU_ASSERT_EQUAL(e.chain.latency[1], 2.0);
  ee_estimate_close(&e);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void an_exit_takes_the_layers_heads_and_links_before_it(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(2, 3, 0, 6, 1);
  double   seconds[LAB_EXITS], at = 0.0;
  lab_open(&t, true);
  t.fleet->device[1].flops = 2e6;
  t.fleet->link[1]         = (ee_link_spec){.bandwidth = 5e4, .latency = 0.25};
  CU_ASSERT_EQUAL_FATAL(ee_exit_latencies(&t.setup, plan, seconds), EE_OK);
  for (int l = 0, x = 0; l < LAB_LAYERS; l++) {
    if (l == 3) at += 0.25 + (double)ee_model_cut_bytes(t.model, 3) / 5e4;
    at += t.model->layer[l].flops / (l < 3 ? 1e6 : 2e6);
    if (t.model->exit[x].attach != l) continue;
    at += t.model->head_flops[x] / (l < 3 ? 1e6 : 2e6);
    CU_ASSERT_DOUBLE_EQUAL(seconds[x], at, 1e-9);
    x++;
  }
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void a_fleet_without_memory_for_the_model_is_an_error(void) {
  lab      t;
  ee_plan *plan = NULL;
  lab_open(&t, true);
  for (int d = 0; d < LAB_DEVICES; d++) t.fleet->device[d].memory = 10.0;
  CU_ASSERT_EQUAL(
      ee_first_plan(&t.setup, LAB_DEVICES, ee_planner_by_name("exact"), NULL, &plan, NULL),
      EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  lab_close(&t);
}

/* One byte less than what one device needs, arena included, is refused with and without a table. */
static void layers_that_a_table_stands_for_need_the_memory_of_layers_that_run(void) {
  const ee_exit_table none = {0};
  ee_memory_need      need;
  lab                 t;
  lab_open(&t, true);
  t.setup.backend = &ee_backend_ref;
  CU_ASSERT_EQUAL_FATAL(ee_exec_memory(t.model, &ee_backend_ref, 0, LAB_LAYERS, 4, &need), EE_OK);
  double slots = ee_partition_message_bytes(&t.estimate.chain, 0, LAB_LAYERS);
  double all   = (double)(need.weights + need.packed + need.arena) + slots;
  CU_ASSERT_TRUE(need.arena > 0);
  for (int with = 0; with < 2; with++) {
    t.setup.outcomes = with ? &none : NULL;
    for (int less = 0; less < 2; less++) {
      ee_plan *plan             = NULL;
      t.fleet->device[0].memory = all - less;
      CU_ASSERT_EQUAL(ee_first_plan(&t.setup, 1, ee_planner_by_name("exact"), NULL, &plan, NULL),
                      less ? EE_ERR_ARG : EE_OK);
      ee_plan_destroy(&plan);
    }
  }
  t.setup.outcomes = NULL;
  lab_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(it_is_the_planners_for_fleet_and_shares),
    EE_FACT(copying_counts_on_both_sides_of_a_cut),
    EE_FACT(profiled_seconds_stand_in_for_operations),
    EE_FACT(a_profiled_plan_takes_the_profiled_seconds),
    EE_FACT(measured_links_are_planned_with),
    EE_FACT(an_exit_takes_the_layers_heads_and_links_before_it),
    EE_FACT(a_fleet_without_memory_for_the_model_is_an_error),
    EE_FACT(layers_that_a_table_stands_for_need_the_memory_of_layers_that_run),
    {NULL, NULL},
};
