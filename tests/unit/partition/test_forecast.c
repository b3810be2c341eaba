/* SPDX-License-Identifier: Apache-2.0 */
/* Forecasts against the formulas of the header, summed term by term. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "random_chain.h"

#define CHAINS 3000

/* Any valid plan: random cuts on random devices, in any order, also those that are away. */
static void random_plan(ee_rng *rng, const ee_chain *c, ee_plan **plan) {
  int most = c->n_layers < c->n_devices ? c->n_layers : c->n_devices, n = 1 + below(rng, most);
  int device[MOST_DEVICES];
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(c->n_layers, c->n_devices, n, plan), EE_OK);
  for (int d = 0; d < c->n_devices; d++) {  // a random permutation
    int other     = below(rng, d + 1);
    device[d]     = device[other];
    device[other] = d;
  }
  for (int s = 0, begin = 0; s < n; s++) {
    int end = s == n - 1 ? c->n_layers : begin + 1 + below(rng, c->n_layers - begin - (n - 1 - s));
    (*plan)->stage[s] = (ee_stage){begin, end, device[s]};
    begin             = end;
  }
  CU_ASSERT_EQUAL_FATAL(ee_plan_check(*plan), EE_OK);
}

/* Period, latency and bottleneck by the formulas; loads are exact, so equality is equality. */
static ee_forecast forecast_by_formula(const ee_chain *c, const ee_plan *plan) {
  ee_forecast f = {.period = -1.0};
  for (int s = 0; s < plan->n_stages; s++) {
    const ee_stage *g = &plan->stage[s];
    double load       = c->speed[g->device] > 0.0 ? stage_by_formula(c, g->device, g->begin, g->end)
                                                  : (double)INFINITY;
    if (load > f.period) f = (ee_forecast){.period = load, .stage = s, .latency = f.latency};
    f.latency += load;
  }
  for (int s = -1; s < plan->n_stages - 1; s++) {
    int from = s < 0 ? c->source : plan->stage[s].device, to = plan->stage[s + 1].device;
    int cut = plan->stage[s + 1].begin;
    if (from < 0 || from == to) continue;
    double load = link_by_formula(c, from, to, cut);
    if (load > f.period)
      f = (ee_forecast){.period = load, .link = true, .stage = s, .latency = f.latency};
    f.latency += delay_by_formula(c, from, to, cut);
  }
  return f;
}

static void period_latency_and_bottleneck_follow_the_formulas(void) {
  int links = 0, away = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_forecast  forecast;
    ee_rng       rng = ee_rng_at(4, k);
    random_chain_draw(k, true, &r);
    random_plan(&rng, &r.chain, &plan);
    ee_forecast wanted = forecast_by_formula(&r.chain, plan);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &forecast), EE_OK);
    CU_ASSERT_EQUAL(forecast.period, wanted.period);
    CU_ASSERT_EQUAL(forecast.latency, wanted.latency);
    CU_ASSERT_EQUAL(forecast.link, wanted.link);
    CU_ASSERT_EQUAL(forecast.stage, wanted.stage);
    links += forecast.link;
    away += isinf(forecast.period) != 0;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(links > CHAINS / 40 && away > CHAINS / 20);  // every kind was met
}

static void single_stages_and_links_have_the_seconds_of_the_forecast(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_forecast  forecast;
    random_chain_draw(k, false, &r);
    if (ee_partition_exact(&r.chain, &plan) != EE_OK) continue;
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &forecast), EE_OK);
    double most = ee_partition_link_seconds(&r.chain, plan, -1);
    for (int s = 0; s < plan->n_stages; s++) {
      most = fmax(most, ee_partition_stage_seconds(&r.chain, plan, s));
      most = fmax(most, ee_partition_link_seconds(&r.chain, plan, s));
    }
    CU_ASSERT_EQUAL(most, forecast.period);  // the same doubles
    CU_ASSERT_EQUAL(ee_partition_link_seconds(&r.chain, plan, plan->n_stages - 1), 0.0);
    ee_plan_destroy(&plan);
  }
}

static void the_lower_bound_is_the_formula_and_below_the_best_of_all_plans(void) {
  int tight = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    random_chain_draw(k, true, &r);
    double work = 0.0, heaviest = 0.0, speed = 0.0, fastest = 0.0;
    for (int d = 0; d < r.chain.n_devices; d++) speed += r.speed[d];
    for (int d = 0; d < r.chain.n_devices; d++) fastest = fmax(fastest, r.speed[d]);
    for (int l = 0; l < r.chain.n_layers; l++) {
      double alone = r.reach[l] * r.work[l];
      for (int e = 0; e < r.chain.n_exits; e++)
        alone += r.attach[e] == l ? r.reach[l] * r.head_work[e] : 0.0;
      work += alone;
      heaviest = fmax(heaviest, alone);
    }
    double bound = ee_partition_lower_bound(&r.chain);
    CU_ASSERT_EQUAL(bound, fmax(work / speed, heaviest / fastest));
    best_plan best = best_of_all_plans(&r.chain);
    CU_ASSERT_TRUE(!best.found || bound <= best.period * (1 + 1e-15));
    tight += best.found && bound >= best.period * (1 - 1e-15);
  }
  CU_ASSERT_TRUE(tight > CHAINS / 20);  // a bound that is never met would say little
}

