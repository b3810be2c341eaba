/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule beside the default, and the default one when latencies are compared: figures against
 * samples one by one and closed forms. */
#include <math.h>

#include "decide.h"
#include "ee/rng.h"
#include "ee_test.h"
#include "lab.h"
#include "objective.h"
#include "rules.h"

static const ee_plan *found;

static ee_status find_given(const ee_chain *chain, ee_plan **plan) {
  (void)chain;
  return ee_plan_copy(found, plan);
}

static const ee_planner by_period  = {.name = "given", .help = "", .find = find_given};
static const ee_planner by_latency = {
    .name = "given", .help = "", .find = find_given, .by_latency = true};

static lab                   t;
static ee_controller_options options;
static ee_decider            decider;
static ee_plan              *one, *two;  // all on device 0; a cut in the middle, device 1 behind
static ee_forecast           f_one, f_two;

static void open_case(const ee_planner *planner, int64_t first, int64_t second, int64_t last) {
  lab_open(&t, true);
  one = LAB_PLAN(1, 6, 0);
  two = LAB_PLAN(2, 3, 0, 6, 1);
  lab_left(&t, first, second, last);
  ee_estimate_update(&t.estimate, &t.sums, one);
  options = (ee_controller_options){.rebalance  = true,
                                    .rule       = ee_rule_by_name("gain"),
                                    .planner    = planner,
                                    .min_gain   = 0.1,
                                    .error_bars = 2.0,
                                    .hold       = 1,
                                    .look_every = 1,
                                    .seed       = 1};
  decider = (ee_decider){0};
  found   = two;
}

/* After speeds or links were set. */
static void forecast(void) {
  CU_ASSERT_EQUAL(ee_partition_forecast(&t.estimate.chain, one, &f_one), EE_OK);
  CU_ASSERT_EQUAL(ee_partition_forecast(&t.estimate.chain, two, &f_two), EE_OK);
}

static void close_case(void) {
  ee_plan_destroy(&one);
  ee_plan_destroy(&two);
  lab_close(&t);
}

static ee_verdict decide(const ee_plan *plan, double remaining) {
  ee_decision_record record;
  CU_ASSERT_EQUAL(ee_decide(&decider, &options, &t.estimate, plan, remaining, &record), EE_OK);
  ee_plan_destroy(&record.best);
  return record.verdict;
}

/* Two devices of equal speed halve the period, and the link between them adds latency. */
static void the_planner_says_what_is_compared(void) {
  open_case(&by_period, 0, 0, 1000);
  forecast();
  CU_ASSERT_TRUE(f_two.period < f_one.period && f_two.latency > f_one.latency);
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  options.planner = &by_latency;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_BEST);
  found            = one;
  options.min_gain = 0.0;
  CU_ASSERT_EQUAL(decide(two, 1e6), EE_VERDICT_ADOPTED);
  options.planner = &by_period;
  CU_ASSERT_EQUAL(decide(two, 1e6), EE_VERDICT_KEPT_BEST);
  close_case();
}

/* A second device four times as fast, behind links that do not count. */
static void open_faster(int64_t first, int64_t second, int64_t last) {
  open_case(&by_latency, first, second, last);
  t.estimate.speed[1] = t.estimate.own_speed[1] = 4e6;
  for (int i = 0; i < 9; i++) t.estimate.bandwidth[i] = t.estimate.expected[i] = 1e9;
  forecast();
}

static void a_latency_gain_below_the_threshold_is_small(void) {
  open_faster(0, 0, 1000000);
  double gain      = (f_one.latency - f_two.latency) / f_one.latency;
  options.min_gain = gain * 1.000001;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_SMALL);
  options.min_gain = gain * 0.999999;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

static void a_latency_gain_within_its_error_bar_is_noise(void) {
  open_faster(5, 3, 4);
  double gain  = (f_one.latency - f_two.latency) / f_one.latency;
  double error = ee_gain_error(true, &t.estimate, one, &f_one, two, &f_two);
  CU_ASSERT_TRUE(gain > 0.1 && error > 0.0);
  options.error_bars = gain / error * 1.000001;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_NOISE);
  options.error_bars = gain / error * 0.999999;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

/* As if the stream stood still for the M seconds of the move, those M / period samples that come
 * meanwhile wait for M / 2 in the mean: (r - M / period) (T - B) > M^2 / (2 period). */
