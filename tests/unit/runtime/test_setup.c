/* SPDX-License-Identifier: Apache-2.0 */
/* Which runs are refused before they begin, and which count as the same run. */
#include "setup.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../nn/graph_maker.h"
#include "ee_test.h"

static ee_model    *model;
static ee_plan     *plan;
static ee_fleet    *fleet;
static ee_policy   *policy;
static ee_run_setup setup;
static const int    ranks = 2;

static void open_setup(void) {
  ee_policy_setting setting = {.n_exits = 1, .n_classes = 3};
  model                     = maker_begin(3, SHAPE(1, 2, 4, 4));
  int a                     = maker_relu(model, "a.relu", maker_conv(model, "a", model->input));
  maker_head(model, "final", maker_add(model, "b.sum", maker_conv(model, "b", a), a));
  if (ee_model_finish(model) != EE_OK || ee_plan_uniform(model->n_layers, ranks, &plan) != EE_OK ||
      ee_fleet_create(ranks, &fleet) != EE_OK ||
      ee_policy_create("final", &setting, &policy) != EE_OK) {
    abort();
  }
  setup = (ee_run_setup){.model         = model,
                         .backend       = &ee_backend_ref,
                         .policy        = policy,
                         .plan          = plan,
                         .fleet         = fleet,
                         .host_flops    = 1e9,
                         .n_samples     = 100,
                         .batch_limit   = 4,
                         .slots         = 2,
                         .epoch_samples = 10};
}

static void close_setup(void) {
  ee_policy_destroy(&policy);
  ee_fleet_destroy(&fleet);
  ee_plan_destroy(&plan);
  ee_model_destroy(&model);
}

#define REFUSED(field, bad, good)                               \
  do {                                                          \
    setup.field = (bad);                                        \
    CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_ERR_ARG); \
    setup.field = (good);                                       \
    CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_OK);      \
  } while (0)

static void numbers_out_of_range_are_refused(void) {
  open_setup();
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_OK);
  REFUSED(batch_limit, 0, 4);
  REFUSED(batch_limit, INT_MAX, 1);  // whose answers make more bytes than MPI counts
  REFUSED(slots, 0, 1);
  REFUSED(slots, INT_MAX, 1);
  REFUSED(epoch_samples, 0, INT_MAX);
  REFUSED(control_delay, -1, 0);
  REFUSED(control_delay, INT_MAX, 3);
  REFUSED(merge_wait, NAN, 0.1);
  REFUSED(merge_wait, -1.0, INFINITY);
  REFUSED(rate, -1.0, 10.0);
  REFUSED(latency_limit, -1.0, 0.5);
  REFUSED(latency_limit, NAN, 0.0);
  REFUSED(n_samples, UINT64_MAX, 0);
  REFUSED(host_flops, 0.0, 1e9);
  close_setup();
}

/* Four values of 32 bits, or 16, for each of the channels that cross. */
static void what_crosses_a_cut_is_copied_where_seconds_count(void) {
  open_setup();
  double bytes        = (double)ee_link_cut_bytes(model, 1, EE_LINK_F32);
  model->copy_seconds = 2e-10;
  CU_ASSERT_TRUE(bytes > 0.0);
  CU_ASSERT_EQUAL(ee_copy_work(&setup, 1), 0.0);
  int before       = ee_setup_key(&setup);
  setup.by_seconds = true;
  CU_ASSERT_DOUBLE_EQUAL(ee_copy_work(&setup, 1), 0.2 * bytes, 1e-9);
  CU_ASSERT_EQUAL(ee_copy_work(&setup, 0), 0.0);
  CU_ASSERT_EQUAL(ee_copy_work(&setup, model->n_layers), 0.0);
  CU_ASSERT_NOT_EQUAL(ee_setup_key(&setup), before);
  before              = ee_setup_key(&setup);
  model->copy_seconds = 3e-10;
  CU_ASSERT_NOT_EQUAL(ee_setup_key(&setup), before);
  setup.link_values = EE_LINK_F16;
  CU_ASSERT_DOUBLE_EQUAL(ee_copy_work(&setup, 1), 0.15 * bytes, 1e-9);
  close_setup();
}

static void a_latency_limit_is_refused_to_policies_that_learn(void) {
  ee_policy_setting setting = {.n_exits = 1, .n_classes = 3};
  ee_policy        *learner = NULL;
  open_setup();
  CU_ASSERT_EQUAL_FATAL(ee_policy_create("splitee", &setting, &learner), EE_OK);
  setup.latency_limit = 0.1;
  REFUSED(policy, learner, policy);
  setup.latency_limit = 0.0;
  setup.policy        = learner;
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_OK);
  ee_policy_destroy(&learner);
  close_setup();
}

