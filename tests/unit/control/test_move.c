/* SPDX-License-Identifier: Apache-2.0 */
/* What a move takes: where each layer comes from, seconds, and steps where memory is short, against
 * sums layer by layer. */
#include "move.h"

#include <math.h>

#include "decide.h"
#include "ee/rng.h"
#include "ee_test.h"
#include "lab.h"

static lab t;

static int owner(const ee_plan *plan, int layer) {
  return plan->stage[ee_plan_stage_of_layer(plan, layer)].device;
}

static ee_plan *random_plan(ee_rng *rng) {
  int first = (int)ee_rng_below(rng, 3), step = 1 + (int)ee_rng_below(rng, 2);
  int a = 1 + (int)ee_rng_below(rng, 2), b = a + 1 + (int)ee_rng_below(rng, 2);
  if (ee_rng_below(rng, 4) == 0) return LAB_PLAN(1, 6, first);
  return LAB_PLAN(3, a, first, b, (first + step) % 3, 6, (first + 2 * step) % 3);
}

static void a_layer_comes_from_where_it_is_sooner(void) {
  ee_rng rng  = ee_rng_at(6, 7);
  int    file = 0, peer = 0;
  lab_open(&t, true);
  for (int k = 0; k < 300; k++) {
    int    from = (int)ee_rng_below(&rng, 3), to = (from + 1) % 3, l = (int)ee_rng_below(&rng, 6);
    double rate = 1e3 + 1e5 * ee_rng_uniform(&rng), width = 1e3 + 1e5 * ee_rng_uniform(&rng);
    double latency = 0.02 * ee_rng_uniform(&rng), bytes = (double)t.model->layer[l].weight_bytes;
    t.estimate.file_rate[to]            = rate;
    t.estimate.bandwidth[from * 3 + to] = width;
    t.estimate.latency[from * 3 + to]   = latency;
    bool sooner                         = bytes / rate < latency + bytes / width;
    CU_ASSERT_EQUAL(ee_layer_from_file(&t.estimate, EE_WEIGHTS_AUTO, l, from, to), sooner);
    CU_ASSERT_TRUE(ee_layer_from_file(&t.estimate, EE_WEIGHTS_FILE, l, from, to));
    CU_ASSERT_FALSE(ee_layer_from_file(&t.estimate, EE_WEIGHTS_PEER, l, from, to));
    file += sooner;
    peer += !sooner;
  }
  CU_ASSERT_TRUE(file > 50 && peer > 50);
  lab_close(&t);
}

static void where_the_file_s_rate_is_not_known_a_layer_comes_from_its_owner(void) {
  lab_open(&t, true);
  CU_ASSERT_FALSE(ee_layer_from_file(&t.estimate, EE_WEIGHTS_AUTO, 2, 0, 1));
  t.estimate.file_rate[1] = 1e12;
  CU_ASSERT_TRUE(ee_layer_from_file(&t.estimate, EE_WEIGHTS_AUTO, 2, 0, 1));
  t.estimate.bandwidth[0 * 3 + 1] = 0.0;  // unlimited
  CU_ASSERT_FALSE(ee_layer_from_file(&t.estimate, EE_WEIGHTS_AUTO, 2, 0, 1));
  lab_close(&t);
}

