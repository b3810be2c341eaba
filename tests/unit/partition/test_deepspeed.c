/* SPDX-License-Identifier: Apache-2.0 */
/* DeepSpeed's balance against its recurrence, written out without a table. */
#include <math.h>

#include "ee_test.h"
#include "random_chain.h"

/** Parts of the first layers: the largest, the smallest, and where each begins. */
typedef struct held {
  bool   found;
  double largest, smallest;
  int    begin[MOST_DEVICES];
} held;

static double part(const ee_chain *c, int i, int j) {
  double work = 0.0;
  for (int l = i; l < j; l++) work += c->work[l];
  for (int e = 0; e < c->n_exits; e++) {
    if (i <= c->attach[e] && c->attach[e] < j) work += c->head_work[e];
  }
  return work;
}

static held by_recurrence(const ee_chain *c, int n, int j) {
  held best = {.found = n == 0 && j == 0, .smallest = INFINITY};
  for (int i = 0; i < j && n > 0; i++) {
    held   here = by_recurrence(c, n - 1, i);
    double work = part(c, i, j);
    if (!here.found) continue;
    here.largest      = fmax(here.largest, work);
    here.smallest     = fmin(here.smallest, work);
    here.begin[n - 1] = i;
    if (best.found && here.largest - here.smallest > best.largest - best.smallest) continue;
    best = here;
  }
  return best;
}

static int present_devices(const ee_chain *c, int *device) {
  int n = 0;
  for (int d = 0; d < c->n_devices; d++) {
    if (c->speed[d] > 0.0) device[n++] = d;
  }
  return n;
}

static void parts_are_those_of_the_recurrence_whatever_speeds_and_exits(void) {
  int refused = 0;
  for (uint64_t k = 0; k < 2000; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    int          device[MOST_DEVICES];
    random_chain_draw(k, true, &r);
    int n = present_devices(&r.chain, device);
    if (n > r.chain.n_layers) n = r.chain.n_layers;
    held wanted = by_recurrence(&r.chain, n, r.chain.n_layers);
    if (ee_planner_by_name("deepspeed")->find(&r.chain, &plan) != EE_OK) {
      refused++;
      continue;
    }
    CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
    CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), EE_OK);
    CU_ASSERT_EQUAL(plan->n_devices, r.chain.n_devices);
    CU_ASSERT_EQUAL_FATAL(plan->n_stages, n);
    for (int s = 0; s < n; s++) {
      CU_ASSERT_EQUAL(plan->stage[s].begin, wanted.begin[s]);
      CU_ASSERT_EQUAL(plan->stage[s].device, device[s]);
    }
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(refused > 0 && refused < 1000);
}

/* Layers of log-normal work on four equal devices, as in what was published about the objective. */
static void the_least_difference_is_sometimes_not_the_shortest_period(void) {
  enum { LAYERS = 24, DRAWS = 200 };
  int    worse = 0;
  double work[LAYERS], reach[LAYERS], cut[LAYERS + 1] = {0}, speed[4] = {1, 1, 1, 1};
  for (uint64_t k = 0; k < DRAWS; k++) {
    ee_rng      rng   = ee_rng_at(41, k);
    ee_plan    *plan  = NULL;
    ee_chain    chain = {.n_layers        = LAYERS,
                         .n_devices       = 4,
                         .work            = work,
                         .reach           = reach,
                         .cut_bytes       = cut,
                         .speed           = speed,
                         .message_samples = 1,
                         .source          = -1};
    ee_forecast even, exact;
    for (int l = 0; l < LAYERS; l++) {
      double radius = sqrt(-2.0 * log(1.0 - ee_rng_uniform(&rng)));
      work[l]       = exp(radius * cos(6.283185307179586 * ee_rng_uniform(&rng)));
      reach[l]      = 1.0;
    }
    CU_ASSERT_EQUAL_FATAL(ee_partition_deepspeed(&chain, &plan), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&chain, plan, &even), EE_OK);
    ee_plan_destroy(&plan);
    CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&chain, plan, &exact), EE_OK);
    ee_plan_destroy(&plan);
    CU_ASSERT_TRUE(even.period >= exact.period * (1 - 1e-12));
    worse += even.period > exact.period * (1 + 1e-9);
  }
  CU_ASSERT_TRUE(worse > DRAWS / 20 && worse < DRAWS / 2);
}

const ee_fact ee_facts[] = {
    EE_FACT(parts_are_those_of_the_recurrence_whatever_speeds_and_exits),
    EE_FACT(the_least_difference_is_sometimes_not_the_shortest_period),
    {NULL, NULL},
};
