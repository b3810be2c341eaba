/* SPDX-License-Identifier: Apache-2.0 */
/* PipeEdge's planner against every plan in every order, under its own idea of a fleet. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "every_plan.h"

#define CHAINS 2000

/* The fleet as PipeEdge sees it; `wide` is the bandwidth of each device, 0: unlimited. */
typedef struct seen_fleet {
  ee_chain chain;
  double   reach[MOST_LAYERS], wide[MOST_DEVICES];
  double   speed[MOST_DEVICES], memory[MOST_DEVICES], bandwidth[MOST_DEVICES * MOST_DEVICES];
} seen_fleet;

static double narrower(double a, double b) {
  if (a <= 0.0 || b <= 0.0) return a + b;
  return a < b ? a : b;
}

/* Every reach 1, no latency, no source, links as wide as the narrower of their ends, and device d
 * with the profile of device profile[d]. */
static void see(const random_chain *r, const double *wide, const int *profile, seen_fleet *f) {
  int n    = r->chain.n_devices;
  f->chain = r->chain;
  for (int l = 0; l < r->chain.n_layers; l++) f->reach[l] = 1.0;
  for (int a = 0; a < n; a++) {
    f->speed[a]  = r->speed[profile[a]];
    f->memory[a] = r->memory[profile[a]];
    for (int b = 0; b < n; b++) {
      f->bandwidth[a * n + b] = narrower(wide[profile[a]], wide[profile[b]]);
    }
  }
  f->chain.reach     = f->reach;
  f->chain.speed     = f->speed;
  f->chain.bandwidth = f->bandwidth;
  f->chain.latency   = NULL;
  f->chain.memory    = r->chain.memory != NULL ? f->memory : NULL;
  f->chain.source    = -1;
}

static const int itself[MOST_DEVICES] = {0, 1, 2, 3};

/* A chain whose links follow from a bandwidth for each device; few speeds, so that devices are
 * alike often. */
static void draw(uint64_t k, random_chain *r, double *wide) {
  ee_rng rng = ee_rng_at(31, k);
  random_chain_draw(k, true, r);
  r->chain.copy_work = NULL;  // it does not look at copying
  int n              = r->chain.n_devices;
  for (int d = 0; d < n; d++) {
    wide[d] = below(&rng, 3);
    if (r->speed[d] > 0.0) r->speed[d] = 1 + below(&rng, 2);
    r->memory[d] = below(&rng, 2) == 0 ? r->memory[0] : r->memory[d];
  }
  for (int k2 = 0; k2 < n * n; k2++) {
    r->bandwidth[k2] = narrower(wide[k2 / n], wide[k2 % n]);
    r->latency[k2]   = below(&rng, 4);
  }
  r->chain.bandwidth   = r->bandwidth;
  r->chain.latency     = r->latency;
  r->chain.links_alike = false;
}

static void keep_least(void *context, const seen_plan *plan) {
  double *least = context;
  if (plan->period < *least) *least = plan->period;
}

static double least_of_all(const ee_chain *c) {
  double least = INFINITY;
  every_plan(c, (plan_visitor){keep_least, &least, true});
  return least;
}

static void its_bottleneck_is_the_least_of_all_orders_as_it_sees_the_fleet(void) {
  int planned = 0, refused = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    seen_fleet   f;
    double       wide[MOST_DEVICES];
    ee_plan     *plan = NULL;
    ee_forecast  forecast;
    draw(k, &r, wide);
    see(&r, wide, itself, &f);
    double    wanted = least_of_all(&f.chain);
    ee_status status = ee_planner_by_name("pipeedge")->find(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, isfinite(wanted) ? EE_OK : EE_ERR_ARG);
    refused += status != EE_OK;
    if (status != EE_OK) continue;
    CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&f.chain, plan, &forecast), EE_OK);
    CU_ASSERT_EQUAL(forecast.period, wanted);
    CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), EE_OK);
    planned++;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(planned > CHAINS / 2 && refused > CHAINS / 100);
}

/* Of two types, the devices at the end of the row are of the second; in a list of devices with two
 * or more of the first type, the second entry is one of the first type. */
