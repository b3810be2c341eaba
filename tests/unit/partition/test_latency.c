/* SPDX-License-Identifier: Apache-2.0 */
/* Least latency, alone and within a period, and the front of both, against every plan there is. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "every_plan.h"

#define CHAINS 3000

/* Of all plans whose period is at most (or below) a limit, the one of least latency, then period.
 */
typedef struct earliest {
  double      limit;
  bool        below;
  bool        found;
  double      period, latency;
  const bool *allowed;  // shape [n_layers + 1], where plans may cut; NULL: everywhere
} earliest;

static void keep_earliest(void *context, const seen_plan *plan) {
  earliest *e = context;
  for (int s = 1; s < plan->n_stages && e->allowed != NULL; s++) {
    if (!e->allowed[plan->stage[s].begin]) return;
  }
  if (e->below ? plan->period >= e->limit : plan->period > e->limit) return;
  bool better = !e->found || plan->latency < e->latency ||
                (plan->latency <= e->latency && plan->period < e->period);
  if (!better) return;
  e->found   = true;
  e->period  = plan->period;
  e->latency = plan->latency;
}

static earliest earliest_of_all(const ee_chain *c, double limit, bool below) {
  earliest e = {.limit = limit, .below = below, .allowed = c->cut_allowed};
  every_plan(c, (plan_visitor){keep_earliest, &e, false});
  return e;
}

static ee_forecast forecast_of(const ee_chain *c, const ee_plan *plan) {
  ee_forecast f;
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(c, plan, &f), EE_OK);
  CU_ASSERT_EQUAL(ee_partition_fits(c, plan), EE_OK);
  for (int s = 1; s < plan->n_stages; s++) {
    CU_ASSERT_TRUE(plan->stage[s].device > plan->stage[s - 1].device);
  }
  return f;
}

static void no_plan_is_earlier_and_none_as_early_has_a_shorter_period(void) {
  int links = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    random_chain_draw(k, true, &r);
    earliest  wanted = earliest_of_all(&r.chain, INFINITY, false);
    ee_status status = ee_planner_by_name("latency")->find(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, wanted.found ? EE_OK : EE_ERR_ARG);
    if (!wanted.found) continue;
    ee_forecast f = forecast_of(&r.chain, plan);
    CU_ASSERT_EQUAL(f.latency, wanted.latency);
    CU_ASSERT_EQUAL(f.period, wanted.period);
    links += plan->n_stages > 1;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(links > CHAINS / 10);
}

static void nor_if_loads_are_uneven(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    random_chain_draw(k, false, &r);
    earliest  wanted = earliest_of_all(&r.chain, INFINITY, false);
    ee_status status = ee_partition_latency(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, wanted.found ? EE_OK : EE_ERR_ARG);
    if (!wanted.found) continue;
    CU_ASSERT_TRUE(fabs(forecast_of(&r.chain, plan).latency - wanted.latency) <=
                   1e-11 * wanted.latency);
    ee_plan_destroy(&plan);
  }
}

/* A chain that says the period gets the same plan from the planner. */
static void check_limited(ee_chain chain, double period, const ee_plan *wanted) {
  ee_plan *plan    = NULL;
  chain.max_period = period;
  CU_ASSERT_EQUAL_FATAL(ee_partition_latency(&chain, &plan), EE_OK);
  CU_ASSERT_TRUE(ee_plan_equal(plan, wanted));
  ee_plan_destroy(&plan);
}

