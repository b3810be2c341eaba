/* SPDX-License-Identifier: Apache-2.0 */
/* Stages on runs of unequal devices, against every way to cut, to share and to leave devices idle.
 */
#include "runs.h"

#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "random_chain.h"

#define CHAINS 3000
#define TURNS (1 + 1.0 / 64)  // what whole turns may cost four devices

/** Stages so far: runs of present devices, each [first, last]. */
typedef struct way {
  double period;
  int    devices, stages, begin;  // layers [0, begin) are held
  int    first, last;             // of the last run; -1: none
} way;

static double speed_of_run(const ee_chain *c, int first, int last) {
  double sum = 0.0;
  for (int d = first; d <= last; d++) sum += c->speed[d];
  return sum;
}

/* The longest link into run [first, last], each with its share of the samples. */
static double into(const ee_chain *c, const way *from, int first, int last) {
  double most = 0.0, here = speed_of_run(c, first, last);
  int    a = from->last >= 0 ? from->first : c->source, b = from->last >= 0 ? from->last : a;
  double there = from->last >= 0 ? speed_of_run(c, a, b) : 1.0;
  for (int q = a; q <= b && q >= 0; q++) {
    for (int p = first; p <= last; p++) {
      double share = from->last >= 0 ? c->speed[q] / there : 1.0;
      if (p != q) {
        most = fmax(most, share * c->speed[p] / here * link_by_formula(c, q, p, from->begin));
      }
    }
  }
  return most;
}

static bool all_fit(const ee_chain *c, int first, int last, int i, int j) {
  bool all = true;
  for (int d = first; d <= last; d++) {
    all = all && (c->speed[d] <= 0.0 || fits_by_formula(c, d, i, j));
  }
  return all;
}

static int present_in(const ee_chain *c, int first, int last) {
  int n = 0;
  for (int d = first; d <= last; d++) n += c->speed[d] > 0.0;
  return n;
}

/* Layers [i, j) spread over the run: as on its first device, times that one's share. */
static double shared_load(const ee_chain *c, int first, int last, int i, int j) {
  return stage_by_formula(c, first, i, j) * c->speed[first] / speed_of_run(c, first, last);
}

static bool comes_first(const way *a, const way *b) {
  if (!isfinite(b->period)) return true;
  if (fabs(a->period - b->period) > 1e-11 * b->period) return a->period < b->period;
  return a->devices != b->devices ? a->devices < b->devices : a->stages < b->stages;
}

static void try_every_way(const ee_chain *c, const way *so_far, way *best) {
  if (so_far->begin == c->n_layers) {
    if (comes_first(so_far, best)) *best = *so_far;
    return;
  }
  for (int first = so_far->last + 1; first < c->n_devices; first++) {
    for (int last = first; last < c->n_devices; last++) {
      if (c->speed[first] <= 0.0 || c->speed[last] <= 0.0) continue;
      double link = into(c, so_far, first, last);
      for (int end = so_far->begin + 1; end <= c->n_layers; end++) {
        if (!all_fit(c, first, last, so_far->begin, end)) continue;
        double most = fmax(link, shared_load(c, first, last, so_far->begin, end));
        way    next = {fmax(so_far->period, most),
                       so_far->devices + present_in(c, first, last),
                       so_far->stages + 1,
                       end,
                       first,
                       last};
        try_every_way(c, &next, best);
      }
    }
  }
}

/* What the plan takes with shares in exact proportion; checks its devices. */
static way follow(const ee_chain *c, const ee_plan *plan) {
  way w = {.first = -1, .last = -1};
  CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
  for (int s = 0; s < plan->n_stages; s++) {
    int n = ee_plan_width(plan, s), begin = plan->stage[s].begin, end = plan->stage[s].end;
    int first = plan->stage[s].device, last = ee_plan_device(plan, s, n - 1);
    CU_ASSERT_TRUE(first > w.last);
    CU_ASSERT_EQUAL(n, present_in(c, first, last));
    for (int k = 1; k < n; k++) {
      CU_ASSERT_TRUE(ee_plan_device(plan, s, k) > ee_plan_device(plan, s, k - 1));
    }
    CU_ASSERT_TRUE(all_fit(c, first, last, begin, end));
    double most = fmax(into(c, &w, first, last), shared_load(c, first, last, begin, end));
    w           = (way){fmax(w.period, most), w.devices + n, w.stages + 1, end, first, last};
  }
  return w;
}

static void no_way_has_a_shorter_period_or_fewer_devices(void) {
  int shared = 0, refused = 0, links = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    way          best = {.period = INFINITY}, none = {.first = -1, .last = -1};
    ee_forecast  f;
    random_chain_draw(k, k % 2 == 0, &r);
    try_every_way(&r.chain, &none, &best);
    ee_status status = ee_runs_find(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, isfinite(best.period) ? EE_OK : EE_ERR_ARG);
    refused += status != EE_OK;
    if (status != EE_OK) continue;
    way found = follow(&r.chain, plan);
    CU_ASSERT_TRUE(fabs(found.period - best.period) <= 1e-10 * best.period);
    CU_ASSERT_EQUAL(found.devices, best.devices);
    CU_ASSERT_EQUAL(found.stages, best.stages);
    CU_ASSERT_EQUAL(ee_partition_forecast(&r.chain, plan, &f), EE_OK);
    CU_ASSERT_TRUE(f.period <= best.period * TURNS && f.period >= best.period / TURNS);
    shared += plan->n_replicas > 0;
    links += f.link && plan->n_replicas > 0;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(shared > CHAINS / 5 && refused > 0 && links > CHAINS / 100);
}

