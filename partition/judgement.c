/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a plan: against one device alone, by exit heads, and device by device against the plans
 * that there would be without it or with it. */
#include "ee/judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"

/** A chain of which some devices are left out and one may be freed of its limits. */
typedef struct bench {
  const ee_chain   *chain;  // borrowed
  const ee_planner *planner;
  double            max_period;
  double           *speed, *memory, *bandwidth, *latency;  // what may be changed
} bench;

static ee_status bench_create(const ee_chain *chain, bench *b) {
  size_t n = (size_t)chain->n_devices;
  b->speed = calloc(n + 1, 2 * n * sizeof *b->speed);
  if (b->speed == NULL) return EE_FAIL(EE_ERR_NOMEM, "to judge %d devices", chain->n_devices);
  b->memory    = b->speed + n;
  b->bandwidth = b->memory + n;
  b->latency   = b->bandwidth + n * n;
  return EE_OK;
}

/* The whole chain again, in memory that may be changed. */
static ee_chain restore(const bench *b) {
  const ee_chain *c     = b->chain;
  size_t          n     = (size_t)c->n_devices;
  ee_chain        chain = *c;
  memcpy(b->speed, c->speed, n * sizeof *b->speed);
  if (c->memory != NULL) memcpy(b->memory, c->memory, n * sizeof *b->memory);
  if (c->bandwidth != NULL) memcpy(b->bandwidth, c->bandwidth, n * n * sizeof *b->bandwidth);
  if (c->latency != NULL) memcpy(b->latency, c->latency, n * n * sizeof *b->latency);
  chain.speed       = b->speed;
  chain.memory      = c->memory != NULL ? b->memory : NULL;
  chain.bandwidth   = c->bandwidth != NULL ? b->bandwidth : NULL;
  chain.latency     = c->latency != NULL ? b->latency : NULL;
  chain.links_alike = false;
  return chain;
}

/* The devices in use and device d. */
static ee_chain choose_with(const bench *b, const ee_judgement *v, int d) {
  ee_chain chain = restore(b);
  for (int other = 0; other < chain.n_devices; other++) {
    if (other != d && v->device[other].stage < 0) b->speed[other] = 0.0;
  }
  return chain;
}

/* All devices but d. */
static ee_chain choose_without(const bench *b, int d) {
  ee_chain chain = restore(b);
  b->speed[d]    = 0.0;
  return chain;
}

/* What a planner promises for a chain; no plan takes for ever. */
static ee_status promise(const ee_planner *planner, double max_period, const ee_chain *chain,
                         double *period, double *latency) {
  ee_plan    *plan = NULL;
  ee_forecast forecast;
  *period = *latency = INFINITY;
  ee_status status   = max_period > 0.0 ? ee_partition_latency_within(chain, max_period, &plan)
                                        : ee_partition_find(planner, chain, &plan);
  if (status == EE_ERR_ARG) return EE_OK;  // it found none
  EE_TRY(status);
  status = ee_partition_forecast(chain, plan, &forecast);
  ee_plan_destroy(&plan);
  EE_TRY(status);
  *period  = forecast.period;
  *latency = forecast.latency;
  return EE_OK;
}

/* Whether the exact plan for a chain has a shorter period than the one that is judged. */
static ee_status would_help(const ee_judgement *v, const ee_chain *chain, bool *helps) {
  double period, latency;
  EE_TRY(promise(ee_planner_by_name("exact"), 0.0, chain, &period, &latency));
  *helps = period < v->forecast.period * (1 - EE_JUDGEMENT_MARGIN);
  return EE_OK;
}

static void free_links(const bench *b, ee_chain *chain, int d) {
  size_t n = (size_t)chain->n_devices;
  for (size_t other = 0; other < n; other++) {
    size_t to = (size_t)d * n + other, from = other * n + (size_t)d;
    if (chain->bandwidth != NULL) b->bandwidth[to] = b->bandwidth[from] = 0.0;
    if (chain->latency != NULL) b->latency[to] = b->latency[from] = 0.0;
  }
}

/* Why device d, which is idle and present, does not help. */
static ee_status find_reason(const bench *b, const ee_judgement *v, int d, ee_idle *idle) {
  bool     helps;
  ee_chain chain = choose_with(b, v, d);
  EE_TRY(would_help(v, &chain, &helps));
  *idle = helps ? EE_IDLE_PLANNER : EE_IDLE_SPARE;
  if (helps) return EE_OK;

  free_links(b, &chain, d);
  EE_TRY(would_help(v, &chain, &helps));
  if (helps) *idle = EE_IDLE_LINK;
  if (helps || !ee_chain_limited(b->chain, d)) return EE_OK;

  chain        = choose_with(b, v, d);
  b->memory[d] = 0.0;
  EE_TRY(would_help(v, &chain, &helps));
  if (helps) *idle = EE_IDLE_MEMORY;
  return EE_OK;
}