static void within_a_period_no_plan_is_earlier(void) {
  int refused = 0, dearer = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_rng       rng  = ee_rng_at(9, k);
    random_chain_draw(k, true, &r);
    earliest free = earliest_of_all(&r.chain, INFINITY, false);
    if (!free.found) continue;
    double    period = free.period * below(&rng, 9) / 8;
    earliest  wanted = earliest_of_all(&r.chain, period, false);
    ee_status status = ee_partition_latency_within(&r.chain, period, &plan);
    CU_ASSERT_EQUAL_FATAL(status, wanted.found ? EE_OK : EE_ERR_ARG);
    refused += !wanted.found;
    if (!wanted.found) {
      CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "the shortest is"));
      CU_ASSERT_PTR_NULL(plan);
      continue;
    }
    ee_forecast f = forecast_of(&r.chain, plan);
    CU_ASSERT_EQUAL(f.latency, wanted.latency);
    CU_ASSERT_EQUAL(f.period, wanted.period);
    dearer += wanted.latency > free.latency;
    if (period > 0.0) check_limited(r.chain, period, plan);
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(refused > CHAINS / 10 && dearer > CHAINS / 20);  // every kind was met
}

static void the_front_has_exactly_the_plans_that_none_beats_in_both(void) {
  int most = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_front    *front = NULL;
    random_chain_draw(k, true, &r);
    earliest  wanted = earliest_of_all(&r.chain, INFINITY, false);
    ee_status status = ee_partition_front(&r.chain, &front);
    CU_ASSERT_EQUAL_FATAL(status, wanted.found ? EE_OK : EE_ERR_ARG);
    if (!wanted.found) CU_ASSERT_PTR_NULL(front);
    int n = 0;
    for (; wanted.found; n++) {
      CU_ASSERT_FATAL(n < front->n);
      ee_forecast f = forecast_of(&r.chain, front->point[n].plan);
      CU_ASSERT_EQUAL(front->point[n].period, wanted.period);
      CU_ASSERT_EQUAL(front->point[n].latency, wanted.latency);
      CU_ASSERT_EQUAL(f.period, wanted.period);
      CU_ASSERT_EQUAL(f.latency, wanted.latency);
      wanted = earliest_of_all(&r.chain, wanted.period, true);
    }
    CU_ASSERT_TRUE(front == NULL || front->n == n);
    most = n > most ? n : most;
    ee_front_destroy(&front);
  }
  CU_ASSERT_TRUE(most >= 5);
}

static void nor_cuts_the_front_where_it_is_not_allowed(void) {
  int fewer = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_front    *front = NULL;
    ee_rng       rng   = ee_rng_at(13, k);
    bool         allowed[MOST_LAYERS + 1];
    random_chain_draw(k, true, &r);
    earliest anywhere = earliest_of_all(&r.chain, INFINITY, false);
    for (int c = 0; c <= r.chain.n_layers; c++) allowed[c] = below(&rng, 2) == 0;
    r.chain.cut_allowed = allowed;
    earliest  wanted    = earliest_of_all(&r.chain, INFINITY, false);
    ee_status status    = ee_partition_front(&r.chain, &front);
    CU_ASSERT_EQUAL_FATAL(status, wanted.found ? EE_OK : EE_ERR_ARG);
    fewer += wanted.found && wanted.latency > anywhere.latency;
    int n = 0;
    for (; wanted.found; n++) {
      CU_ASSERT_FATAL(n < front->n);
      CU_ASSERT_EQUAL(front->point[n].period, wanted.period);
      CU_ASSERT_EQUAL(front->point[n].latency, wanted.latency);
      wanted = earliest_of_all(&r.chain, wanted.period, true);
    }
    CU_ASSERT_TRUE(front == NULL || front->n == n);
    ee_front_destroy(&front);
  }
  CU_ASSERT_TRUE(fewer > CHAINS / 75);
}

