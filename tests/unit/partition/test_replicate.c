/* SPDX-License-Identifier: Apache-2.0 */
/* Stages of several equal devices, against every way to cut and to share. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "random_chain.h"

#define CHAINS 3000

/** Stages so far and what they cost. */
typedef struct way {
  double period;
  int    devices, stages, begin;
} way;

/* A chain whose devices are alike.  Some are away; the source may be one of them or not be. */
static void draw(uint64_t k, random_chain *r) {
  random_chain_draw(k, k % 2 == 0, r);
  int n = r->chain.n_devices;
  for (int d = 0; d < n; d++) {
    if (r->speed[d] > 0.0) r->speed[d] = 2.0;
    r->memory[d] = r->memory[0];
  }
  for (int p = 0; p < n * n; p++) {
    r->bandwidth[p] = r->bandwidth[0];
    r->latency[p]   = r->latency[0];
  }
}

static int present(const ee_chain *c, int *first) {
  int n = 0;
  for (int d = c->n_devices - 1; d >= 0; d--) {
    if (c->speed[d] > 0.0) n++, *first = d;
  }
  return n;
}

/* Seconds on the way into a stage. */
static double into(const ee_chain *c, int i, int replicas) {
  double sent = link_by_formula(c, 0, 0, i);  // all links are alike, also from a device to itself
  if (i > 0) return sent;
  if (c->source < 0) return 0.0;
  return c->speed[c->source] > 0.0 ? sent * (replicas - 1) / replicas : sent;
}

static bool comes_first(const way *a, const way *b) {
  if (!isfinite(b->period)) return true;
  if (fabs(a->period - b->period) > 1e-12 * b->period) return a->period < b->period;
  return a->devices != b->devices ? a->devices < b->devices : a->stages < b->stages;
}

static void try_every_way(const ee_chain *c, int device, int left, const way *so_far, way *best) {
  if (so_far->begin == c->n_layers) {
    if (comes_first(so_far, best)) *best = *so_far;
    return;
  }
  for (int end = so_far->begin + 1; end <= c->n_layers; end++) {
    if (!fits_by_formula(c, device, so_far->begin, end)) continue;
    for (int n = 1; n <= left; n++) {
      double load = stage_by_formula(c, device, so_far->begin, end) / n;
      double most = fmax(load, into(c, so_far->begin, n));
      way    next = {fmax(so_far->period, most), so_far->devices + n, so_far->stages + 1, end};
      try_every_way(c, device, left - n, &next, best);
    }
  }
}

static double period_of(const ee_chain *c, int device, const ee_replicated *plan) {
  double most = 0.0;
  for (int s = 0; s < plan->n_stages; s++) {
    const ee_replicas *stage = &plan->stage[s];
    most = fmax(most, stage_by_formula(c, device, stage->begin, stage->end) / stage->n);
    most = fmax(most, into(c, stage->begin, stage->n));
  }
  return most;
}

static void check_shape(const ee_chain *c, int device, const ee_replicated *plan) {
  int at = 0, devices = 0;
  for (int s = 0; s < plan->n_stages; s++) {
    CU_ASSERT_EQUAL(plan->stage[s].begin, at);
    CU_ASSERT_TRUE(plan->stage[s].end > at && plan->stage[s].n >= 1);
    CU_ASSERT_TRUE(fits_by_formula(c, device, at, plan->stage[s].end));
    at = plan->stage[s].end;
    devices += plan->stage[s].n;
  }
  CU_ASSERT_EQUAL(at, c->n_layers);
  CU_ASSERT_EQUAL(devices, plan->n_devices);
}

static void no_way_to_cut_and_to_share_has_a_shorter_period_or_as_few_devices(void) {
  int shared = 0, refused = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain   r;
    ee_replicated *plan = NULL;
    draw(k, &r);
    int device = 0, n = present(&r.chain, &device);
    way best = {.period = INFINITY}, none = {0};
    try_every_way(&r.chain, device, n, &none, &best);
    ee_status status = ee_partition_replicate(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, isfinite(best.period) ? EE_OK : EE_ERR_ARG);
    refused += status != EE_OK;
    if (status != EE_OK) continue;
    check_shape(&r.chain, device, plan);
    CU_ASSERT_TRUE(fabs(plan->period - best.period) <= 1e-11 * best.period);
    CU_ASSERT_TRUE(fabs(plan->period - period_of(&r.chain, device, plan)) <= 1e-11 * plan->period);
    CU_ASSERT_TRUE(plan->lower_bound <= plan->period * (1 + 1e-12));
    CU_ASSERT_EQUAL(plan->n_devices, best.devices);
    CU_ASSERT_EQUAL(plan->n_stages, best.stages);
    shared += plan->n_devices > plan->n_stages;
    ee_replicated_destroy(&plan);
  }
  CU_ASSERT_TRUE(shared > CHAINS / 10 && refused > 0);
}

/* The source, if it is one of the devices, comes first; then the others as they are numbered. */
static void check_devices(const ee_chain *c, const ee_plan *plan) {
  int before = -1;
  for (int s = 0; s < plan->n_stages; s++) {
    for (int k = 0; k < ee_plan_width(plan, s); k++) {
      int  d     = ee_plan_device(plan, s, k);
      bool first = s == 0 && k == 0 && c->source >= 0 && c->speed[c->source] > 0.0;
      CU_ASSERT_TRUE(c->speed[d] > 0.0);
      CU_ASSERT_TRUE(first ? d == c->source : d > before);
      if (!first) before = d;
    }
  }
}