static void the_planner_is_never_slower_than_exact(void) {
  int shorter = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL, *exact = NULL;
    ee_forecast  f, e;
    random_chain_draw(k, false, &r);
    ee_status status = ee_partition_exact(&r.chain, &exact);
    CU_ASSERT_EQUAL_FATAL(ee_planner_by_name("replicate")->find(&r.chain, &plan), status);
    if (status != EE_OK) continue;
    CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), EE_OK);
    CU_ASSERT_EQUAL(ee_partition_forecast(&r.chain, plan, &f), EE_OK);
    CU_ASSERT_EQUAL(ee_partition_forecast(&r.chain, exact, &e), EE_OK);
    CU_ASSERT_TRUE(f.period <= e.period * (1 + 1e-12));
    CU_ASSERT_TRUE(f.lower_bound <= f.period * (1 + 1e-12));
    shorter += f.period < 0.9 * e.period;
    ee_plan_destroy(&plan);
    ee_plan_destroy(&exact);
  }
  CU_ASSERT_TRUE(shorter > CHAINS / 5);
}

/* At most two layers that all samples reach; messages are empty. */
static ee_chain free_chain(int n_layers, int n_devices, const double *work, const double *speed) {
  static const double reach[] = {1, 1}, cut[] = {0, 0, 0};
  return (ee_chain){.n_layers        = n_layers,
                    .n_devices       = n_devices,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .message_samples = 1,
                    .source          = -1};
}

/* One layer on n devices: all that there is to do is to share it. */
static ee_plan *share_one_layer(int n, const double *speed, ee_forecast *f) {
  double   work[] = {100};
  ee_plan *plan   = NULL;
  ee_chain chain  = free_chain(1, n, work, speed);
  CU_ASSERT_EQUAL_FATAL(ee_planner_by_name("replicate")->find(&chain, &plan), EE_OK);
  CU_ASSERT_EQUAL(ee_partition_forecast(&chain, plan, f), EE_OK);
  return plan;
}

static void turns_are_the_smallest_numbers_in_proportion_to_speed(void) {
  const double speed[] = {2, 6, 4, 1.0, 6};
  const int    turns[] = {2, 6, 4, 1, 6};
  ee_forecast  f;
  char         text[64];
  ee_plan     *plan = share_one_layer(5, speed, &f);
  for (int d = 0; d < 5; d++) CU_ASSERT_EQUAL(ee_plan_turns(plan, d), turns[d]);
  CU_ASSERT_DOUBLE_EQUAL(f.period, 100.0 / 19, 1e-12);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text), "0-0 @0*2,1*6,2*4,3,4*6");
  ee_plan_destroy(&plan);
}

static void turns_cost_little_whatever_the_speeds(void) {
  double worst = 1.0;
  for (uint64_t k = 0; k < 500; k++) {
    ee_rng      rng = ee_rng_at(31, k);
    double      speed[12], sum = 0.0;
    ee_forecast f;
    int         n = 2 + below(&rng, 11);
    for (int d = 0; d < n; d++) sum += speed[d] = 1 + 9 * ee_rng_uniform(&rng);
    ee_plan *plan = share_one_layer(n, speed, &f);
    CU_ASSERT_EQUAL(ee_plan_devices_used(plan), n);
    CU_ASSERT_TRUE(f.period >= 100.0 / sum * (1 - 1e-12));
    worst = fmax(worst, f.period / (100.0 / sum));
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(worst <= 1 + 1.0 / 256 + 1e-9 && worst > 1.001);
}

static void a_device_that_is_far_too_slow_shares_no_stage(void) {
  const double speed[] = {8, 0.1, 4};
  ee_forecast  f;
  ee_plan     *plan = share_one_layer(3, speed, &f);
  CU_ASSERT_EQUAL(ee_plan_stage_of_device(plan, 1), -1);
  CU_ASSERT_EQUAL(ee_plan_devices_used(plan), 2);
  CU_ASSERT_DOUBLE_EQUAL(f.period, 100.0 / 12, 1e-12);
  ee_plan_destroy(&plan);
}

static void too_many_unequal_devices_are_refused_with_the_numbers(void) {
  enum { MANY = 400 };
  double   work[] = {1, 1}, speed[MANY];
  ee_plan *plan   = NULL;
  ee_chain chain  = free_chain(2, MANY, work, speed);
  for (int d = 0; d < MANY; d++) speed[d] = 1.0 + 0.001 * d;
  CU_ASSERT_EQUAL(ee_planner_by_name("replicate")->find(&chain, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "400 unequal devices for 2 layers"));
  for (int d = 0; d < MANY; d++) speed[d] = 1.0;
  CU_ASSERT_EQUAL(ee_planner_by_name("replicate")->find(&chain, &plan), EE_OK);
  ee_plan_destroy(&plan);
}

const ee_fact ee_facts[] = {
    EE_FACT(no_way_has_a_shorter_period_or_fewer_devices),
    EE_FACT(the_planner_is_never_slower_than_exact),
    EE_FACT(turns_are_the_smallest_numbers_in_proportion_to_speed),
    EE_FACT(turns_cost_little_whatever_the_speeds),
    EE_FACT(a_device_that_is_far_too_slow_shares_no_stage),
    EE_FACT(too_many_unequal_devices_are_refused_with_the_numbers),
    {NULL, NULL},
};