/* The shortest period of the front is that of the exact planner, found in another way. */
static void the_front_of_a_long_chain_ends_at_the_shortest_period(void) {
  enum { LAYERS = 120, DEVICES = 12 };
  static double work[LAYERS], reach[LAYERS], cut[LAYERS + 1], speed[DEVICES];
  static double latency[DEVICES * DEVICES];
  ee_rng        rng   = ee_rng_at(11, 0);
  ee_chain      chain = {.n_layers        = LAYERS,
                         .n_devices       = DEVICES,
                         .work            = work,
                         .reach           = reach,
                         .cut_bytes       = cut,
                         .speed           = speed,
                         .latency         = latency,
                         .message_samples = 8,
                         .source          = 0};
  ee_plan      *plan  = NULL;
  ee_front     *front = NULL;
  for (int l = 0; l < LAYERS; l++) work[l] = 1 + ee_rng_uniform(&rng);
  for (int l = 0; l < LAYERS; l++) reach[l] = 1.0 - 0.5 * l / LAYERS;
  for (int d = 0; d < DEVICES; d++) speed[d] = 1 + ee_rng_uniform(&rng);
  for (int k = 0; k < DEVICES * DEVICES; k++) latency[k] = ee_rng_uniform(&rng);
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_front(&chain, &front), EE_OK);
  CU_ASSERT_TRUE(front->n > DEVICES);
  CU_ASSERT_DOUBLE_EQUAL(front->point[front->n - 1].period, forecast_of(&chain, plan).period, 1e-9);
  for (int k = 1; k < front->n; k++) {
    CU_ASSERT_TRUE(front->point[k].period < front->point[k - 1].period);
    CU_ASSERT_TRUE(front->point[k].latency > front->point[k - 1].latency);
  }
  ee_plan_destroy(&plan);
  ee_front_destroy(&front);
}

/* Equal devices on free links: every plan has the same latency but for rounding.  The first layer
 * is the heaviest; alone it makes the shortest period, and one more stage holds all the rest. */
static void rounding_does_not_add_stages_to_the_earliest_plan(void) {
  enum { LAYERS = 20, DEVICES = 5 };
  double   work[LAYERS], reach[LAYERS], cut[LAYERS + 1] = {0}, speed[] = {3, 3, 3, 3, 3};
  ee_chain chain = {.n_layers        = LAYERS,
                    .n_devices       = DEVICES,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .message_samples = 1,
                    .source          = -1};
  for (uint64_t k = 0; k < 200; k++) {
    ee_plan *plan = NULL;
    ee_rng   rng  = ee_rng_at(12, k);
    for (int l = 0; l < LAYERS; l++) work[l] = l == 0 ? LAYERS : ee_rng_uniform(&rng);
    for (int l = 0; l < LAYERS; l++) reach[l] = 1.0;
    CU_ASSERT_EQUAL_FATAL(ee_partition_latency(&chain, &plan), EE_OK);
    CU_ASSERT_EQUAL(plan->n_stages, 2);
    CU_ASSERT_EQUAL(plan->stage[0].end, 1);
    ee_plan_destroy(&plan);
  }
}

static void a_wrong_chain_or_period_is_refused(void) {
  random_chain r;
  ee_plan     *plan  = NULL;
  ee_front    *front = NULL;
  random_chain_draw(0, true, &r);
  CU_ASSERT_EQUAL(ee_partition_latency_within(&r.chain, -1.0, &plan), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_partition_latency_within(&r.chain, (double)NAN, &plan), EE_ERR_ARG);
  r.work[0] = -1.0;
  CU_ASSERT_EQUAL(ee_partition_latency(&r.chain, &plan), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_partition_front(&r.chain, &front), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  CU_ASSERT_PTR_NULL(front);
}

const ee_fact ee_facts[] = {
    EE_FACT(no_plan_is_earlier_and_none_as_early_has_a_shorter_period),
    EE_FACT(nor_if_loads_are_uneven),
    EE_FACT(within_a_period_no_plan_is_earlier),
    EE_FACT(the_front_has_exactly_the_plans_that_none_beats_in_both),
    EE_FACT(nor_cuts_the_front_where_it_is_not_allowed),
    EE_FACT(the_front_of_a_long_chain_ends_at_the_shortest_period),
    EE_FACT(rounding_does_not_add_stages_to_the_earliest_plan),
    EE_FACT(a_wrong_chain_or_period_is_refused),
    {NULL, NULL},
};
