/* SPDX-License-Identifier: Apache-2.0 */
/* What VGG-16 gains by bands: the figures of docs/bands.md. */
#include "ee/backend.h"
#include "ee/band_plan.h"
#include "ee_test.h"
#include "window_chain.h"

enum { MOST_DEVICES = 3, CONVOLUTIONS = 13 };

/* VGG-16 on pictures of 224 x 224, up to where its classifier begins. */
static const chain_window vgg16[] = {
    {64, 3, 1, 1},  {64, 3, 1, 1},  {0, 2, 2, 0},   {128, 3, 1, 1}, {128, 3, 1, 1}, {0, 2, 2, 0},
    {256, 3, 1, 1}, {256, 3, 1, 1}, {256, 3, 1, 1}, {0, 2, 2, 0},   {512, 3, 1, 1}, {512, 3, 1, 1},
    {512, 3, 1, 1}, {0, 2, 2, 0},   {512, 3, 1, 1}, {512, 3, 1, 1}, {512, 3, 1, 1}, {0, 2, 2, 0}};

static ee_band_costs *make_costs(void) {
  ee_band_costs *costs = NULL;
  ee_model      *m     = chain_make(3, 224, vgg16, (int)(sizeof vgg16 / sizeof *vgg16));
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(m, &ee_backend_ref, 0, CONVOLUTIONS, NULL, &costs), EE_OK);
  ee_model_destroy(&m);
  return costs;
}

/* Work of the whole: 7 rows at the end. */
static double flops_of(const ee_band_costs *costs) {
  return costs->range[CONVOLUTIONS].until[7];
}

/* On equal devices that take 0.77 s alone, the picture on the first; links in byte/s. */
static double gain_of(const ee_band_costs *costs, int devices, double rate, int most) {
  double        speed[MOST_DEVICES], bandwidth[MOST_DEVICES * MOST_DEVICES];
  double        latency[MOST_DEVICES * MOST_DEVICES];
  ee_band_plan *plan = NULL;
  for (int d = 0; d < devices; d++) speed[d] = flops_of(costs) / 0.77;
  for (int k = 0; k < devices * devices; k++) {
    bandwidth[k] = rate;
    latency[k]   = 1e-3;
  }
  ee_band_fleet fleet = {.n_devices = devices,
                         .speed     = speed,
                         .bandwidth = bandwidth,
                         .latency   = latency,
                         .most      = most};
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(costs, &fleet, &plan), EE_OK);
  double gain = plan->alone / plan->total;
  ee_band_plan_destroy(&plan);
  return gain;
}

static void vgg16_gains_with_its_links_up_to_three_devices(void) {
  const double   rates[] = {1e5, 1e6, 5e6, 2.5e7, 1e9};
  double         before  = 1.0 - 1e-9;
  ee_band_costs *c       = make_costs();
  CU_ASSERT_DOUBLE_EQUAL(flops_of(c), 3.07e10, 1e8);
  for (int r = 0; r < 5; r++) {
    double gain = gain_of(c, 3, rates[r], 0);
    CU_ASSERT_TRUE(gain >= before && gain <= 3.0 + 1e-9);
    CU_ASSERT_TRUE(gain >= gain_of(c, 3, rates[r], 1));
    before = gain;
  }
  CU_ASSERT_TRUE(before > 2.0);
  ee_band_costs_destroy(&c);
}

/* HALP reports 1.7 for three boards, one of which hands out the rows: not asserted. */
static void the_table_in_the_documents_is_what_the_planner_says(void) {
  const struct {
    int    devices;
    double megabits, each, best;
  } row[]          = {{2, 25, 1.21, 1.69}, {2, 100, 1.68, 1.94}, {2, 400, 1.90, 1.97},
                      {3, 25, 1.21, 1.98}, {3, 100, 1.98, 2.73}, {3, 400, 2.57, 2.82}};
  ee_band_costs *c = make_costs();
  for (int r = 0; r < 6; r++) {
    double rate = row[r].megabits * 1e6 / 8;
    CU_ASSERT_DOUBLE_EQUAL(gain_of(c, row[r].devices, rate, 1), row[r].each, 0.01);
    CU_ASSERT_DOUBLE_EQUAL(gain_of(c, row[r].devices, rate, 0), row[r].best, 0.01);
  }
  ee_band_costs_destroy(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(vgg16_gains_with_its_links_up_to_three_devices),
    EE_FACT(the_table_in_the_documents_is_what_the_planner_says),
    {NULL, NULL},
};
