/* SPDX-License-Identifier: Apache-2.0 */
/* The rule: each verdict when its condition holds, and the numbers it weighs against naive ones. */
#include "decide.h"

#include <math.h>
#include <string.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "lab.h"
#include "objective.h"
#include "rules.h"

static const ee_plan *found;  // what the planner below finds; NULL: nothing

static ee_status find_given(const ee_chain *chain, ee_plan **plan) {
  (void)chain;
  *plan = NULL;
  return found != NULL ? ee_plan_copy(found, plan) : EE_FAIL(EE_ERR_ARG, "nothing fits");
}

static const ee_planner given = {.name = "given", .help = "", .find = find_given};

static lab                   t;
static ee_controller_options options;
static ee_decider            decider;
static ee_plan              *one, *two;  // all on device 0; a cut in the middle, device 1 behind

static void open_case(int64_t first, int64_t second, int64_t last) {
  lab_open(&t, true);
  one = LAB_PLAN(1, 6, 0);
  two = LAB_PLAN(2, 3, 0, 6, 1);
  lab_left(&t, first, second, last);
  ee_estimate_update(&t.estimate, &t.sums, one);
  options = (ee_controller_options){.rebalance  = true,
                                    .rule       = ee_rule_by_name("gain"),
                                    .planner    = &given,
                                    .min_gain   = 0.1,
                                    .error_bars = 2.0,
                                    .hold       = 1};
  decider = (ee_decider){0};
  found   = two;
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

static void a_large_sure_gain_is_adopted(void) {
  open_case(0, 0, 1000);
  ee_decision_record record;
  CU_ASSERT_EQUAL(ee_decide(&decider, &options, &t.estimate, one, 1e6, &record), EE_OK);
  double half = 0.0, all = 0.0;
  for (int l = 0; l < LAB_LAYERS; l++) {
    double work = t.model->layer[l].flops;
    for (int x = 0; x < LAB_EXITS; x++)
      work += t.model->exit[x].attach == l ? t.model->head_flops[x] : 0;
    all += work;
    if (l < 3) half += work;
  }
  CU_ASSERT_EQUAL(record.verdict, EE_VERDICT_ADOPTED);
  CU_ASSERT_DOUBLE_EQUAL(record.period_now, all / 1e6, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(record.period_best, fmax(half, all - half) / 1e6, 1e-12);
  CU_ASSERT_TRUE(ee_plan_equal(record.best, two));
  ee_plan_destroy(&record.best);
  close_case();
}

static void the_same_or_a_worse_plan_is_not_better(void) {
  open_case(0, 0, 1000);
  CU_ASSERT_EQUAL(decide(two, 1e6), EE_VERDICT_KEPT_BEST);
  found = one;
  CU_ASSERT_EQUAL(decide(two, 1e6), EE_VERDICT_KEPT_BEST);
  close_case();
}

static void a_gain_below_the_threshold_is_small(void) {
  open_case(0, 0, 1000);
  ee_forecast now, best;
  ee_partition_forecast(&t.estimate.chain, one, &now);
  ee_partition_forecast(&t.estimate.chain, two, &best);
  double gain      = (now.period - best.period) / now.period;
  options.min_gain = gain * 1.000001;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_SMALL);
  options.min_gain = gain * 0.999999;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

static void a_gain_within_its_error_bar_is_noise(void) {
  open_case(3, 3, 2);
  ee_forecast now, best;
  ee_partition_forecast(&t.estimate.chain, one, &now);
  ee_partition_forecast(&t.estimate.chain, two, &best);
  double gain  = (now.period - best.period) / now.period;
  double error = ee_gain_error(false, &t.estimate, one, &now, two, &best);
  CU_ASSERT_TRUE(gain > 0.1 && error > 0.0);
  options.error_bars = gain / error * 1.000001;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_NOISE);
  options.error_bars = gain / error * 0.999999;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

/* What is saved on the samples that are left when the move is through must exceed its time M:
 * (r - M / T)(T - B) > M, so r > M / (T - B) + M / T. */
static void a_move_that_the_rest_does_not_repay_costs_too_much(void) {
  open_case(0, 0, 1000);
  ee_forecast now, best;
  ee_partition_forecast(&t.estimate.chain, one, &now);
  ee_partition_forecast(&t.estimate.chain, two, &best);
  double move  = ee_move_seconds(&t.estimate, EE_WEIGHTS_PEER, one, two);
  double least = move / (now.period - best.period) + move / now.period;
  CU_ASSERT_TRUE(move > 0.0);
  CU_ASSERT_EQUAL(decide(one, least * 0.999999), EE_VERDICT_KEPT_COST);
  CU_ASSERT_EQUAL(decide(one, least * 1.000001), EE_VERDICT_ADOPTED);
  CU_ASSERT_EQUAL(decide(one, 0.0), EE_VERDICT_KEPT_COST);
  options.weights = EE_WEIGHTS_FILE;  // no link is used
  CU_ASSERT_EQUAL(decide(one, 1.0), EE_VERDICT_ADOPTED);
  CU_ASSERT_EQUAL(decide(one, 0.0), EE_VERDICT_KEPT_COST);
  close_case();
}

static void a_gain_must_hold(void) {
  open_case(0, 0, 1000);
  options.hold = 3;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_WAIT);
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_WAIT);
  found = one;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_BEST);  // begins anew
  found = two;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_WAIT);
  found = NULL;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_FAILED);  // begins anew
  found = two;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_WAIT);
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_WAIT);
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