static void what_a_move_delays_must_be_gained_by_the_rest(void) {
  open_faster(0, 0, 1000000);
  double move   = ee_move_seconds(&t.estimate, EE_WEIGHTS_PEER, one, two),
         during = move / f_one.period;
  double least  = during + during * move / 2.0 / (f_one.latency - f_two.latency);
  CU_ASSERT_TRUE(move > 0.0);
  CU_ASSERT_EQUAL(decide(one, least * 0.999999), EE_VERDICT_KEPT_COST);
  CU_ASSERT_EQUAL(decide(one, least * 1.000001), EE_VERDICT_ADOPTED);
  close_case();
}

/* Once it serves, the plan turns out slower than what it promised: it is gone back from, and its
 * promise is not believed for a while. */
static void a_plan_that_missed_its_latency_is_gone_back_from(void) {
  open_faster(0, 0, 1000000);
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  ee_decider_switched(&decider, &t.estimate, two, 0);
  t.estimate.speed[1] = 0.4e6;
  found               = one;
  CU_ASSERT_EQUAL(decide(two, 1e6), EE_VERDICT_ADOPTED);
  t.estimate.speed[1] = 4e6;  // looks fast again from afar
  found               = two;
  for (int k = 0; k < EE_MISSED_EPOCHS - 1; k++) {
    CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_BEST);
  }
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

static ee_decision_record decided(const ee_plan *plan) {
  ee_decision_record record;
  CU_ASSERT_EQUAL_FATAL(ee_decide(&decider, &options, &t.estimate, plan, 1e6, &record), EE_OK);
  return record;
}

/* Two equal devices: `one` has less latency, `two` a shorter period.  As long as the limit is above
 * the period of `one`, it is kept; below, plans are compared by period; below that of `two` as
 * well, and with a planner that then finds nothing, the shortest period is what comes closest. */
