/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates against closed forms of what the sums say. */
#include <math.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "lab.h"

static void without_sums_every_sample_goes_to_the_end(void) {
  lab t;
  lab_open(&t, false);
  for (int l = 0; l < LAB_LAYERS; l++) CU_ASSERT_EQUAL(t.estimate.reach[l], 1.0);
  CU_ASSERT_EQUAL(t.estimate.speed[0], t.estimate.speed[2]);
  CU_ASSERT_EQUAL(ee_chain_check(&t.estimate.chain), EE_OK);
  lab_close(&t);
}

static void the_fleet_gives_speeds_memory_and_links(void) {
  lab t;
  lab_open(&t, true);
  ee_estimate_close(&t.estimate);
  t.fleet->device[1].flops    = 0.0;
  t.fleet->device[1].relative = 0.25;
  t.fleet->device[2].memory   = 5000.0;
  t.fleet->link[1 * 3 + 2]    = (ee_link_spec){.bandwidth = 7.0, .latency = 0.5};
  CU_ASSERT_EQUAL_FATAL(ee_estimate_open(&t.setup, LAB_DEVICES, &t.estimate), EE_OK);
  const ee_chain *c = &t.estimate.chain;
  CU_ASSERT_EQUAL(c->speed[0], 1e6);
  CU_ASSERT_EQUAL(c->speed[1], 0.25e9);
  CU_ASSERT_EQUAL(c->memory[2], 5000.0);
  CU_ASSERT_EQUAL(c->bandwidth[1 * 3 + 2], 7.0);
  CU_ASSERT_EQUAL(c->latency[1 * 3 + 2], 0.5);
  CU_ASSERT_EQUAL(c->message_samples, 4.0);
  CU_ASSERT_EQUAL(c->slots, 2);
  CU_ASSERT_EQUAL(c->source, 0);
  lab_close(&t);
}

static void the_first_epoch_is_believed_and_reach_follows(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  lab_open(&t, true);
  lab_left(&t, 50, 30, 20);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  const double reach[] = {1.0, 1.0, 0.5, 0.5, 0.2, 0.2};
  for (int l = 0; l < LAB_LAYERS; l++) {
    CU_ASSERT_DOUBLE_EQUAL(t.estimate.reach[l], reach[l], 1e-12);
  }
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.samples, 100.0, 1e-9);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

/* Large epochs: weights 1/2, 1/4, ..., the first epoch twice; n_eff = 1 / sum of weight^2 / n. */
static void later_epochs_are_smoothed(void) {
  lab      t;
  ee_plan *plan   = LAB_PLAN(1, 6, 0);
  double   left[] = {500, 516, 497, 503, 499, 502, 505}, mean = 0.0, squares = 0.0;
  lab_open(&t, true);
  for (int k = 0; k < 7; k++) {
    lab_left(&t, (int64_t)left[k], 1000 - (int64_t)left[k], 0);
    ee_estimate_update(&t.estimate, &t.sums, plan);
  }
  for (int k = 0; k < 7; k++) {
    double weight = pow(0.5, k == 0 ? 6 : 7 - k);
    mean += weight * left[k] / 1000.0;
    squares += weight * weight;
  }
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.share[0], mean, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.share[1], 1.0 - mean, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.samples, 1000.0 / squares, 1e-9);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

/* Small epochs: a plain mean until 600 samples count; then 2 n / (600 + n), which keeps that. */
static void small_epochs_are_added_up(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  double   sum  = 0.0;
  lab_open(&t, true);
  for (int k = 0; k < 40; k++) {
    int64_t left = 5 + k % 3;
    sum += (double)left;
    lab_left(&t, left, 10 - left, 0);
    ee_estimate_update(&t.estimate, &t.sums, plan);
    if (k < 29) CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.share[0], sum / (10.0 * (k + 1)), 1e-12);
    if (k < 29) CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.samples, 10.0 * (k + 1), 1e-9);
  }
  for (int k = 0; k < 1000; k++) ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.samples, 600.0, 1e-6);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void a_jump_of_the_shares_is_believed_at_once(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  lab_open(&t, true);
  for (int k = 0; k < 5; k++) {
    lab_left(&t, 500, 300, 200);
    ee_estimate_update(&t.estimate, &t.sums, plan);
  }
  lab_left(&t, 100, 300, 600);  // (0.5 - 0.1) / sqrt(0.25 / 1000) = 25 standard errors
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.share[0], 0.1, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.samples, 1000.0, 1e-9);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