static void moved_bytes_are_those_of_layers_whose_device_differs(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *before = NULL, *after = NULL;
    ee_rng       rng = ee_rng_at(5, k);
    random_chain_draw(k, true, &r);
    random_plan(&rng, &r.chain, &before);
    random_plan(&rng, &r.chain, &after);
    double bytes = 0.0;
    for (int l = 0; l < r.chain.n_layers; l++) {
      int owner[2] = {-1, -1};
      for (int s = 0; s < before->n_stages; s++) {
        if (before->stage[s].begin <= l && l < before->stage[s].end)
          owner[0] = before->stage[s].device;
      }
      for (int s = 0; s < after->n_stages; s++) {
        if (after->stage[s].begin <= l && l < after->stage[s].end)
          owner[1] = after->stage[s].device;
      }
      if (owner[0] != owner[1] && r.chain.weight_bytes != NULL) bytes += r.weight_bytes[l];
    }
    CU_ASSERT_EQUAL(ee_partition_moved_bytes(&r.chain, before, after), bytes);
    CU_ASSERT_EQUAL(ee_partition_moved_bytes(&r.chain, before, before), 0.0);
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
}

static void a_plan_fits_if_every_stage_does(void) {
  int refused = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_rng       rng  = ee_rng_at(6, k);
    bool         fits = true;
    random_chain_draw(k, true, &r);
    random_plan(&rng, &r.chain, &plan);
    for (int s = 0; s < plan->n_stages; s++) {
      fits = fits && fits_by_formula(&r.chain, plan->stage[s].device, plan->stage[s].begin,
                                     plan->stage[s].end);
    }
    CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), fits ? EE_OK : EE_ERR_ARG);
    refused += !fits;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(refused > CHAINS / 20 && refused < CHAINS / 2);
}

static void a_plan_for_another_chain_is_refused(void) {
  random_chain r;
  ee_plan     *plan = NULL;
  ee_forecast  forecast;
  random_chain_draw(0, true, &r);
  CU_ASSERT_EQUAL_FATAL(ee_plan_uniform(r.chain.n_layers + 1, r.chain.n_devices, &plan), EE_OK);
  CU_ASSERT_EQUAL(ee_partition_forecast(&r.chain, plan, &forecast), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), EE_ERR_ARG);
  ee_plan_destroy(&plan);
}

/* Two layers on two devices that compute in no time; 1,000 bytes at 1,000 byte/s, 2 s there and 3 s
 * back, batches of four: a batch is transmitted in 4 s times its reach and comes back 5 s later. */
static void a_link_takes_transmission_or_a_window_per_round_trip(void) {
  double   work[] = {0, 0}, cut[] = {0, 1000, 0}, speed[] = {1, 1}, reach[] = {1, 1};
  double   bandwidth[] = {0, 1000, 1000, 0}, latency[] = {0, 2, 3, 0};
  ee_chain chain = {.n_layers        = 2,
                    .n_devices       = 2,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .bandwidth       = bandwidth,
                    .latency         = latency,
                    .message_samples = 4,
                    .source          = -1};
  struct {
    int    slots;
    double reach, period, latency;
  } point[]     = {{1, 1.0, 9.0 / 4, 3},                // one batch after the other
                   {2, 1.0, 9.0 / 4 / 2, 3},            // two of them
                   {3, 1.0, 1.0, 3},                    // transmission alone
                   {1, 0.5, 5.0 * 15 / 64 + 0.5, 1.5},  // of 16 batches 15 have survivors
                   {2, 0.5, (5.0 * 15 / 64 + 0.5) / 2, 1.5},
                   {2, 0.0, 0.0, 0.0}};  // nobody comes
  ee_plan *plan = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_plan_uniform(2, 2, &plan), EE_OK);
  for (size_t k = 0; k < sizeof point / sizeof point[0]; k++) {
    ee_forecast forecast;
    chain.slots = point[k].slots;
    reach[1]    = point[k].reach;
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&chain, plan, &forecast), EE_OK);
    CU_ASSERT_DOUBLE_EQUAL(forecast.period, point[k].period, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(forecast.latency, point[k].latency, 1e-12);
  }
  ee_plan_destroy(&plan);
}

const ee_fact ee_facts[] = {
    EE_FACT(period_latency_and_bottleneck_follow_the_formulas),
    EE_FACT(a_link_takes_transmission_or_a_window_per_round_trip),
    EE_FACT(single_stages_and_links_have_the_seconds_of_the_forecast),
    EE_FACT(the_lower_bound_is_the_formula_and_below_the_best_of_all_plans),
    EE_FACT(moved_bytes_are_those_of_layers_whose_device_differs),
    EE_FACT(a_plan_fits_if_every_stage_does),
    EE_FACT(a_plan_for_another_chain_is_refused),
    {NULL, NULL},
};
