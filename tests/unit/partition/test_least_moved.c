/* SPDX-License-Identifier: Apache-2.0 */
/* The plan that moves least within a period, against every plan there is. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "every_plan.h"

#define CHAINS 4000

/* Of all plans with allowed cuts and a period within the limit, the one that moves least. */
typedef struct calmest {
  const ee_chain *chain;
  int             owner[MOST_LAYERS];  // of each layer now
  double          limit;
  bool            found;
  double          bytes, period;
} calmest;

static void keep_calmest(void *context, const seen_plan *plan) {
  calmest *c     = context;
  double   bytes = 0.0;
  for (int s = 0; s < plan->n_stages; s++) {
    const ee_stage *stage = &plan->stage[s];
    const bool     *may   = c->chain->cut_allowed;
    if (s > 0 && may != NULL && !may[stage->begin]) return;
    for (int l = stage->begin; l < stage->end; l++) {
      if (c->owner[l] != stage->device) bytes += c->chain->weight_bytes[l];
    }
  }
  if (plan->period > c->limit) return;
  bool better = !c->found || bytes < c->bytes || (bytes <= c->bytes && plan->period < c->period);
  if (!better) return;
  c->found  = true;
  c->bytes  = bytes;
  c->period = plan->period;
}

/* Any plan for the chain, in any order. */
static ee_plan *any_plan(const ee_chain *chain, ee_rng *rng) {
  ee_plan *plan = NULL;
  int      most = chain->n_layers < chain->n_devices ? chain->n_layers : chain->n_devices;
  int      n    = 1 + below(rng, most), device[MOST_DEVICES];
  for (int d = 0; d < chain->n_devices; d++) {
    int at     = below(rng, d + 1);
    device[d]  = device[at];
    device[at] = d;
  }
  if (ee_plan_create(chain->n_layers, chain->n_devices, n, &plan) != EE_OK) return NULL;
  for (int s = 0, begin = 0; s < n; begin = plan->stage[s++].end) {
    int rest = n - s - 1;
    int end  = chain->n_layers;
    if (rest > 0) end = begin + 1 + below(rng, chain->n_layers - begin - rest);
    plan->stage[s] = (ee_stage){begin, end, device[s]};
  }
  return plan;
}

/* A drawn chain, always with weights; a plan to start from; a limit. */
typedef struct problem {
  random_chain drawn;
  bool         allowed[MOST_LAYERS + 1];
  ee_plan     *now;
  calmest      wanted;
} problem;

static void problem_open(problem *p, uint64_t k, bool whole, bool blocks) {
  ee_rng    rng   = ee_rng_at(21, k);
  ee_chain *chain = &p->drawn.chain;
  random_chain_draw(k, whole, &p->drawn);
  if (chain->weight_bytes == NULL) {
    for (int l = 0; l < chain->n_layers; l++) p->drawn.weight_bytes[l] = below(&rng, 20);
    chain->weight_bytes = p->drawn.weight_bytes;
  }
  for (int l = 0; l < chain->n_layers; l++) {  // sums are to be exact: bytes are whole
    p->drawn.weight_bytes[l] = floor(p->drawn.weight_bytes[l]);
  }
  for (int c = 0; c <= chain->n_layers; c++) p->allowed[c] = below(&rng, 2) == 0;
  if (blocks) chain->cut_allowed = p->allowed;
  p->now    = any_plan(chain, &rng);
  p->wanted = (calmest){.chain = chain, .limit = INFINITY};
  for (int l = 0; l < chain->n_layers; l++) {
    p->wanted.owner[l] = p->now->stage[ee_plan_stage_of_layer(p->now, l)].device;
  }
}

/* Limits from far below the period of the plan that moves least of all to just that. */
static void solve(problem *p, double share) {
  p->wanted.found = false;
  every_plan(&p->drawn.chain, (plan_visitor){keep_calmest, &p->wanted, false});
  if (share >= 1.0 || !p->wanted.found) return;
  p->wanted.limit = p->wanted.period * share;
  p->wanted.found = false;
  every_plan(&p->drawn.chain, (plan_visitor){keep_calmest, &p->wanted, false});
}

static void check(const problem *p, ee_status status, const ee_plan *plan, bool whole) {
  const ee_chain *chain = &p->drawn.chain;
  ee_forecast     f;
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(chain, plan, &f), EE_OK);
  CU_ASSERT_EQUAL(status, EE_OK);
  CU_ASSERT_EQUAL(ee_partition_fits(chain, plan), EE_OK);
  CU_ASSERT_TRUE(f.period <= p->wanted.limit);
  CU_ASSERT_EQUAL(ee_partition_moved_bytes(chain, p->now, plan), p->wanted.bytes);
  if (whole) CU_ASSERT_EQUAL(f.period, p->wanted.period);
  CU_ASSERT_DOUBLE_EQUAL(f.period, p->wanted.period, 1e-12 * f.period);
  for (int s = 1; s < plan->n_stages; s++) {
    CU_ASSERT_TRUE(plan->stage[s].device > plan->stage[s - 1].device);
    CU_ASSERT_TRUE(chain->cut_allowed == NULL || chain->cut_allowed[plan->stage[s].begin]);
  }
}

