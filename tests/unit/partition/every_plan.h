/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "random_chain.h"

/**
 * @file every_plan.h
 * All plans of a small chain one after the other, with period and latency by the formulas.
 */

/** A plan that fits on devices that are present. */
typedef struct seen_plan {
  double   period, latency;
  int      n_stages;
  ee_stage stage[MOST_DEVICES];
} seen_plan;

/** What is done with each plan. */
typedef struct plan_visitor {
  void (*see)(void *context, const seen_plan *plan);
  void *context;
  bool  any_order;  // else in the order of the devices
} plan_visitor;

static inline bool in_use(const seen_plan *plan, int d) {
  for (int s = 0; s < plan->n_stages; s++) {
    if (plan->stage[s].device == d) return true;
  }
  return false;
}

/* The plan so far with layers [begin, end) on device d behind it. */
static inline seen_plan with_stage(const ee_chain *c, const seen_plan *plan, ee_stage stage) {
  seen_plan next = *plan;
  int       from = plan->n_stages > 0 ? plan->stage[plan->n_stages - 1].device : c->source;
  bool      link = from >= 0 && from != stage.device;
  double    load = stage_by_formula(c, stage.device, stage.begin, stage.end);
  double    sent = link ? link_by_formula(c, from, stage.device, stage.begin) : 0.0;

  next.stage[next.n_stages++] = stage;
  next.latency += load + (link ? delay_by_formula(c, from, stage.device, stage.begin) : 0.0);
  if (load > next.period) next.period = load;
  if (sent > next.period) next.period = sent;
  return next;
}

static inline void every_plan_after(const ee_chain *c, const plan_visitor *visitor,
                                    const seen_plan *plan) {
  int n = plan->n_stages, begin = n > 0 ? plan->stage[n - 1].end : 0;
  int first = n > 0 && !visitor->any_order ? plan->stage[n - 1].device + 1 : 0;
  if (begin == c->n_layers) {
    visitor->see(visitor->context, plan);
    return;
  }
  for (int d = first; d < c->n_devices; d++) {
    if (c->speed[d] <= 0.0 || in_use(plan, d)) continue;
    for (int end = begin + 1; end <= c->n_layers; end++) {
      if (!fits_by_formula(c, d, begin, end)) continue;
      seen_plan next = with_stage(c, plan, (ee_stage){begin, end, d});
      every_plan_after(c, visitor, &next);
    }
  }
}

/** Look at every composition of the layers on every subset of the devices. */
static inline void every_plan(const ee_chain *c, plan_visitor visitor) {
  seen_plan empty = {0};
  every_plan_after(c, &visitor, &empty);
}