static void moves_keep_their_distance(void) {
  open_case(0, 0, 1000);
  decider.cooling = 2;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_COOLING);
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_COOLING);
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

static void rebalancing_can_be_off(void) {
  open_case(0, 0, 1000);
  options.rebalance = false;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_OFF);
  close_case();
}

static void a_plan_with_a_device_that_is_away_is_left(void) {
  open_case(0, 0, 1000);
  t.estimate.speed[0] = 0.0;
  ee_plan *other      = LAB_PLAN(2, 3, 1, 6, 2);
  found               = other;
  options.hold        = 3;  // who leaves does not wait
  decider.cooling     = 2;
  CU_ASSERT_EQUAL(decide(one, 0.0), EE_VERDICT_KEPT_COST);  // nobody would follow the other plan
  CU_ASSERT_EQUAL(decide(one, 1.0), EE_VERDICT_ADOPTED);
  options.rebalance = false;
  CU_ASSERT_EQUAL(decide(one, 1.0), EE_VERDICT_KEPT_OFF);
  ee_plan_destroy(&other);
  close_case();
}

static void always_means_every_plan_that_differs(void) {
  open_case(0, 0, 1000);
  options.always = true;
  found          = one;
  CU_ASSERT_EQUAL(decide(two, 0.0), EE_VERDICT_ADOPTED);
  CU_ASSERT_EQUAL(decide(one, 0.0), EE_VERDICT_KEPT_BEST);
  close_case();
}

/* Any plan of up to three stages on devices in any order. */
static ee_plan *random_plan(ee_rng *rng) {
  int device[] = {0, 1, 2}, end[3], n = 1 + (int)ee_rng_below(rng, 3);
  for (int i = 2; i > 0; i--) {
    int j = (int)ee_rng_below(rng, (uint64_t)i + 1), swap = device[i];
    device[i] = device[j];
    device[j] = swap;
  }
  for (int s = 0, begin = 0; s < n; begin = end[s++]) {
    int rest = n - s - 1;
    end[s]   = rest == 0 ? LAB_LAYERS
                         : begin + 1 + (int)ee_rng_below(rng, (uint64_t)(LAB_LAYERS - begin - rest));
  }
  return lab_plan(n, end, device);
}

static ee_decision_record decided(const ee_plan *plan, double near) {
  ee_decision_record record;
  options.near = near;
  CU_ASSERT_EQUAL_FATAL(ee_decide(&decider, &options, &t.estimate, plan, 1e9, &record), EE_OK);
  return record;
}