static void as_released_it_plans_the_second_type_with_the_first_ones_profile(void) {
  int differ = 0, planned = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    seen_fleet   f;
    double       wide[MOST_DEVICES] = {2, 2, 4, 4};
    ee_plan     *plan               = NULL;
    ee_forecast  mistaken, fair;
    int          first = 1 + (int)(k % 3), profile[MOST_DEVICES];
    draw(k, &r, (double[MOST_DEVICES]){0});
    int n = r.chain.n_devices;
    for (int d = 0; d < n; d++) {
      r.speed[d]  = d < first ? 1 : 2;
      wide[d]     = d < first ? 2 : 4;
      profile[d]  = first > 1 ? 0 : d;
      r.memory[d] = r.memory[d < first ? 0 : first];
    }
    for (int d = 0; d < n * n; d++) r.bandwidth[d] = narrower(wide[d / n], wide[d % n]);
    see(&r, wide, profile, &f);
    double wanted = least_of_all(&f.chain);
    if (ee_planner_by_name("pipeedge-released")->find(&r.chain, &plan) != EE_OK) continue;
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&f.chain, plan, &mistaken), EE_OK);
    CU_ASSERT_EQUAL(mistaken.period, wanted);
    ee_plan_destroy(&plan);

    see(&r, wide, itself, &f);
    CU_ASSERT_EQUAL_FATAL(ee_partition_pipeedge(&r.chain, true, &plan), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&f.chain, plan, &fair), EE_OK);
    if (first == 1 || n <= first) {
      CU_ASSERT_EQUAL(fair.period, least_of_all(&f.chain));
    } else {
      differ += fair.period > least_of_all(&f.chain);
    }
    planned++;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(planned > CHAINS / 2 && differ > planned / 20);
}

/* The published example: 48 equal layers, four slow devices and four fast ones, six layers each. */
static void as_released_eight_devices_of_two_speeds_get_six_of_48_layers_each(void) {
  double      work[48], cut[49] = {0}, speed[8] = {1, 1, 1, 1, 3, 3, 3, 3}, reach[48];
  ee_plan    *plan  = NULL;
  ee_chain    chain = {.n_layers        = 48,
                       .n_devices       = 8,
                       .work            = work,
                       .reach           = reach,
                       .cut_bytes       = cut,
                       .speed           = speed,
                       .message_samples = 1,
                       .source          = -1};
  ee_forecast f;
  for (int l = 0; l < 48; l++) work[l] = 3, reach[l] = 1.0;
  CU_ASSERT_EQUAL_FATAL(ee_partition_pipeedge(&chain, true, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(plan->n_stages, 8);
  for (int s = 0; s < 8; s++) {
    CU_ASSERT_EQUAL(plan->stage[s].begin, 6 * s);
  }
  ee_plan_destroy(&plan);
  CU_ASSERT_EQUAL_FATAL(ee_partition_pipeedge(&chain, false, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&chain, plan, &f), EE_OK);
  CU_ASSERT_EQUAL(f.period, 9.0);  // 3 layers on each slow one and 9 on each fast one
  ee_plan_destroy(&plan);
}

static void too_many_counts_of_types_are_refused(void) {
  enum { MANY = 30 };
  double   work[2] = {1, 1}, reach[2] = {1, 1}, cut[3] = {0}, speed[MANY];
  ee_plan *plan  = NULL;
  ee_chain chain = {.n_layers        = 2,
                    .n_devices       = MANY,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .message_samples = 1,
                    .source          = -1};
  for (int d = 0; d < MANY; d++) speed[d] = d + 1;
  CU_ASSERT_EQUAL(ee_partition_pipeedge(&chain, false, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "30 devices of 30 types"));
  for (int d = 0; d < MANY; d++) speed[d] = 1;
  CU_ASSERT_EQUAL(ee_partition_pipeedge(&chain, false, &plan), EE_OK);
  ee_plan_destroy(&plan);
}

const ee_fact ee_facts[] = {
    EE_FACT(its_bottleneck_is_the_least_of_all_orders_as_it_sees_the_fleet),
    EE_FACT(as_released_it_plans_the_second_type_with_the_first_ones_profile),
    EE_FACT(as_released_eight_devices_of_two_speeds_get_six_of_48_layers_each),
    EE_FACT(too_many_counts_of_types_are_refused),
    {NULL, NULL},
};