static void a_plan_that_is_too_slow_is_judged_by_its_period(void) {
  const ee_planner *latency = ee_planner_by_name("latency");
  open_case(latency, 0, 0, 1000);
  forecast();
  const double limit[] = {0.0, f_one.period * 1.01, f_one.period * 0.99, f_two.period * 0.2};
  for (int k = 0; k < 4; k++) {
    t.estimate.chain.max_period = limit[k];
    ee_decision_record record   = decided(one);
    CU_ASSERT_PTR_NOT_NULL_FATAL(record.best);
    CU_ASSERT_EQUAL(record.by_latency, k < 2);
    CU_ASSERT_EQUAL(record.verdict, k < 2 ? EE_VERDICT_KEPT_BEST : EE_VERDICT_ADOPTED);
    CU_ASSERT_DOUBLE_EQUAL(record.latency_now, f_one.latency, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(record.period_now, f_one.period, 1e-15);
    if (k == 2) CU_ASSERT_TRUE(record.period_best <= limit[k] * (1.0 + 1e-9));
    ee_plan *shortest = NULL;
    CU_ASSERT_EQUAL(ee_partition_exact(&t.estimate.chain, &shortest), EE_OK);
    if (k == 3) CU_ASSERT_TRUE(ee_plan_equal(record.best, shortest));
    ee_plan_destroy(&shortest);
    ee_plan_destroy(&record.best);
  }
  close_case();
}

static int owner(const ee_plan *plan, int layer) {
  return plan->stage[ee_plan_stage_of_layer(plan, layer)].device;
}

/* Seconds from the source until a sample alone leaves at exit x, layer by layer. */
static double walk(const ee_plan *plan, int x) {
  double seconds = 0.0;
  int    at      = 0;  // the source
  for (int l = 0; l <= t.model->exit[x].attach; l++) {
    int d = owner(plan, l);
    if (d != at) {
      seconds += t.estimate.latency[at * 3 + d];
      seconds += (double)ee_model_cut_bytes(t.model, l) / t.estimate.bandwidth[at * 3 + d];
      at = d;
    }
    seconds += t.model->layer[l].flops / t.estimate.speed[d];
    for (int e = 0; e < LAB_EXITS; e++) {
      if (t.model->exit[e].attach == l) seconds += t.model->head_flops[e] / t.estimate.speed[d];
    }
  }
  return seconds;
}

/* Up to three stages on devices in an order drawn. */
static ee_plan *random_plan(ee_rng *rng) {
  int first = (int)ee_rng_below(rng, 3), step = 1 + (int)ee_rng_below(rng, 2);
  int a = 1 + (int)ee_rng_below(rng, 2), b = a + 1 + (int)ee_rng_below(rng, 2);
  if (ee_rng_below(rng, 4) == 0) return LAB_PLAN(1, 6, first);
  return LAB_PLAN(3, a, first, b, (first + step) % 3, 6, (first + 2 * step) % 3);
}

static void the_error_of_a_latency_gain_is_that_of_a_mean_over_samples(void) {
  ee_rng    rng     = ee_rng_at(6, 5);
  const int left[3] = {37, 25, 18};
  open_case(&by_latency, left[0], left[1], left[2]);
  for (int k = 0; k < 300; k++) {
    ee_plan    *a = random_plan(&rng), *b = random_plan(&rng);
    ee_forecast fa, fb;
    for (int i = 0; i < 9; i++) {
      t.estimate.bandwidth[i] = 1e4 + 1e5 * ee_rng_uniform(&rng);
      t.estimate.latency[i]   = 0.01 * ee_rng_uniform(&rng);
    }
    for (int d = 0; d < 3; d++) t.estimate.speed[d] = 3e5 + 3e6 * ee_rng_uniform(&rng);
    ee_partition_forecast(&t.estimate.chain, a, &fa);
    ee_partition_forecast(&t.estimate.chain, b, &fb);
    double mean = 0.0, variance = 0.0;
    for (int x = 0; x < 3; x++) mean += (left[x] + 1) / 83.0 * (walk(a, x) - walk(b, x));
    for (int x = 0; x < 3; x++) {
      variance += (left[x] + 1) / 83.0 * pow(walk(a, x) - walk(b, x) - mean, 2.0);
    }
    double expected = sqrt(variance / 83.0) / fa.latency;
    double error    = ee_gain_error(true, &t.estimate, a, &fa, b, &fb);
    CU_ASSERT_DOUBLE_EQUAL(error, expected, 1e-7);
    ee_plan_destroy(&a);
    ee_plan_destroy(&b);
  }
  close_case();
}

/* Every device's share of both latencies errs as its speed does, once. */
static void restless_speeds_widen_the_error_bar_of_latencies(void) {
  open_faster(0, 0, 1000000000);
  t.estimate.unrest[0] = 0.04;
  t.estimate.unrest[1] = 0.09;
  double e0 = ee_estimate_speed_error(&t.estimate, 0), e1 = ee_estimate_speed_error(&t.estimate, 1);
  double before   = ee_partition_stage_seconds(&t.estimate.chain, one, 0);
  double first    = ee_partition_stage_seconds(&t.estimate.chain, two, 0);
  double second   = ee_partition_stage_seconds(&t.estimate.chain, two, 1);
  double expected = sqrt(pow(e0 * (before - first), 2) + pow(e1 * second, 2)) / f_one.latency;
  double error    = ee_gain_error(true, &t.estimate, one, &f_one, two, &f_two);
  CU_ASSERT_DOUBLE_EQUAL(error, expected, 1e-7);
  close_case();
}

/* Throughput below 0.75 of what there could be, whatever it costs and however little is known. */
static void petals_moves_below_three_quarters_of_the_best_throughput(void) {
  open_case(&by_period, 3, 3, 2);
  options.rule       = ee_rule_by_name("petals");
  options.error_bars = 100.0;
  options.hold       = 5;
  decider.cooling    = 5;
  decide(one, 1.0);  // only draws when to look first
  forecast();
  double second = f_two.period;  // of the half on device 0
  CU_ASSERT_TRUE(!f_two.link && f_two.stage == 0);
  CU_ASSERT_TRUE(second < f_one.period);
  double fraction     = second / f_one.period;
  t.estimate.speed[1] = 1e9;  // device 0 alone says how fast `two` is
  CU_ASSERT_EQUAL(decide(one, 1.0), fraction < 0.75 ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_SMALL);
  ee_choice c = {.options = &options, .T = 1.0};
  c.B         = 0.7499;
  CU_ASSERT_EQUAL(options.rule->judge(&c), EE_VERDICT_ADOPTED);
  c.B = 0.7501;
  CU_ASSERT_EQUAL(options.rule->judge(&c), EE_VERDICT_KEPT_SMALL);
  close_case();
}

/* Intervals are whole numbers from 1 to twice the mean less 1, each as likely. */
static void petals_looks_at_random_times(void) {
  int seen[8] = {0}, last = -1, looks = 0;
  open_case(&by_period, 0, 0, 1000);
  options.rule       = ee_rule_by_name("petals");
  options.look_every = 4;
  for (int k = 0; k < 8000; k++) {
    ee_verdict verdict = decide(one, 1e6);
    if (verdict == EE_VERDICT_KEPT_UNSEEN) continue;
    CU_ASSERT_EQUAL(verdict, EE_VERDICT_ADOPTED);
    if (last >= 0 && k - last < 8) seen[k - last]++;
    last = k;
    looks++;
  }
  CU_ASSERT_TRUE(looks > 1900 && looks < 2100);
  for (int i = 1; i < 8; i++) CU_ASSERT_TRUE(seen[i] > 200 && seen[i] < 370);
  close_case();
}

static void a_device_that_leaves_is_not_looked_for_at_random(void) {
  open_case(&by_period, 0, 0, 1000);
  options.rule        = ee_rule_by_name("petals");
  options.look_every  = 1000000;
  t.estimate.speed[0] = 0.0;
  ee_plan *other      = LAB_PLAN(2, 3, 1, 6, 2);
  found               = other;
  CU_ASSERT_EQUAL(decide(one, 1.0), EE_VERDICT_ADOPTED);
  ee_plan_destroy(&other);
  close_case();
}

/* All layers on devices 0 and 1, with so many turns each. */
static ee_plan *shared_plan(int turns_0, int turns_1) {
  ee_plan *plan = LAB_PLAN(1, 6, 0);
  CU_ASSERT_EQUAL(ee_plan_add_replica(plan, 0, 1), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 0, turns_0), EE_OK);
  CU_ASSERT_EQUAL(ee_plan_set_turns(plan, 1, turns_1), EE_OK);
  return plan;
}