/* What the planner finds, and what is taken if plans up to 15 % slower are as good. */
static void of_plans_about_as_good_the_one_that_moves_least_is_taken(void) {
  ee_rng rng   = ee_rng_at(6, 4);
  int    calms = 0, limited = 0;
  open_case(0, 0, 1000);
  options.planner    = ee_planner_by_name("exact");
  options.error_bars = 0.0;
  for (int k = 0; k < 300; k++) {
    ee_plan *plan = random_plan(&rng);
    for (int d = 0; d < LAB_DEVICES; d++) t.estimate.speed[d] = 1e6 * (0.5 + ee_rng_uniform(&rng));
    ee_decision_record best = decided(plan, 0.0), near = decided(plan, 0.15);
    double             most = 0.9 * best.period_now;  // which leaves a gain of min_gain
    if (best.period_best > most) {
      CU_ASSERT_TRUE(ee_plan_equal(best.best, near.best));
      CU_ASSERT_EQUAL(best.verdict, near.verdict);
    } else {
      CU_ASSERT_TRUE(near.period_best <= fmin(1.15 * best.period_best, most));
      CU_ASSERT_TRUE(near.moved_bytes <= best.moved_bytes);
      CU_ASSERT_EQUAL(near.verdict, EE_VERDICT_ADOPTED);
      calms += near.moved_bytes < best.moved_bytes;
      limited += 1.15 * best.period_best > most;
    }
    ee_plan_destroy(&best.best);
    ee_plan_destroy(&near.best);
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(calms > 50 && limited > 10);
  close_case();
}

static void a_planner_that_looks_for_something_else_has_its_way(void) {
  open_case(0, 0, 1000);
  ee_plan *three            = LAB_PLAN(3, 2, 2, 4, 1, 6, 0);
  found                     = three;
  ee_decision_record record = decided(one, 0.5);
  CU_ASSERT_TRUE(ee_plan_equal(record.best, three));
  ee_plan_destroy(&record.best);
  ee_plan_destroy(&three);
  close_case();
}

/* It began to serve while every device was away; then they all came back. */
static void a_plan_watched_while_everybody_was_away_promised_nothing(void) {
  open_case(0, 0, 1000);
  ee_forecast forecast;
  size_t      bytes = LAB_DEVICES * sizeof *t.estimate.speed;
  ee_partition_forecast(&t.estimate.chain, two, &forecast);
  memset(t.estimate.speed, 0, bytes);
  ee_decider_switched(&decider, &t.estimate, two, 0);
  CU_ASSERT_EQUAL(decide(two, 1e6), EE_VERDICT_FAILED);  // nobody to plan with
  for (int d = 0; d < LAB_DEVICES; d++) t.estimate.speed[d] = 1e6;
  CU_ASSERT_EQUAL(decide(two, 1e6), EE_VERDICT_KEPT_BEST);
  CU_ASSERT_EQUAL(decider.watched, 0);
  for (int i = 0; i < EE_MISSED_PLANS; i++) CU_ASSERT_EQUAL(decider.missed[i].epochs, 0);
  ee_decision_record record = decided(one, 0.0);  // so its forecast counts as it is
  CU_ASSERT_DOUBLE_EQUAL(record.period_best, forecast.period, 1e-15);
  ee_plan_destroy(&record.best);
  close_case();
}

static int owner(const ee_plan *plan, int layer) {
  return plan->stage[ee_plan_stage_of_layer(plan, layer)].device;
}

static void move_seconds_are_those_of_the_slowest_pair(void) {
  open_case(0, 0, 10);
  ee_rng rng = ee_rng_at(6, 1);
  for (int i = 0; i < 9; i++) {
    t.estimate.bandwidth[i] = i == 4 || i == 5 ? 0.0 : 100.0 + 1000.0 * ee_rng_uniform(&rng);
    t.estimate.latency[i]   = ee_rng_uniform(&rng);
  }
  for (int k = 0; k < 300; k++) {
    ee_plan *before = random_plan(&rng), *after = random_plan(&rng);
    double   bytes[3][3] = {{0.0}}, slowest = 0.0;
    bool     moved[3][3] = {{false}};
    for (int l = 0; l < LAB_LAYERS; l++) {
      int from = owner(before, l), to = owner(after, l);
      bytes[from][to] += (double)t.model->layer[l].weight_bytes;
      moved[from][to] = true;
    }
    for (int from = 0; from < 3; from++) {
      for (int to = 0; to < 3; to++) {
        double bandwidth = t.estimate.bandwidth[from * 3 + to];
        double through   = bandwidth > 0.0 ? bytes[from][to] / bandwidth : 0.0;
        double seconds   = t.estimate.latency[from * 3 + to] + through;
        if (from != to && moved[from][to] && seconds > slowest) slowest = seconds;
      }
    }
    CU_ASSERT_DOUBLE_EQUAL(ee_move_seconds(&t.estimate, EE_WEIGHTS_PEER, before, after), slowest,
                           1e-9);
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
  close_case();
}

/* Bytes on device d while both plans are served: each layer once, slots of both, of 4 samples each:
 * 2 that come in, 2 that go out and the one being made. */
static double bytes_of_both(const ee_plan *a, const ee_plan *b, int d) {
  double bytes = 0.0;
  for (int l = 0; l < LAB_LAYERS; l++) {
    if (owner(a, l) == d || owner(b, l) == d) bytes += (double)t.model->layer[l].weight_bytes;
  }
  const ee_plan *plan[] = {a, b};
  for (int p = 0; p < 2; p++) {
    for (int s = 0; s < plan[p]->n_stages; s++) {
      const ee_stage *stage = &plan[p]->stage[s];
      if (stage->device != d) continue;
      bytes += 8.0 * (double)ee_model_cut_bytes(t.model, stage->begin) +
               12.0 * (double)ee_model_cut_bytes(t.model, stage->end);
    }
  }
  return bytes;
}

static void both_plans_must_fit_while_layers_move(void) {
  open_case(0, 0, 10);
  ee_rng rng  = ee_rng_at(6, 2);
  int    fits = 0;
  for (int k = 0; k < 300; k++) {
    ee_plan *before = random_plan(&rng), *after = random_plan(&rng);
    bool     expected = true;
    for (int d = 0; d < 3; d++) {
      double need          = bytes_of_both(before, after, d);
      t.estimate.memory[d] = need + (ee_rng_below(&rng, 4) == 0 ? -1.0 : 1.0);
      if (ee_rng_below(&rng, 5) == 0) t.estimate.memory[d] = 0.0;  // unlimited
      bool used = ee_plan_stage_of_device(after, d) >= 0;
      if (used && t.estimate.memory[d] > 0.0 && need > t.estimate.memory[d]) expected = false;
    }
    CU_ASSERT_EQUAL(ee_move_shortage(&t.estimate, before, after).device < 0, expected);
    fits += expected;
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
  CU_ASSERT_TRUE(fits > 50 && fits < 250);
  close_case();
}

static void a_move_that_does_not_fit_is_refused_for_that(void) {
  open_case(0, 0, 1000);
  double need          = bytes_of_both(one, two, 1);
  t.estimate.memory[1] = need - 1.0;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_KEPT_MEMORY);
  t.estimate.memory[1] = need;
  CU_ASSERT_EQUAL(decide(one, 1e6), EE_VERDICT_ADOPTED);
  close_case();
}

/* Seconds that the bottleneck of a plan spends on one sample that leaves at exit x: walk it. */
static double walk(const ee_plan *plan, const ee_forecast *f, int x) {
  double         seconds = 0.0;
  const double  *copied  = t.estimate.chain.copy_work;
  const ee_stage last    = plan->stage[f->stage < 0 ? 0 : f->stage];
  for (int l = 0; l <= t.model->exit[x].attach; l++) {
    if (f->link) {
      int cut  = f->stage < 0 ? 0 : last.end;
      int from = f->stage < 0 ? 0 : last.device, to = plan->stage[f->stage + 1].device;
      if (l == cut) {
        seconds += (double)ee_model_cut_bytes(t.model, cut) / t.estimate.bandwidth[from * 3 + to];
      }
      continue;
    }
    if (owner(plan, l) != last.device) continue;
    bool in = l == last.begin && l > 0, out = l + 1 == last.end && t.model->exit[x].attach > l;
    if (copied != NULL && in) seconds += copied[l] / t.estimate.speed[last.device];
    if (copied != NULL && out) seconds += copied[l + 1] / t.estimate.speed[last.device];
    seconds += t.model->layer[l].flops / t.estimate.speed[last.device];
    for (int e = 0; e < LAB_EXITS; e++) {
      if (t.model->exit[e].attach == l) {
        seconds += t.model->head_flops[e] / t.estimate.speed[last.device];
      }
    }
  }
  return seconds;
}

/* The mean difference over n samples, from the samples one by one, with one more at each exit. */
static void the_error_of_a_gain_is_that_of_a_mean_over_samples(void) {
  ee_rng    rng     = ee_rng_at(6, 3);
  const int left[3] = {37, 25, 18};
  int       links = 0, sources = 0;
  open_case(left[0], left[1], left[2]);
  for (int k = 0; k < 300; k++) {
    ee_plan    *a = random_plan(&rng), *b = random_plan(&rng);
    ee_forecast fa, fb;
    for (int i = 0; i < 9; i++) t.estimate.bandwidth[i] = 1e4 + 1e5 * ee_rng_uniform(&rng);
    for (int d = 0; d < 3; d++) t.estimate.speed[d] = 3e5 + 3e6 * ee_rng_uniform(&rng);
    for (int c = 1; c < LAB_LAYERS; c++) t.estimate.copy_work[c] = 2e3 * ee_rng_uniform(&rng);
    t.estimate.chain.copy_work = k % 2 == 0 ? t.estimate.copy_work : NULL;
    ee_partition_forecast(&t.estimate.chain, a, &fa);
    ee_partition_forecast(&t.estimate.chain, b, &fb);
    double mean = 0.0, variance = 0.0;
    for (int x = 0; x < 3; x++) {
      for (int i = 0; i < left[x] + 1; i++) mean += (walk(a, &fa, x) - walk(b, &fb, x)) / 83.0;
    }
    for (int x = 0; x < 3; x++) {
      for (int i = 0; i < left[x] + 1; i++) {
        variance += pow(walk(a, &fa, x) - walk(b, &fb, x) - mean, 2.0) / 83.0;
      }
    }
    double expected = sqrt(variance / 83.0) / fa.period;
    CU_ASSERT_DOUBLE_EQUAL(ee_gain_error(false, &t.estimate, a, &fa, b, &fb), expected, 1e-7);
    links += fa.link;
    sources += fa.link && fa.stage < 0;
    ee_plan_destroy(&a);
    ee_plan_destroy(&b);
  }
  CU_ASSERT_TRUE(links > 50 && links < 250 && sources > 5);
  close_case();
}

static void restless_speeds_widen_the_error_bar(void) {
  open_case(0, 0, 1000000000);  // every sample alike: counting adds nothing
  ee_forecast now, best;
  ee_partition_forecast(&t.estimate.chain, one, &now);
  ee_partition_forecast(&t.estimate.chain, two, &best);
  CU_ASSERT_DOUBLE_EQUAL(ee_gain_error(false, &t.estimate, one, &now, two, &best), 0.0, 1e-7);
  int bottleneck       = two->stage[best.stage].device;
  t.estimate.unrest[0] = t.estimate.unrest[1] = 0.04;  // steps of 20 %
  double e = ee_estimate_speed_error(&t.estimate, 0), ratio = best.period / now.period;
  double expected = bottleneck == 0 ? e * (1.0 - ratio) : e * sqrt(1.0 + ratio * ratio);
  CU_ASSERT_DOUBLE_EQUAL(ee_gain_error(false, &t.estimate, one, &now, two, &best), expected, 1e-7);
  close_case();
}

const ee_fact ee_facts[] = {
    EE_FACT(a_large_sure_gain_is_adopted),
    EE_FACT(the_same_or_a_worse_plan_is_not_better),
    EE_FACT(a_gain_below_the_threshold_is_small),
    EE_FACT(a_gain_within_its_error_bar_is_noise),
    EE_FACT(a_move_that_the_rest_does_not_repay_costs_too_much),
    EE_FACT(a_gain_must_hold),
    EE_FACT(moves_keep_their_distance),
    EE_FACT(rebalancing_can_be_off),
    EE_FACT(a_plan_with_a_device_that_is_away_is_left),
    EE_FACT(always_means_every_plan_that_differs),
    EE_FACT(of_plans_about_as_good_the_one_that_moves_least_is_taken),
    EE_FACT(a_planner_that_looks_for_something_else_has_its_way),
    EE_FACT(a_plan_watched_while_everybody_was_away_promised_nothing),
    EE_FACT(move_seconds_are_those_of_the_slowest_pair),
    EE_FACT(both_plans_must_fit_while_layers_move),
    EE_FACT(a_move_that_does_not_fit_is_refused_for_that),
    EE_FACT(the_error_of_a_gain_is_that_of_a_mean_over_samples),
    EE_FACT(restless_speeds_widen_the_error_bar),
    {NULL, NULL},
};
