/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that may not cut everywhere, against every plan there is. */
#include <math.h>

#include "ee_test.h"
#include "every_plan.h"

#define CHAINS 3000

/* The best of the plans that cut where it is allowed. */
typedef struct allowed_best {
  const bool *allowed;
  double      period;
} allowed_best;

static bool cuts_where_allowed(const bool *allowed, const ee_stage *stage, int n) {
  for (int s = 1; s < n; s++) {
    if (!allowed[stage[s].begin]) return false;
  }
  return true;
}

static void keep_if_allowed(void *context, const seen_plan *plan) {
  allowed_best *best = context;
  if (!cuts_where_allowed(best->allowed, plan->stage, plan->n_stages)) return;
  if (plan->period < best->period) best->period = plan->period;
}

static void draw_cuts(uint64_t number, bool *allowed) {
  ee_rng rng = ee_rng_at(3, number);
  for (int c = 0; c <= MOST_LAYERS; c++) allowed[c] = below(&rng, 2) == 0;
}

static void among_plans_that_cut_where_allowed_exact_finds_the_shortest_period(void) {
  int forbidden = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    bool         allowed[MOST_LAYERS + 1];
    ee_plan     *plan = NULL;
    ee_forecast  forecast;
    random_chain_draw(k, false, &r);
    draw_cuts(k, allowed);
    allowed_best best = {.allowed = allowed, .period = INFINITY};
    every_plan(&r.chain, (plan_visitor){.see = keep_if_allowed, .context = &best});
    r.chain.cut_allowed = allowed;
    ee_status status    = ee_partition_find(ee_planner_by_name("exact"), &r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, isinf(best.period) ? EE_ERR_ARG : EE_OK);
    if (status != EE_OK) continue;
    CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
    CU_ASSERT_TRUE(cuts_where_allowed(allowed, plan->stage, plan->n_stages));
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &forecast), EE_OK);
    CU_ASSERT_TRUE(fabs(forecast.period - best.period) <= 1e-11 * best.period);
    ee_plan_destroy(&plan);
    CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&r.chain, &plan), EE_OK);
    forbidden += !cuts_where_allowed(allowed, plan->stage, plan->n_stages);
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(forbidden > CHAINS / 5);  // else nothing was forbidden that mattered
}

static void every_planner_cuts_where_allowed(void) {
  for (const ee_planner *const *planner = ee_planners(); *planner != NULL; planner++) {
    int found = 0;
    for (uint64_t k = 0; k < CHAINS / 10; k++) {
      random_chain r;
      bool         allowed[MOST_LAYERS + 1];
      ee_plan     *plan = NULL;
      random_chain_draw(k, true, &r);
      draw_cuts(k, allowed);
      r.chain.cut_allowed = allowed;
      if (ee_partition_find(*planner, &r.chain, &plan) != EE_OK) continue;
      found++;
      CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
      CU_ASSERT_TRUE(cuts_where_allowed(allowed, plan->stage, plan->n_stages));
      ee_plan_destroy(&plan);
    }
    CU_ASSERT_TRUE(found > 0);
  }
}

/* Three layers of work 4, 4 and 8 on two equal devices, the cut before the third forbidden: 4 + 12
 * instead of 8 + 8. */
static void a_forbidden_cut_costs_what_it_must(void) {
  double   work[] = {4, 4, 8}, reach[] = {1, 1, 1}, cut[4] = {0}, speed[] = {1, 1};
  bool     allowed[] = {true, true, false, true};
  ee_plan *plan      = NULL;
  ee_chain chain     = {.n_layers        = 3,
                        .n_devices       = 2,
                        .work            = work,
                        .reach           = reach,
                        .cut_bytes       = cut,
                        .cut_allowed     = allowed,
                        .speed           = speed,
                        .message_samples = 1,
                        .source          = -1};
  CU_ASSERT_EQUAL_FATAL(ee_partition_find(ee_planner_by_name("exact"), &chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(plan->n_stages, 2);
  CU_ASSERT_EQUAL(plan->stage[0].end, 1);
  CU_ASSERT_EQUAL(plan->stage[1].end, 3);
  ee_plan_destroy(&plan);
}

const ee_fact ee_facts[] = {
    EE_FACT(among_plans_that_cut_where_allowed_exact_finds_the_shortest_period),
    EE_FACT(every_planner_cuts_where_allowed),
    EE_FACT(a_forbidden_cut_costs_what_it_must),
    {NULL, NULL},
};
