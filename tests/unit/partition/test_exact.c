/* SPDX-License-Identifier: Apache-2.0 */
/* The exact planner against every plan there is. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "random_chain.h"

#define CHAINS 3000

static bool same_stages(const ee_plan *plan, const best_plan *best) {
  return plan->n_stages == best->n_stages &&
         memcmp(plan->stage, best->stage, (size_t)plan->n_stages * sizeof *plan->stage) == 0;
}

static void among_all_plans_of_exact_loads_it_finds_the_documented_one(void) {
  int infeasible = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    random_chain_draw(k, true, &r);
    best_plan best   = best_of_all_plans(&r.chain);
    ee_status status = ee_partition_exact(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, best.found ? EE_OK : EE_ERR_ARG);
    infeasible += !best.found;
    if (best.found) {
      CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
      CU_ASSERT_TRUE(same_stages(plan, &best));
    } else {
      CU_ASSERT_PTR_NULL(plan);
    }
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(infeasible > CHAINS / 100 && infeasible < CHAINS / 4);  // both kinds were met
}

static void no_plan_of_uneven_loads_has_a_shorter_period(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_forecast  forecast;
    random_chain_draw(k, false, &r);
    best_plan best   = best_of_all_plans(&r.chain);
    ee_status status = ee_partition_exact(&r.chain, &plan);
    CU_ASSERT_EQUAL_FATAL(status, best.found ? EE_OK : EE_ERR_ARG);
    if (!best.found) continue;
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &forecast), EE_OK);
    CU_ASSERT_TRUE(fabs(forecast.period - best.period) <= 1e-11 * best.period);
    CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), EE_OK);
    ee_plan_destroy(&plan);
  }
}

/* 6 layers of 1/10: as sums of tenths round, 5 stages look shorter in the last bit than 2 + 2 + 2
 * layers, which is no reason for more devices. */
static void rounding_does_not_add_stages(void) {
  double   work[6], reach[6], cut[7] = {0}, speed[] = {1, 1, 1, 1, 1};
  ee_plan *plan  = NULL;
  ee_chain chain = {.n_layers        = 6,
                    .n_devices       = 5,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .message_samples = 1,
                    .source          = -1};
  for (int l = 0; l < 6; l++) work[l] = 0.1;
  for (int l = 0; l < 6; l++) reach[l] = 1.0;
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_stages, 3);
  ee_plan_destroy(&plan);
}

/* One message of 8 byte per sample, 1 byte/s: anything sent takes longer than all the work. */
static void slow_links_leave_devices_idle(void) {
  double   work[] = {1, 1, 1}, reach[] = {1, 1, 1}, cut[] = {8, 8, 8, 0}, speed[] = {1, 2, 1};
  double   bandwidth[9], latency[9] = {0};
  ee_plan *plan  = NULL;
  ee_chain chain = {.n_layers        = 3,
                    .n_devices       = 3,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .bandwidth       = bandwidth,
                    .latency         = latency,
                    .message_samples = 1,
                    .source          = -1};
  char     text[64];
  for (int k = 0; k < 9; k++) bandwidth[k] = 1.0;
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text), "0-2 @1");
  ee_plan_destroy(&plan);

  chain.source = 0;  // now the input would have to be sent
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text), "0-2 @0");
  ee_plan_destroy(&plan);
}

/* Three equal devices with a memory too small for two layers: one layer each. */
static void what_does_not_fit_is_refused_by_name(void) {
  double   work[] = {1, 2, 3}, reach[] = {1, 1, 1}, cut[4] = {0}, speed[] = {1, 1, 1};
  double   weight[] = {10, 10, 10}, memory[] = {15, 15, 15};
  ee_plan *plan  = NULL;
  ee_chain chain = {.n_layers        = 3,
                    .n_devices       = 3,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .weight_bytes    = weight,
                    .memory          = memory,
                    .message_samples = 1,
                    .source          = -1};
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_stages, 3);
  ee_plan_destroy(&plan);

  weight[1] = 16;
  CU_ASSERT_EQUAL(ee_partition_exact(&chain, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "layer 1 needs 16 byte"));

  weight[1] = 10;
  speed[2]  = 0;  // two devices are left for three layers
  CU_ASSERT_EQUAL(ee_partition_exact(&chain, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "or 3 devices 15 byte each"));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "2 devices here have 30 byte in all"));
}