static bool has_stages(const ee_plan *plan, const ee_replicated *found) {
  bool same = plan->n_stages == found->n_stages;
  for (int s = 0; s < plan->n_stages && same; s++) {
    same = plan->stage[s].begin == found->stage[s].begin &&
           ee_plan_width(plan, s) == found->stage[s].n;
  }
  return same;
}

static void check_not_beaten_by_exact(const ee_chain *c, const ee_plan *plan) {
  ee_plan    *exact = NULL;
  ee_forecast f, e;
  CU_ASSERT_TRUE(c->memory != NULL);
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(c, &exact), EE_OK);
  CU_ASSERT_EQUAL(ee_partition_forecast(c, plan, &f), EE_OK);
  CU_ASSERT_EQUAL(ee_partition_forecast(c, exact, &e), EE_OK);
  CU_ASSERT_TRUE(f.period <= e.period);
  ee_plan_destroy(&exact);
}

static void the_plan_has_these_stages_and_promises_the_period_or_less(void) {
  int equal = 0, less = 0, memory = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain   r;
    ee_replicated *found = NULL;
    ee_plan       *plan  = NULL;
    ee_forecast    f;
    draw(k, &r);
    if (ee_partition_replicate(&r.chain, &found) != EE_OK) continue;
    ee_status status = ee_planner_by_name("replicate")->find(&r.chain, &plan);
    CU_ASSERT_TRUE(status == EE_OK || (status == EE_ERR_ARG && r.chain.memory != NULL));
    bool same_stages = status == EE_OK && has_stages(plan, found);
    memory += !same_stages;  // for links to several devices, which the stages alone do not tell
    if (status == EE_OK) CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), EE_OK);
    if (status == EE_OK && !same_stages) check_not_beaten_by_exact(&r.chain, plan);
    if (same_stages) {
      check_devices(&r.chain, plan);
      CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &f), EE_OK);
      bool same = fabs(f.period - found->period) <= 1e-11 * found->period;
      CU_ASSERT_TRUE(same || f.period < found->period);
      if (!same) CU_ASSERT_TRUE(plan->n_replicas > 0 && r.chain.bandwidth != NULL);
      equal += same && plan->n_replicas > 0;
      less += !same;
    }
    ee_plan_destroy(&plan);
    ee_replicated_destroy(&found);
  }
  CU_ASSERT_TRUE(equal > CHAINS / 10 && less > CHAINS / 100);
  CU_ASSERT_TRUE(memory > 0 && memory < CHAINS / 20);
}

/* One heavy layer: without replicas no plan is shorter than it, however many devices there are. */
static void a_layer_heavier_than_all_others_is_shared(void) {
  double         work[3] = {1, 8, 1}, reach[3] = {1, 1, 1}, cut[4] = {0};
  double         speed[6] = {1, 1, 1, 1, 1, 1};
  ee_replicated *plan     = NULL;
  ee_chain       chain    = {.n_layers        = 3,
                             .n_devices       = 6,
                             .work            = work,
                             .reach           = reach,
                             .cut_bytes       = cut,
                             .speed           = speed,
                             .message_samples = 1,
                             .source          = -1};
  CU_ASSERT_EQUAL_FATAL(ee_partition_replicate(&chain, &plan), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(plan->period, 10.0 / 6, 1e-12);  // all layers on each of the six
  CU_ASSERT_EQUAL(plan->n_stages, 1);
  ee_replicated_destroy(&plan);

  double weight[3] = {4, 4, 4}, memory[6] = {4, 4, 4, 4, 4, 4};
  chain.weight_bytes = weight;
  chain.memory       = memory;
  CU_ASSERT_EQUAL_FATAL(ee_partition_replicate(&chain, &plan), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(plan->period, 2.0, 1e-12);  // one layer each, the middle one on four
  CU_ASSERT_EQUAL(plan->n_stages, 3);
  CU_ASSERT_EQUAL(plan->stage[1].n, 4);
  ee_replicated_destroy(&plan);
  CU_ASSERT_PTR_NULL(plan);
}

static void unequal_devices_are_refused_by_name(void) {
  random_chain   r;
  ee_replicated *plan = NULL;
  draw(7, &r);
  r.chain.n_devices = 3;
  for (int d = 0; d < 3; d++) r.speed[d] = 1.0 + (d == 2);
  r.chain.source = -1;
  CU_ASSERT_EQUAL(ee_partition_replicate(&r.chain, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "devices 0 and 2 differ"));
  CU_ASSERT_PTR_NULL(plan);
  r.work[0] = -1;
  CU_ASSERT_EQUAL(ee_partition_replicate(&r.chain, &plan), EE_ERR_ARG);
}

const ee_fact ee_facts[] = {
    EE_FACT(no_way_to_cut_and_to_share_has_a_shorter_period_or_as_few_devices),
    EE_FACT(the_plan_has_these_stages_and_promises_the_period_or_less),
    EE_FACT(a_layer_heavier_than_all_others_is_shared),
    EE_FACT(unequal_devices_are_refused_by_name),
    {NULL, NULL},
};