/* Jumps cost the memory of earlier epochs, so chance must hardly ever look like one. */
static void chance_is_no_jump(void) {
  lab      t;
  ee_plan *plan  = LAB_PLAN(1, 6, 0);
  ee_rng   rng   = ee_rng_at(9, 0);
  int      jumps = 0;
  lab_open(&t, true);
  for (int k = 0; k < 400; k++) {
    int64_t left[3] = {0};
    for (int i = 0; i < 100; i++) {
      double u = ee_rng_uniform(&rng);
      left[u < 0.45 ? 0 : u < 0.99 ? 1 : 2]++;
    }
    lab_left(&t, left[0], left[1], left[2]);
    ee_estimate_update(&t.estimate, &t.sums, plan);
    jumps += k > 0 && fabs(t.estimate.shares.samples - 100.0) < 1.0;
  }
  CU_ASSERT_TRUE(jumps <= 1);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.samples, 600.0, 1.0);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void an_epoch_in_which_nobody_left_changes_nothing(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  lab_open(&t, true);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_EQUAL(t.estimate.reach[5], 1.0);
  lab_left(&t, 50, 30, 20);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.shares.share[0], 0.5, 1e-12);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void busy(lab *t, int d, int64_t work, double seconds) {
  lab_device(t, d, EE_SUM_WORK, work);
  lab_device(t, d, EE_SUM_BUSY, (int64_t)(seconds * 1e9));
}

static void speed_is_work_over_time_busy_and_smoothed(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  lab_open(&t, true);
  busy(&t, 0, 1100000, 1.0);  // 1.1 times the fleet's word: half believed
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.speed[0], 1.05e6, 1.0);
  CU_ASSERT_DOUBLE_EQUAL(ee_estimate_speed_error(&t.estimate, 0), sqrt(0.5 * 0.01 * 0.5 / 2.0),
                         1e-12);
  CU_ASSERT_EQUAL(t.estimate.speed[1], 1e6);  // ran nothing
  CU_ASSERT_EQUAL(ee_estimate_speed_error(&t.estimate, 1), 0.0);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void a_jump_of_a_speed_is_believed_at_once(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  lab_open(&t, true);
  busy(&t, 2, 400000, 1.0);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.speed[2], 4e5, 1e-3);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void a_device_that_is_away_has_no_speed_until_it_is_back(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  lab_open(&t, true);
  busy(&t, 1, 400000, 1.0);
  lab_device(&t, 1, EE_SUM_AWAY, 1);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_EQUAL(t.estimate.chain.speed[1], 0.0);
  lab_device(&t, 1, EE_SUM_AWAY, 0);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.chain.speed[1], 4e5, 1e-3);  // measured while it was away
  ee_plan_destroy(&plan);
  lab_close(&t);
}

/* With independent noise of standard deviation s the smoothed speed errs by s sqrt(w / (2 - w)),
 * w = 1/2.  On a speed that wanders by 8 % the error that is claimed must be that or a bit more. */