/* Pairs of devices send at the same time, each device reads its layers one after the other. */
static void seconds_are_those_of_the_slowest_pair_or_reader(void) {
  ee_rng rng = ee_rng_at(6, 8);
  lab_open(&t, true);
  for (int k = 0; k < 300; k++) {
    ee_plan *before = random_plan(&rng), *after = random_plan(&rng);
    double   sent[9] = {0.0}, read[3] = {0.0}, slowest = 0.0;
    bool     used[9] = {false};
    for (int d = 0; d < 3; d++) t.estimate.file_rate[d] = 1e3 + 1e5 * ee_rng_uniform(&rng);
    for (int i = 0; i < 9; i++) {
      t.estimate.bandwidth[i] = 1e3 + 1e5 * ee_rng_uniform(&rng);
      t.estimate.latency[i]   = 0.02 * ee_rng_uniform(&rng);
    }
    for (int l = 0; l < LAB_LAYERS; l++) {
      int    from = owner(before, l), to = owner(after, l), at = from * 3 + to;
      double bytes = (double)t.model->layer[l].weight_bytes;
      if (from == to) continue;
      if (bytes / t.estimate.file_rate[to] <
          t.estimate.latency[at] + bytes / t.estimate.bandwidth[at]) {
        read[to] += bytes / t.estimate.file_rate[to];
      } else {
        sent[at] += bytes / t.estimate.bandwidth[at];
        used[at] = true;
      }
    }
    for (int i = 0; i < 9; i++) {
      if (used[i]) slowest = fmax(slowest, t.estimate.latency[i] + sent[i]);
      slowest = fmax(slowest, read[i % 3]);
    }
    CU_ASSERT_DOUBLE_EQUAL(ee_move_seconds(&t.estimate, EE_WEIGHTS_AUTO, before, after), slowest,
                           1e-9);
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
  lab_close(&t);
}

/* Bytes on a device while both plans are served: each layer once, and of each plan 2 messages of 4
 * samples that come in, 2 that go out and one being made. */
static double bytes_of_both(const ee_plan *a, const ee_plan *b, int d) {
  const ee_plan *plan[] = {a, b};
  double         bytes  = 0.0;
  for (int l = 0; l < LAB_LAYERS; l++) {
    if (owner(a, l) == d || owner(b, l) == d) bytes += (double)t.model->layer[l].weight_bytes;
  }
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

/* Device 1 has layer 5 and gets layers 1 to 4: all packed weights once, and arenas of both plans.
 */
static void packed_weights_and_arenas_of_both_plans_must_fit(void) {
  double run[(LAB_LAYERS + 1) * (LAB_LAYERS + 1)], packed[LAB_LAYERS];
  lab_open(&t, true);
  ee_plan *before = LAB_PLAN(2, 5, 0, 6, 1), *after = LAB_PLAN(2, 1, 0, 6, 1);
  double   enough = bytes_of_both(before, after, 1);
  for (int i = 0; i <= LAB_LAYERS; i++) {
    for (int j = 0; j <= LAB_LAYERS; j++) run[i * (LAB_LAYERS + 1) + j] = 1000.0 * (j - i) + i;
  }
  for (int l = 0; l < LAB_LAYERS; l++) packed[l] = 10.0 + l;
  t.estimate.chain.run_bytes    = run;
  t.estimate.chain.packed_bytes = packed;
  enough += (1000.0 + 5) + (5000.0 + 1) + (11 + 12 + 13 + 14 + 15);
  t.estimate.memory[1] = enough;
  CU_ASSERT_EQUAL(ee_move_shortage(&t.estimate, before, after).device, -1);
  t.estimate.memory[1] = enough - 1.0;
  ee_shortage shortage = ee_move_shortage(&t.estimate, before, after);
  CU_ASSERT_EQUAL(shortage.device, 1);
  CU_ASSERT_EQUAL(shortage.needs, enough);
  ee_plan_destroy(&before);
  ee_plan_destroy(&after);
  lab_close(&t);
}

/* From 5 + 1 layers to 1 + 5: half the way is 3 + 3, a quarter 4 + 2. */
static void a_step_goes_as_far_as_memory_allows(void) {
  ee_plan *before, *after, *half, *quarter, *step = NULL;
  lab_open(&t, true);
  before        = LAB_PLAN(2, 5, 0, 6, 1);
  after         = LAB_PLAN(2, 1, 0, 6, 1);
  half          = LAB_PLAN(2, 3, 0, 6, 1);
  quarter       = LAB_PLAN(2, 4, 0, 6, 1);
  double enough = bytes_of_both(before, half, 1), less = bytes_of_both(before, quarter, 1);
  CU_ASSERT_TRUE(less < enough && enough < bytes_of_both(before, after, 1));
  t.estimate.memory[1] = enough;
  CU_ASSERT_EQUAL(ee_move_step(&t.estimate, before, after, &step), EE_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(step);
  CU_ASSERT_TRUE(ee_plan_equal(step, half));
  ee_plan_destroy(&step);
  t.estimate.memory[1] = enough - 1.0;
  CU_ASSERT_EQUAL(ee_move_step(&t.estimate, before, after, &step), EE_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(step);
  CU_ASSERT_TRUE(ee_plan_equal(step, quarter));
  ee_plan_destroy(&step);
  t.estimate.memory[1] = less - 1.0;
  CU_ASSERT_EQUAL(ee_move_step(&t.estimate, before, after, &step), EE_OK);
  CU_ASSERT_PTR_NULL(step);
  ee_plan_destroy(&before);
  ee_plan_destroy(&after);
  ee_plan_destroy(&half);
  ee_plan_destroy(&quarter);
  lab_close(&t);
}

/* Three stages on devices in index order, in one of three plans in another one. */
static ee_plan *sliding_plan(ee_rng *rng) {
  int first = 1 + (int)ee_rng_below(rng, 4);
  int next  = first + 1 + (int)ee_rng_below(rng, (uint64_t)(5 - first));
  if (ee_rng_below(rng, 3) == 0) return random_plan(rng);
  return LAB_PLAN(3, first, 0, next, 1, 6, 2);
}

/* Whatever the plans, a step is a plan that fits, whose stages end between those of the two. */
static void a_step_lies_between_two_plans_of_the_same_devices(void) {
  ee_rng rng   = ee_rng_at(6, 9);
  int    steps = 0;
  lab_open(&t, true);
  for (int k = 0; k < 500; k++) {
    ee_plan *a = sliding_plan(&rng), *b = sliding_plan(&rng), *step = NULL;
    for (int d = 0; d < 3; d++) {
      t.estimate.memory[d] = bytes_of_both(a, b, d) * (0.8 + 0.4 * ee_rng_uniform(&rng));
    }
    CU_ASSERT_EQUAL(ee_move_step(&t.estimate, a, b, &step), EE_OK);
    for (int s = 0; step != NULL && s < step->n_stages; s++) {
      int d = a->stage[s].device, from = a->stage[s].end, to = b->stage[s].end;
      CU_ASSERT_TRUE(step->stage[s].device == d && b->stage[s].device == d);
      CU_ASSERT_TRUE(step->stage[s].end >= (from < to ? from : to));
      CU_ASSERT_TRUE(step->stage[s].end <= (from < to ? to : from));
      CU_ASSERT_TRUE(bytes_of_both(a, step, d) <= t.estimate.memory[d]);
    }
    if (step != NULL) CU_ASSERT_EQUAL(ee_plan_check(step), EE_OK);
    if (step != NULL) CU_ASSERT_FALSE(ee_plan_equal(step, a));
    steps += step != NULL;
    ee_plan_destroy(&a);
    ee_plan_destroy(&b);
    ee_plan_destroy(&step);
  }
  CU_ASSERT_TRUE(steps > 10);
  lab_close(&t);
}

/* One epoch of the rule; what is adopted serves at once. */
static ee_decision_record decide(ee_decider *decider, ee_plan **plan) {
  ee_controller_options options = ee_controller_defaults();
  ee_decision_record    record;
  options.hold     = 1;
  options.near     = 0.0;
  options.min_gain = 0.01;
  CU_ASSERT_EQUAL(ee_decide(decider, &options, &t.estimate, *plan, 1e9, &record), EE_OK);
  if (record.verdict == EE_VERDICT_ADOPTED) {
    ee_plan_destroy(plan);
    *plan       = record.best;
    record.best = NULL;
  }
  ee_plan_destroy(&record.best);
  return record;
}

/* Device 1 has the layers 1 and 2 and is to have 3 and 4, but cannot hold all four. */
static void a_move_goes_in_steps_where_memory_is_short(void) {
  const double speed[] = {3e6, 2e6, 0.5e6};
  ee_decider   decider = {0};
  lab_open(&t, true);
  for (int i = 0; i < 9; i++) t.estimate.bandwidth[i] = t.estimate.expected[i] = 1e9;
  for (int d = 0; d < 3; d++) t.estimate.speed[d] = t.estimate.own_speed[d] = speed[d];
  lab_left(&t, 0, 0, 1000000);
  ee_plan *plan = LAB_PLAN(3, 1, 0, 3, 1, 6, 2), *best = NULL;
  ee_estimate_update(&t.estimate, &t.sums, plan);
  CU_ASSERT_EQUAL(ee_partition_exact(&t.estimate.chain, &best), EE_OK);
  ee_plan *wanted = LAB_PLAN(3, 3, 0, 5, 1, 6, 2);
  CU_ASSERT_TRUE(ee_plan_equal(best, wanted));
  t.estimate.memory[1] = bytes_of_both(plan, best, 1) - 1.0;
  int steps            = 0;
  while (!ee_plan_equal(plan, best) && steps < 5) {
    CU_ASSERT_EQUAL(decide(&decider, &plan).verdict, EE_VERDICT_ADOPTED);
    steps++;
  }
  CU_ASSERT_EQUAL(steps, 2);
  ee_plan_destroy(&plan);
  ee_plan_destroy(&best);
  ee_plan_destroy(&wanted);
  lab_close(&t);
}

static void a_move_without_a_step_is_refused_with_the_numbers(void) {
  ee_decider decider = {0};
  lab_open(&t, true);
  for (int i = 0; i < 9; i++) t.estimate.bandwidth[i] = t.estimate.expected[i] = 1e9;
  lab_left(&t, 0, 0, 1000000);
  ee_plan *plan = LAB_PLAN(2, 5, 0, 6, 1), *best = NULL;
  ee_estimate_update(&t.estimate, &t.sums, plan);
  t.estimate.speed[2] = 0.0;
  CU_ASSERT_EQUAL(ee_partition_exact(&t.estimate.chain, &best), EE_OK);
  ee_plan *next        = LAB_PLAN(2, 4, 0, 6, 1);
  double   memory      = bytes_of_both(plan, next, 1) - 1.0;
  t.estimate.memory[1] = memory;
  CU_ASSERT_EQUAL(ee_partition_fits(&t.estimate.chain, best), EE_OK);
  ee_decision_record record = decide(&decider, &plan);
  CU_ASSERT_EQUAL(record.verdict, EE_VERDICT_KEPT_MEMORY);
  CU_ASSERT_EQUAL(record.shortage.device, 1);
  CU_ASSERT_DOUBLE_EQUAL(record.shortage.needs, bytes_of_both(plan, best, 1), 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(record.shortage.memory, memory, 1e-9);
  ee_plan_destroy(&plan);
  ee_plan_destroy(&best);
  ee_plan_destroy(&next);
  lab_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_layer_comes_from_where_it_is_sooner),
    EE_FACT(where_the_file_s_rate_is_not_known_a_layer_comes_from_its_owner),
    EE_FACT(seconds_are_those_of_the_slowest_pair_or_reader),
    EE_FACT(packed_weights_and_arenas_of_both_plans_must_fit),
    EE_FACT(a_step_goes_as_far_as_memory_allows),
    EE_FACT(a_step_lies_between_two_plans_of_the_same_devices),
    EE_FACT(a_move_goes_in_steps_where_memory_is_short),
    EE_FACT(a_move_without_a_step_is_refused_with_the_numbers),
    {NULL, NULL},
};
