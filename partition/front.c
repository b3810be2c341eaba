/* SPDX-License-Identifier: Apache-2.0 */
/* What latency costs in throughput: from the plan of least latency down to the shortest period. */
#include <math.h>
#include <stdlib.h>

#include "latency.h"

#define SAME_PERIOD 1e-12   // relative
#define SAME_LATENCY 1e-11  // relative

static ee_status find_within(ee_latency_search *s, double period, ee_tradeoff *point) {
  ee_forecast forecast;
  *point = (ee_tradeoff){0};
  EE_TRY(ee_latency_search_run(s, period, &point->plan));
  if (point->plan == NULL) return EE_OK;

  ee_status status = ee_partition_forecast(s->loads.chain, point->plan, &forecast);
  if (status != EE_OK) ee_plan_destroy(&point->plan);
  point->period  = forecast.period;
  point->latency = forecast.latency;
  return status;
}

/* The best plan with a period that is less. */
static ee_status find_below(ee_latency_search *s, double period, ee_tradeoff *point) {
  *point = (ee_tradeoff){0};
  return period > 0.0 ? find_within(s, period * (1.0 - SAME_PERIOD), point) : EE_OK;
}

static bool as_early(const ee_tradeoff *point, double latency) {
  return point->plan != NULL && point->latency <= latency * (1.0 + SAME_LATENCY);
}

static void replace(ee_tradeoff *point, ee_tradeoff *by) {
  ee_plan_destroy(&point->plan);
  *point = *by;
  *by    = (ee_tradeoff){0};
}

/* Shorten the period of `point` as far as its latency stays; `next`, the best plan with a period
 * less than that, is known to be as early. */
static ee_status bisect(ee_latency_search *s, ee_tradeoff *point, ee_tradeoff *next) {
  double latency = point->latency, low = ee_partition_lower_bound(s->loads.chain);
  replace(point, next);
  while (point->period - low > SAME_PERIOD * point->period) {
    double middle = low + (point->period - low) / 2.0;
    EE_TRY(find_within(s, middle, next));
    if (as_early(next, latency)) {
      replace(point, next);
    } else {
      low = middle;
      ee_plan_destroy(&next->plan);
    }
  }
  return find_below(s, point->period, next);
}

/* Make `point`, of least latency within some period, the one of shortest period among equals.
 * next: the plan of least latency with a shorter period; without a plan if there is none. */
static ee_status settle(ee_latency_search *s, ee_tradeoff *point, ee_tradeoff *next) {
  EE_TRY(find_below(s, point->period, next));
  return as_early(next, point->latency) ? bisect(s, point, next) : EE_OK;
}

ee_status ee_fail_too_short(const ee_chain *chain, double period) {
  ee_plan    *plan = NULL;
  ee_forecast shortest;
  EE_TRY(ee_partition_find(ee_planner_by_name("exact"), chain, &plan));
  ee_status status = ee_partition_forecast(chain, plan, &shortest);
  ee_plan_destroy(&plan);
  EE_TRY(status);
  return EE_FAIL(EE_ERR_ARG, "no plan has a period of %g s or less; the shortest is %.9g s", period,
                 shortest.period);
}

static ee_status find(ee_latency_search *s, double period, ee_plan **plan) {
  ee_tradeoff point = {0}, next = {0};
  EE_TRY(find_within(s, period * (1.0 + SAME_PERIOD), &point));
  if (point.plan == NULL) return ee_fail_too_short(s->loads.chain, period);

  ee_status status = settle(s, &point, &next);
  ee_plan_destroy(&next.plan);
  if (status != EE_OK) ee_plan_destroy(&point.plan);
  *plan = point.plan;
  return status;
}

ee_status ee_partition_latency_within(const ee_chain *chain, double period, ee_plan **plan) {
  ee_latency_search s;
  *plan = NULL;
  if (!(period >= 0.0)) {
    return EE_FAIL(EE_ERR_ARG, "the period is %g s, expected at least 0", period);
  }
  ee_status status = ee_latency_search_create(chain, &s);
  if (status == EE_OK) status = find(&s, period, plan);
  ee_latency_search_destroy(&s);
  return status;
}

ee_status ee_partition_latency(const ee_chain *chain, ee_plan **plan) {
  double most = chain->max_period > 0.0 ? chain->max_period : INFINITY;
  return ee_partition_latency_within(chain, most, plan);
}

/* Takes the plan of `point`, also on error. */
static ee_status append(ee_front *front, ee_tradeoff *point) {
  size_t       n    = (size_t)front->n + 1;
  ee_tradeoff *more = realloc(front->point, n * sizeof *more);
  if (more == NULL) {
    ee_plan_destroy(&point->plan);
    return EE_FAIL(EE_ERR_NOMEM, "for %d plans", front->n + 1);
  }
  front->point = more;
  more[n - 1]  = *point;
  front->n     = (int)n;
  *point       = (ee_tradeoff){0};
  return EE_OK;
}

static ee_status sweep(ee_latency_search *s, ee_front *front) {
  ee_tradeoff point = {0}, next = {0};
  ee_status   status = find_within(s, INFINITY, &point);
  if (status == EE_OK && point.plan == NULL) status = ee_fail_too_short(s->loads.chain, INFINITY);
  while (status == EE_OK && point.plan != NULL) {
    status = settle(s, &point, &next);
    if (status == EE_OK) status = append(front, &point);
    if (status == EE_OK) replace(&point, &next);
  }
  ee_plan_destroy(&point.plan);
  ee_plan_destroy(&next.plan);
  return status;
}

ee_status ee_partition_front(const ee_chain *chain, ee_front **front) {
  ee_latency_search s;
  *front           = NULL;
  ee_status status = ee_latency_search_create(chain, &s);
  ee_front *all    = calloc(1, sizeof *all);
  if (status == EE_OK && all == NULL) status = EE_FAIL(EE_ERR_NOMEM, "for plans");
  if (status == EE_OK) status = sweep(&s, all);
  ee_latency_search_destroy(&s);
  if (status != EE_OK) ee_front_destroy(&all);
  *front = all;
  return status;
}

void ee_front_destroy(ee_front **front) {
  if (*front == NULL) return;
  for (int k = 0; k < (*front)->n; k++) ee_plan_destroy(&(*front)->point[k].plan);
  free((*front)->point);
  free(*front);
  *front = NULL;
}