static void plans_and_fleets_of_another_size_are_refused(void) {
  open_setup();
  CU_ASSERT_EQUAL(ee_setup_check(&setup, 3), EE_ERR_ARG);
  ee_fleet *other = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(3, &other), EE_OK);
  REFUSED(fleet, other, fleet);
  plan->stage[1].begin++;
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_ERR_ARG);
  plan->stage[1].begin--;
  model->batched = false;
  REFUSED(batch_limit, 2, 1);
  ee_fleet_destroy(&other);
  close_setup();
}

/* Neither the model nor a table without scores can be asked; a table with scores can. */
static void a_policy_that_needs_scores_is_refused_without_them(void) {
  ee_policy_setting   setting = {.n_exits = 1, .n_classes = 3};
  ee_policy          *eenet   = NULL;
  ee_exit_table      *bare = NULL, *scored = NULL;
  ee_exit_table_parts with = {.score = true}, without = {.score = false};
  open_setup();
  CU_ASSERT_EQUAL_FATAL(ee_policy_create("eenet:value=0.5", &setting, &eenet), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(100, 1, 3, without, &bare), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(100, 1, 3, with, &scored), EE_OK);
  bare->layers[0] = scored->layers[0] = model->n_layers;
  REFUSED(policy, eenet, policy);
  setup.outcomes = bare;
  REFUSED(policy, eenet, policy);
  setup.outcomes = scored;
  setup.policy   = eenet;
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_OK);
  ee_exit_table_destroy(&bare);
  ee_exit_table_destroy(&scored);
  ee_policy_destroy(&eenet);
  close_setup();
}

static void a_device_that_owns_layers_must_have_a_speed_at_all_times(void) {
  open_setup();
  ee_schedule *schedule = &fleet->device[1].speed;
  schedule->n           = 1;
  schedule->change      = malloc(sizeof(ee_change));
  schedule->change[0]   = (ee_change){.at = 3.0, .value = 0.0};
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "device 1"));
  schedule->change[0].value = 0.5;
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_OK);
  fleet->device[0].relative = 0.0;
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "device 0"));
  close_setup();
}

static void a_device_that_owns_layers_must_be_there_when_the_run_begins(void) {
  open_setup();
  ee_schedule *away = &fleet->device[1].away;
  away->n           = 1;
  away->change      = malloc(sizeof(ee_change));
  away->change[0]   = (ee_change){.at = 0.0, .value = 1.0};
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "device 1 owns layers"));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "away when the run begins"));
  away->change[0].at = 0.1;
  CU_ASSERT_EQUAL(ee_setup_check(&setup, ranks), EE_OK);
  close_setup();
}

#define CHANGES_KEY(lvalue, other)                  \
  do {                                              \
    int key = ee_setup_key(&setup);                 \
    CU_ASSERT_EQUAL(ee_setup_key(&setup), key);     \
    lvalue = (other);                               \
    CU_ASSERT_NOT_EQUAL(ee_setup_key(&setup), key); \
  } while (0)

static void whatever_ranks_must_share_is_in_the_key(void) {
  open_setup();
  CHANGES_KEY(setup.backend, &ee_backend_blis);
  CHANGES_KEY(setup.n_samples, 101);
  CHANGES_KEY(setup.batch_limit, 5);
  CHANGES_KEY(setup.slots, 3);
  CHANGES_KEY(setup.epoch_samples, 11);
  CHANGES_KEY(setup.control_delay, 1);
  CHANGES_KEY(setup.with_logits, true);
  CHANGES_KEY(setup.host_flops, 2e9);
  CHANGES_KEY(fleet->device[1].memory, 5.0);
  CHANGES_KEY(fleet->link[1].bandwidth, 5.0);
  CHANGES_KEY(model->layer[1].flops, 5.0);
  CHANGES_KEY(model->exit[0].has_score, true);
  CHANGES_KEY(plan->stage[0].device, 5);
  CHANGES_KEY(setup.fleet, NULL);
  close_setup();
}

const ee_fact ee_facts[] = {
    EE_FACT(numbers_out_of_range_are_refused),
    EE_FACT(what_crosses_a_cut_is_copied_where_seconds_count),
    EE_FACT(a_latency_limit_is_refused_to_policies_that_learn),
    EE_FACT(plans_and_fleets_of_another_size_are_refused),
    EE_FACT(a_policy_that_needs_scores_is_refused_without_them),
    EE_FACT(a_device_that_owns_layers_must_have_a_speed_at_all_times),
    EE_FACT(a_device_that_owns_layers_must_be_there_when_the_run_begins),
    EE_FACT(whatever_ranks_must_share_is_in_the_key),
    {NULL, NULL},
};
