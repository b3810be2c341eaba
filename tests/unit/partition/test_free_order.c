/* SPDX-License-Identifier: Apache-2.0 */
/* The planner that chooses the order of devices, against every plan in every order. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "every_plan.h"
#include "order.h"

#define CHAINS 3000

typedef struct shortest {
  bool   found;
  double period;
  int    n_stages;
} shortest;

static void keep_shortest(void *context, const seen_plan *plan) {
  shortest *best = context;
  bool      less = !best->found || plan->period < best->period;
  if (!less && (plan->period > best->period || plan->n_stages >= best->n_stages)) return;
  *best = (shortest){true, plan->period, plan->n_stages};
}

static shortest shortest_of_all(const ee_chain *c, bool any_order) {
  shortest best = {.found = false};
  every_plan(c, (plan_visitor){keep_shortest, &best, any_order});
  return best;
}

/* Make some devices equal: half of the chains get two types at most. */
static void draw(uint64_t k, bool whole, random_chain *r) {
  random_chain_draw(k, whole, r);
  if (k % 2 == 0) return;
  ee_chain *c    = &r->chain;
  int       n    = c->n_devices;
  c->links_alike = false;
  for (int d = 0; d < n; d++) {
    r->speed[d]  = d < n / 2 ? 1 : 2;
    r->memory[d] = r->memory[d < n / 2 ? 0 : n - 1];
  }
  for (int a = 0; a < n; a++) {
    for (int b = 0; b < n; b++) {  // within a half and between halves, either way, all links alike
      int from = a < n / 2 ? 0 : 1, to = b < n / 2 ? 0 : 1;
      r->bandwidth[a * n + b] = 1 << (from + 2 * to) >> 1;
      r->latency[a * n + b]   = 3 * from + to;
    }
  }
  if (k % 4 == 1) c->source = -1;
}

static void no_plan_in_any_order_has_a_shorter_period(void) {
  int better = 0, infeasible = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_forecast  f;
    draw(k, true, &r);
    shortest  wanted = shortest_of_all(&r.chain, true), row = shortest_of_all(&r.chain, false);
    ee_status status = ee_planner_by_name("free-order")->find(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, wanted.found ? EE_OK : EE_ERR_ARG);
    infeasible += !wanted.found;
    if (!wanted.found) continue;
    CU_ASSERT_TRUE(ee_partition_free_order_is_exact(&r.chain));
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &f), EE_OK);
    CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), EE_OK);
    CU_ASSERT_EQUAL(f.period, wanted.period);
    bool gain = !row.found || wanted.period < row.period;
    CU_ASSERT_EQUAL(plan->n_stages, gain ? wanted.n_stages : row.n_stages);
    better += gain;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(better > CHAINS / 8 && infeasible > 0);
}

static void nor_if_loads_are_uneven(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_forecast  f;
    draw(k, false, &r);
    shortest  wanted = shortest_of_all(&r.chain, true);
    ee_status status = ee_partition_free_order(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, wanted.found ? EE_OK : EE_ERR_ARG);
    if (!wanted.found) continue;
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &f), EE_OK);
    CU_ASSERT_TRUE(fabs(f.period - wanted.period) <= 1e-11 * wanted.period);
    ee_plan_destroy(&plan);
  }
}

/* Loads of a and b swapped, entry by entry. */
static bool swap_changes_nothing(const ee_chain *c, int a, int b) {
  bool same = c->speed[a] == c->speed[b] && (c->memory == NULL || c->memory[a] == c->memory[b]);
  for (int x = 0; x < c->n_devices; x++) {
    for (int y = 0; y < c->n_devices; y++) {
      if (x == y || c->speed[x] <= 0.0 || c->speed[y] <= 0.0) continue;
      int    sx = x == a ? b : x == b ? a : x, sy = y == a ? b : y == b ? a : y;
      size_t from = (size_t)(x * c->n_devices + y), to = (size_t)(sx * c->n_devices + sy);
      same = same && (c->bandwidth == NULL || c->bandwidth[from] == c->bandwidth[to]);
      same = same && (c->latency == NULL || c->latency[from] == c->latency[to]);
    }
    int at = c->source;
    if (at >= 0 && (x == a || x == b)) {
      double first  = at == a ? 0.0 : link_by_formula(c, at, a, 0);
      double second = at == b ? 0.0 : link_by_formula(c, at, b, 0);
      same          = same && first == second;
    }
  }
  return same;
}

static void devices_are_of_one_type_exactly_if_swapping_them_changes_nothing(void) {
  int shared = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_types     types;
    draw(k, true, &r);
    CU_ASSERT_EQUAL_FATAL(ee_types_create(&r.chain, &types), EE_OK);
    for (int a = 0; a < r.chain.n_devices; a++) {
      CU_ASSERT_EQUAL(types.of[a] < 0, r.speed[a] <= 0.0);
      for (int b = 0; b < a; b++) {
        if (r.speed[a] <= 0.0 || r.speed[b] <= 0.0) continue;
        CU_ASSERT_EQUAL(types.of[a] == types.of[b], swap_changes_nothing(&r.chain, a, b));
        shared += types.of[a] == types.of[b];
      }
    }
    ee_types_destroy(&types);
  }
  CU_ASSERT_TRUE(shared > CHAINS / 5);
}

/* Trying, which is for fleets too large to search, on fleets small enough to know better: it never
 * loses to the order given, and all swaps and moves of four devices reach the best nearly always.
 */