static void the_error_claimed_for_a_restless_speed_is_hardly_below_its_real_one(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  ee_rng   rng  = ee_rng_at(2, 3);
  double   real = 0.0, claimed = 0.0;
  lab_open(&t, true);
  for (int k = 0; k < 3000; k++) {
    double noise = 0.0;  // the sum of 12 uniforms less 6 has variance 1
    for (int i = 0; i < 12; i++) noise += ee_rng_uniform(&rng);
    busy(&t, 0, (int64_t)(1e6 * (1.0 + 0.08 * (noise - 6.0))), 1.0);
    ee_estimate_update(&t.estimate, &t.sums, plan);
    real += pow(t.estimate.speed[0] / 1e6 - 1.0, 2.0) / 3000;
    claimed += pow(ee_estimate_speed_error(&t.estimate, 0), 2.0) / 3000;
  }
  CU_ASSERT_DOUBLE_EQUAL(sqrt(real), 0.08 / sqrt(3.0), 0.01);
  CU_ASSERT_TRUE(claimed > 0.9 * real && claimed < 2.5 * real);  // rather too much than too little
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void a_device_that_ran_nothing_is_as_fast_as_the_mean(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  lab_open(&t, false);
  busy(&t, 0, 3000000, 1.0);
  busy(&t, 1, 1000000, 1.0);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.speed[2], 2e6, 1e-3);
  CU_ASSERT_EQUAL(ee_estimate_speed_error(&t.estimate, 0), 0.0);  // no step seen yet
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void a_link_is_as_fast_as_what_it_carried_while_occupied(void) {
  lab      t;
  ee_plan *plan = LAB_PLAN(2, 3, 2, 6, 1);  // source 0 > device 2 > device 1
  lab_open(&t, true);
  t.estimate.latency[2 * 3 + 1] = 0.25;
  lab_device(&t, 1, EE_SUM_LINK_BYTES, 5000);
  lab_device(&t, 1, EE_SUM_LINK_NS, 20000000);
  lab_device(&t, 2, EE_SUM_LINK_BYTES, 600);
  lab_device(&t, 2, EE_SUM_LINK_NS, 1000000000);
  lab_device(&t, 0, EE_SUM_LINK_BYTES, 600);
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.bandwidth[2 * 3 + 1], 250000.0, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(t.estimate.bandwidth[0 * 3 + 2], 600.0, 1e-9);
  CU_ASSERT_EQUAL(t.estimate.bandwidth[1 * 3 + 2], 1e6);  // the other direction is another link
  CU_ASSERT_EQUAL(t.estimate.bandwidth[0 * 3 + 1], 1e6);
  CU_ASSERT_EQUAL(t.estimate.latency[2 * 3 + 1], 0.25);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

/* Measured at b in n epochs, expected is b + (1 - 1/128)^n (fleet's - b); a link that is left then
 * goes a 32nd of the way there in each epoch. */
static void a_link_that_is_not_used_goes_back_to_what_is_expected_of_it(void) {
  lab      t;
  ee_plan *used = LAB_PLAN(2, 3, 0, 6, 1), *left = LAB_PLAN(1, 6, 0);
  double   slow = 1e4, fleet = 1e6, expected = slow + pow(127.0 / 128.0, 5) * (fleet - slow);
  lab_open(&t, true);
  const double *link = &t.estimate.bandwidth[0 * 3 + 1];
  lab_device(&t, 1, EE_SUM_LINK_BYTES, 10000);
  lab_device(&t, 1, EE_SUM_LINK_NS, 1000000000);
  for (int k = 0; k < 5; k++) ee_estimate_update(&t.estimate, &t.sums, used);
  CU_ASSERT_DOUBLE_EQUAL(*link, slow, 1e-6);
  for (int k = 1; k <= 100; k++) {
    ee_estimate_update(&t.estimate, &t.sums, left);
    CU_ASSERT_DOUBLE_EQUAL(*link, expected + pow(31.0 / 32.0, k) * (slow - expected), 1e-4);
  }
  CU_ASSERT_EQUAL(t.estimate.bandwidth[1 * 3 + 2], fleet);  // was never anything else
  ee_plan_destroy(&used);
  ee_plan_destroy(&left);
  lab_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(without_sums_every_sample_goes_to_the_end),
    EE_FACT(the_fleet_gives_speeds_memory_and_links),
    EE_FACT(the_first_epoch_is_believed_and_reach_follows),
    EE_FACT(later_epochs_are_smoothed),
    EE_FACT(small_epochs_are_added_up),
    EE_FACT(a_jump_of_the_shares_is_believed_at_once),
    EE_FACT(chance_is_no_jump),
    EE_FACT(an_epoch_in_which_nobody_left_changes_nothing),
    EE_FACT(speed_is_work_over_time_busy_and_smoothed),
    EE_FACT(a_jump_of_a_speed_is_believed_at_once),
    EE_FACT(a_device_that_is_away_has_no_speed_until_it_is_back),
    EE_FACT(the_error_claimed_for_a_restless_speed_is_hardly_below_its_real_one),
    EE_FACT(a_device_that_ran_nothing_is_as_fast_as_the_mean),
    EE_FACT(a_link_is_as_fast_as_what_it_carried_while_occupied),
    EE_FACT(a_link_that_is_not_used_goes_back_to_what_is_expected_of_it),
    {NULL, NULL},
};