/* Chains of each kind; returns how many plans had to move something. */
static int compare(bool whole, bool blocks, int *refused) {
  int moving = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    problem  p;
    ee_plan *plan = NULL;
    problem_open(&p, k, whole, blocks);
    solve(&p, whole ? (double)(k % 8 + 1) / 8 : 1.0 - 0.1 * (double)(k % 8));
    ee_status status = ee_partition_least_moved(&p.drawn.chain, p.now, p.wanted.limit, &plan);
    if (p.wanted.found) {
      CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
      check(&p, status, plan, whole);
      moving += p.wanted.bytes > 0.0;
    } else {
      CU_ASSERT_EQUAL(status, EE_ERR_ARG);
      CU_ASSERT_PTR_NULL(plan);
      *refused += 1;
    }
    ee_plan_destroy(&plan);
    ee_plan_destroy(&p.now);
  }
  return moving;
}

static void no_plan_within_the_period_moves_less_and_none_as_calm_is_faster(void) {
  int refused = 0, moving = compare(true, false, &refused);
  CU_ASSERT_TRUE(moving > CHAINS / 10 && refused > CHAINS / 10);
}

static void nor_if_loads_are_uneven(void) {
  int refused = 0, moving = compare(false, false, &refused);
  CU_ASSERT_TRUE(moving > CHAINS / 10 && refused > CHAINS / 10);
}

static void nor_among_those_that_cut_where_it_is_allowed(void) {
  int refused = 0, moving = compare(true, true, &refused);
  CU_ASSERT_TRUE(moving > CHAINS / 10 && refused > CHAINS / 10);
}

/* From a plan of the planner, within its own period: nothing has to move. */
static void the_best_plan_stays_where_it_is(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *best = NULL, *plan = NULL;
    ee_forecast  f;
    random_chain_draw(k, false, &r);
    for (int l = 0; l < r.chain.n_layers; l++) r.weight_bytes[l] = 1 + (double)((k + 7) % 5);
    r.chain.weight_bytes = r.weight_bytes;
    if (ee_partition_exact(&r.chain, &best) != EE_OK) continue;
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, best, &f), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_least_moved(&r.chain, best, f.period, &plan), EE_OK);
    CU_ASSERT_TRUE(ee_plan_equal(best, plan));
    ee_plan_destroy(&best);
    ee_plan_destroy(&plan);
  }
}

static void without_weights_it_is_the_shortest_period(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_rng       rng  = ee_rng_at(22, k);
    ee_plan     *plan = NULL;
    ee_forecast  f;
    random_chain_draw(k, true, &r);
    if (r.chain.weight_bytes != NULL) continue;
    ee_plan *now = any_plan(&r.chain, &rng);
    CU_ASSERT_EQUAL_FATAL(ee_partition_least_moved(&r.chain, now, INFINITY, &plan), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &f), EE_OK);
    CU_ASSERT_EQUAL(f.period, best_of_all_plans(&r.chain).period);
    ee_plan_destroy(&now);
    ee_plan_destroy(&plan);
  }
}

static void wrong_plans_periods_and_chains_are_refused_with_the_reason(void) {
  problem  p;
  ee_plan *plan = NULL, *short_one = NULL;
  problem_open(&p, 5, true, false);
  CU_ASSERT_EQUAL(ee_partition_least_moved(&p.drawn.chain, p.now, -1.0, &plan), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_partition_least_moved(&p.drawn.chain, p.now, NAN, &plan), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_partition_least_moved(&p.drawn.chain, p.now, 0.0, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "the shortest is"));
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(p.drawn.chain.n_layers + 1, 1, 1, &short_one), EE_OK);
  CU_ASSERT_EQUAL(ee_partition_least_moved(&p.drawn.chain, short_one, 1.0, &plan), EE_ERR_ARG);
  p.drawn.work[0] = -1.0;
  CU_ASSERT_EQUAL(ee_partition_least_moved(&p.drawn.chain, p.now, 1e9, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  ee_plan_destroy(&short_one);
  ee_plan_destroy(&p.now);
}

const ee_fact ee_facts[] = {
    EE_FACT(no_plan_within_the_period_moves_less_and_none_as_calm_is_faster),
    EE_FACT(nor_if_loads_are_uneven),
    EE_FACT(nor_among_those_that_cut_where_it_is_allowed),
    EE_FACT(the_best_plan_stays_where_it_is),
    EE_FACT(without_weights_it_is_the_shortest_period),
    EE_FACT(wrong_plans_periods_and_chains_are_refused_with_the_reason),
    {NULL, NULL},
};