static void trying_is_never_worse_than_the_order_given_and_mostly_finds_the_best(void) {
  int best = 0, all = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_permuted  p;
    ee_plan     *plan                = NULL;
    int          order[MOST_DEVICES] = {0, 1, 2, 3};
    double       before, after;
    draw(k, true, &r);
    shortest wanted = shortest_of_all(&r.chain, true);
    CU_ASSERT_EQUAL_FATAL(ee_permuted_create(&r.chain, &p), EE_OK);
    ee_status status = ee_permuted_plan(&p, order, &plan, &before);
    ee_plan_destroy(&plan);
    CU_ASSERT_EQUAL(ee_order_improve(&p, before, order), EE_OK);
    if (ee_permuted_plan(&p, order, &plan, &after) == EE_OK) {
      CU_ASSERT_TRUE(after <= before);
      CU_ASSERT_TRUE(after >= wanted.period);
      best += after <= wanted.period;
      all++;
    } else {
      CU_ASSERT_NOT_EQUAL(status, EE_OK);
    }
    ee_plan_destroy(&plan);
    ee_permuted_destroy(&p);
  }
  CU_ASSERT_TRUE(best > all * 0.95);
}

/* ---- fleets that are too many for every plan ---- */

enum { LAYERS = 100, MANY = 40 };

typedef struct fleet {
  ee_chain chain;
  double   work[LAYERS], reach[LAYERS], cut[LAYERS + 1], speed[MANY], latency[MANY * MANY];
} fleet;

/* `n` devices of speeds 1, 2, ... up to `types` in turn, slowest first; links into slow ones lag.
 */
static void many_devices(fleet *f, int n, int types) {
  ee_rng rng = ee_rng_at(21, (uint64_t)n);
  f->chain   = (ee_chain){.n_layers        = LAYERS,
                          .n_devices       = n,
                          .work            = f->work,
                          .reach           = f->reach,
                          .cut_bytes       = f->cut,
                          .speed           = f->speed,
                          .latency         = f->latency,
                          .message_samples = 1,
                          .source          = -1};
  for (int l = 0; l < LAYERS; l++) f->work[l] = 1 + ee_rng_uniform(&rng);
  for (int l = 0; l < LAYERS; l++) f->reach[l] = 1.0 - 0.9 * l / LAYERS;
  for (int l = 0; l <= LAYERS; l++) f->cut[l] = 0.0;
  for (int d = 0; d < n; d++) f->speed[d] = 1 + d % types;
  for (int k = 0; k < n * n; k++) f->latency[k] = 1.0 / f->speed[k % n];
}

static void any_permutation_of_the_fleet_has_the_same_period(void) {
  static fleet f, other;
  ee_plan     *plan = NULL;
  ee_forecast  a, b;
  many_devices(&f, 12, 3);
  other                 = f;
  other.chain.work      = other.work;
  other.chain.reach     = other.reach;
  other.chain.cut_bytes = other.cut;
  other.chain.speed     = other.speed;
  other.chain.latency   = other.latency;
  for (int d = 0; d < 12; d++) other.speed[d] = f.speed[(d * 5 + 3) % 12];
  for (int k = 0; k < 144; k++) other.latency[k] = 1.0 / other.speed[k % 12];
  CU_ASSERT_EQUAL_FATAL(ee_partition_free_order(&f.chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&f.chain, plan, &a), EE_OK);
  ee_plan_destroy(&plan);
  CU_ASSERT_EQUAL_FATAL(ee_partition_free_order(&other.chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&other.chain, plan, &b), EE_OK);
  ee_plan_destroy(&plan);
  CU_ASSERT_TRUE(fabs(a.period - b.period) <= 1e-12 * a.period);
}

static void a_fleet_too_large_to_search_says_so_and_gets_a_plan_near_its_bound(void) {
  static fleet f;
  ee_plan     *plan = NULL;
  ee_forecast  row, any;
  many_devices(&f, MANY, MANY);
  CU_ASSERT_FALSE(ee_partition_free_order_is_exact(&f.chain));
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&f.chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&f.chain, plan, &row), EE_OK);
  ee_plan_destroy(&plan);
  CU_ASSERT_EQUAL_FATAL(ee_partition_free_order(&f.chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&f.chain, plan, &any), EE_OK);
  CU_ASSERT_TRUE(any.period <= row.period);
  CU_ASSERT_TRUE(any.period < 1.3 * any.lower_bound);
  ee_plan_destroy(&plan);
  many_devices(&f, MANY, 2);
  CU_ASSERT_TRUE(ee_partition_free_order_is_exact(&f.chain));
}

static void a_wrong_chain_is_refused(void) {
  random_chain r;
  ee_plan     *plan = NULL;
  random_chain_draw(0, true, &r);
  r.work[0] = -1.0;
  CU_ASSERT_EQUAL(ee_partition_free_order(&r.chain, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  CU_ASSERT_FALSE(ee_partition_free_order_is_exact(&r.chain));
}

const ee_fact ee_facts[] = {
    EE_FACT(no_plan_in_any_order_has_a_shorter_period),
    EE_FACT(nor_if_loads_are_uneven),
    EE_FACT(devices_are_of_one_type_exactly_if_swapping_them_changes_nothing),
    EE_FACT(trying_is_never_worse_than_the_order_given_and_mostly_finds_the_best),
    EE_FACT(any_permutation_of_the_fleet_has_the_same_period),
    EE_FACT(a_fleet_too_large_to_search_says_so_and_gets_a_plan_near_its_bound),
    EE_FACT(a_wrong_chain_is_refused),
    {NULL, NULL},
};