/* Devices of 1 and 0.86 MFLOP/s that share all layers half and half, or 7 to 6. */
static void open_shared(void) {
  open_case(&by_period, 0, 0, 1000000);
  ee_plan_destroy(&one);
  ee_plan_destroy(&two);
  one                 = shared_plan(1, 1);
  two                 = shared_plan(7, 6);
  found               = two;
  t.estimate.speed[1] = t.estimate.own_speed[1] = 0.86e6;
  for (int i = 0; i < 9; i++) t.estimate.bandwidth[i] = t.estimate.expected[i] = 1e9;
  forecast();
}

static void turns_alone_change_for_half_of_the_least_gain(void) {
  open_shared();
  double gain      = (f_one.period - f_two.period) / f_one.period;
  options.min_gain = 2.0 * gain * 1.000001;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_SMALL);
  options.min_gain = 2.0 * gain * 0.999999;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  ee_plan_destroy(&one);
  one = LAB_PLAN(2, 1, 0, 6, 1);  // from which layers move
  forecast();
  gain             = (f_one.period - f_two.period) / f_one.period;
  options.min_gain = gain * 1.000001;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_SMALL);
  close_case();
}

/* T - B, with T = W max(turns / speed) / 2 of the plan that serves, and B = W / (sum of speeds) of
 * one that is made for them; W is 1. */
static double difference(const double *speed) {
  return fmax(1.0 / speed[0], 1.0 / speed[1]) / 2.0 - 1.0 / (speed[0] + speed[1]);
}

static void speeds_err_in_turns_that_serve_and_in_turns_that_are_dealt(void) {
  open_shared();
  for (int d = 0; d < 2; d++) {
    double speed[] = {1.0, 0.86}, step = 1e-6, before = difference(speed);
    t.estimate.unrest[d]     = 0.04;
    t.estimate.unrest[1 - d] = 0.0;
    speed[d] *= 1.0 + step;
    double error = ee_estimate_speed_error(&t.estimate, d);
    double known = fabs(difference(speed) - before) / step * error / (0.5 / 0.86);
    double told  = ee_gain_error(false, &t.estimate, one, &f_one, two, &f_two);
    CU_ASSERT_DOUBLE_EQUAL(told, known, 0.01 * known);
  }
  close_case();
}

const ee_fact ee_facts[] = {
    EE_FACT(turns_alone_change_for_half_of_the_least_gain),
    EE_FACT(speeds_err_in_turns_that_serve_and_in_turns_that_are_dealt),
    EE_FACT(the_planner_says_what_is_compared),
    EE_FACT(a_latency_gain_below_the_threshold_is_small),
    EE_FACT(a_latency_gain_within_its_error_bar_is_noise),
    EE_FACT(what_a_move_delays_must_be_gained_by_the_rest),
    EE_FACT(a_plan_that_missed_its_latency_is_gone_back_from),
    EE_FACT(a_plan_that_is_too_slow_is_judged_by_its_period),
    EE_FACT(the_error_of_a_latency_gain_is_that_of_a_mean_over_samples),
    EE_FACT(restless_speeds_widen_the_error_bar_of_latencies),
    EE_FACT(petals_moves_below_three_quarters_of_the_best_throughput),
    EE_FACT(petals_looks_at_random_times),
    EE_FACT(a_device_that_leaves_is_not_looked_for_at_random),
    {NULL, NULL},
};