static ee_status judge_device(const bench *b, const ee_judgement *v, int d, ee_device_worth *one) {
  bool used          = one->stage >= 0;
  one->other_period  = NAN;
  one->other_latency = NAN;
  one->idle          = used ? EE_IDLE_NOT : EE_IDLE_UNTRIED;
  if (!used && !ee_chain_present(b->chain, d)) one->idle = EE_IDLE_AWAY;
  if (one->idle == EE_IDLE_AWAY || b->speed == NULL) return EE_OK;

  ee_chain chain = used ? choose_without(b, d) : choose_with(b, v, d);
  EE_TRY(promise(b->planner, b->max_period, &chain, &one->other_period, &one->other_latency));
  if (!used && !isfinite(one->other_period)) one->idle = EE_IDLE_UNPLANNED;
  return used || one->idle == EE_IDLE_UNPLANNED ? EE_OK : find_reason(b, v, d, &one->idle);
}

/* The device that is best with all layers on it, whose plan promises what ee_partition_forecast()
 * would say of it. */
static ee_status find_alone(const ee_chain *chain, bool by_latency, ee_judgement *v) {
  ee_loads loads;
  int      end    = chain->n_layers;
  v->alone        = -1;
  v->alone_period = v->alone_latency = INFINITY;
  EE_TRY(ee_loads_create(chain, &loads));
  for (int d = 0; d < chain->n_devices; d++) {
    if (!ee_chain_present(chain, d) || !ee_stage_fits(&loads, d, 0, end)) continue;
    double load    = ee_stage_load(&loads, d, 0, end);
    double period  = fmax(load, ee_source_load(chain, d));
    double latency = load + ee_source_delay(chain, d);
    if (by_latency ? latency >= v->alone_latency : period >= v->alone_period) continue;
    v->alone         = d;
    v->alone_period  = period;
    v->alone_latency = latency;
  }
  ee_loads_destroy(&loads);
  return EE_OK;
}

int ee_partition_head(const ee_chain *chain, const ee_plan *plan, const ee_forecast *forecast,
                      double *share) {
  int head = -1;
  *share   = 0.0;
  if (forecast->link || !(forecast->period > 0.0)) return head;
  for (int e = 0; e < chain->n_exits; e++) {
    if (ee_plan_stage_of_layer(plan, chain->attach[e]) != forecast->stage) continue;
    double one = ee_partition_head_seconds(chain, plan, e) / forecast->period;
    *share += one;
    if (one > 0.5) head = e;
  }
  return head;
}

static ee_status judge(const ee_planner *planner, const ee_plan *plan, bench *b, ee_judgement *v) {
  const ee_chain *chain      = b->chain;
  bool            by_latency = planner->by_latency || b->max_period > 0.0;
  EE_TRY(ee_partition_forecast(chain, plan, &v->forecast));
  if (planner->replicates) v->forecast.lower_bound = ee_partition_spread_bound(chain);
  EE_TRY(find_alone(chain, by_latency, v));
  for (int d = 0; d < chain->n_devices; d++) {
    int s              = ee_plan_stage_of_device(plan, d);
    v->device[d].stage = s;
    if (s < 0) continue;
    v->device[d].seconds = ee_partition_device_seconds(chain, plan, d);
    v->device[d].bytes   = ee_partition_stage_bytes(chain, plan, s);
  }
  if (chain->n_devices <= EE_JUDGEMENT_MOST) EE_TRY(bench_create(chain, b));
  for (int d = 0; d < chain->n_devices; d++) EE_TRY(judge_device(b, v, d, &v->device[d]));
  return EE_OK;
}

ee_status ee_partition_judge(const ee_chain *chain, const ee_planner *planner, double max_period,
                             const ee_plan *plan, ee_judgement **judgement) {
  bench b    = {.chain = chain, .planner = planner, .max_period = max_period};
  *judgement = NULL;
  EE_TRY(ee_chain_check(chain));
  ee_judgement *v = calloc(1, sizeof *v);
  if (v != NULL) v->device = calloc((size_t)chain->n_devices, sizeof *v->device);
  if (v == NULL || v->device == NULL) {
    free(v);
    return EE_FAIL(EE_ERR_NOMEM, "to judge %d devices", chain->n_devices);
  }
  v->n_devices     = chain->n_devices;
  ee_status status = judge(planner, plan, &b, v);
  free(b.speed);  // one block: speed, memory, bandwidth, latency
  if (status != EE_OK) ee_judgement_destroy(&v);
  *judgement = v;
  return status;
}

bool ee_judgement_is_better(const ee_judgement *judgement, bool by_latency, double period,
                            double latency) {
  double now = by_latency ? judgement->forecast.latency : judgement->forecast.period;
  return (by_latency ? latency : period) < now * (1 - EE_JUDGEMENT_MARGIN);
}

void ee_judgement_destroy(ee_judgement **judgement) {
  if (*judgement == NULL) return;
  free((*judgement)->device);
  free(*judgement);
  *judgement = NULL;
}