static void a_wide_fleet_gets_a_plan_that_the_probe_confirms(void) {
  enum { LAYERS = 400, DEVICES = 300 };
  static double work[LAYERS], reach[LAYERS], cut[LAYERS + 1], speed[DEVICES];
  ee_rng        rng   = ee_rng_at(3, 0);
  ee_plan      *plan  = NULL;
  ee_chain      chain = {.n_layers        = LAYERS,
                         .n_devices       = DEVICES,
                         .work            = work,
                         .reach           = reach,
                         .cut_bytes       = cut,
                         .speed           = speed,
                         .message_samples = 1,
                         .source          = -1};
  ee_forecast   forecast;
  for (int l = 0; l < LAYERS; l++) work[l] = 1 + 9 * ee_rng_uniform(&rng);
  for (int l = 0; l < LAYERS; l++) reach[l] = 1.0 - (double)l / LAYERS;
  for (int d = 0; d < DEVICES; d++) speed[d] = 1 + ee_rng_uniform(&rng);
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&chain, plan, &forecast), EE_OK);
  CU_ASSERT_TRUE(ee_partition_feasible(&chain, forecast.period));
  CU_ASSERT_FALSE(ee_partition_feasible(&chain, forecast.period * (1 - 1e-9)));
  ee_plan_destroy(&plan);
}

/* ---- longer chains, against a plain search for the second aim ---- */

enum { LONG = 60, ROW = 8 };

typedef struct aim {
  int    stages;  // LONG + 1: out of reach
  double squares;
} aim;

static aim lesser(aim a, aim b) {
  return b.stages < a.stages || (b.stages == a.stages && b.squares < a.squares) ? b : a;
}

/* Fewest stages and least squares within @p period: every stage tried behind every other. */
static aim least_aim(const ee_chain *c, double period) {
  aim least[ROW][LONG + 1], best = {LONG + 1, 0};
  for (int p = 0; p < c->n_devices; p++) {
    for (int j = 1; j <= LONG; j++) {
      least[p][j] = (aim){LONG + 1, 0};
      for (int i = 0; i < j; i++) {
        double load = stage_by_formula(c, p, i, j);
        if (load > period) continue;
        if (i == 0) least[p][j] = lesser(least[p][j], (aim){1, load * load});
        for (int q = 0; q < p && i > 0; q++) {
          if (least[q][i].stages > LONG || link_by_formula(c, q, p, i) > period) continue;
          aim next    = {least[q][i].stages + 1, least[q][i].squares + load * load};
          least[p][j] = lesser(least[p][j], next);
        }
      }
    }
    best = lesser(best, least[p][LONG]);
  }
  return best;
}

/* Whole loads, powers of two as speeds: sums are exact.  Half of the chains have unequal links. */
static void long_chain(uint64_t number, ee_chain *c, double *work, double *reach, double *cut,
                       double *speed, double *latency) {
  ee_rng rng = ee_rng_at(7, number);
  for (int l = 0; l < LONG; l++) work[l] = amount(&rng, true, below(&rng, 8) == 0 ? 100 : 10);
  for (int l = 0; l < LONG; l++) reach[l] = l < LONG / 3 ? 1.0 : l < LONG * 2 / 3 ? 0.5 : 0.25;
  for (int k = 0; k <= LONG; k++) cut[k] = 0.0;
  for (int d = 0; d < ROW; d++) speed[d] = rate(&rng, true);
  for (int k = 0; k < ROW * ROW; k++) latency[k] = amount(&rng, true, 60);
  *c = (ee_chain){.n_layers        = LONG,
                  .n_devices       = 2 + below(&rng, ROW - 1),
                  .work            = work,
                  .reach           = reach,
                  .cut_bytes       = cut,
                  .speed           = speed,
                  .latency         = number % 2 == 0 ? latency : NULL,
                  .message_samples = 1,
                  .source          = -1};
}

static void plans_of_long_chains_have_the_fewest_stages_and_least_squares(void) {
  for (uint64_t k = 0; k < 60; k++) {
    double      work[LONG], reach[LONG], cut[LONG + 1], speed[ROW], latency[ROW * ROW], squares = 0;
    ee_chain    chain;
    ee_plan    *plan = NULL;
    ee_forecast forecast;
    long_chain(k, &chain, work, reach, cut, speed, latency);
    CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&chain, plan, &forecast), EE_OK);
    CU_ASSERT_FALSE(ee_partition_feasible(&chain, nextafter(forecast.period, 0.0)));
    for (int s = 0; s < plan->n_stages; s++)
      squares += pow(ee_partition_stage_seconds(&chain, plan, s), 2);
    aim wanted = least_aim(&chain, forecast.period);
    CU_ASSERT_EQUAL(plan->n_stages, wanted.stages);
    CU_ASSERT_EQUAL(squares, wanted.squares);
    ee_plan_destroy(&plan);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(among_all_plans_of_exact_loads_it_finds_the_documented_one),
    EE_FACT(no_plan_of_uneven_loads_has_a_shorter_period),
    EE_FACT(rounding_does_not_add_stages),
    EE_FACT(slow_links_leave_devices_idle),
    EE_FACT(what_does_not_fit_is_refused_by_name),
    EE_FACT(plans_of_long_chains_have_the_fewest_stages_and_least_squares),
    EE_FACT(a_wide_fleet_gets_a_plan_that_the_probe_confirms),
    {NULL, NULL},
};
