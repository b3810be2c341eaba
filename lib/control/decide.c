/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include <math.h>
#include <string.h>

#include "ee/rng.h"
#include "objective.h"
#include "rules.h"

void ee_decider_switched(ee_decider *decider, ee_estimate *estimate, const ee_plan *plan,
                         int cooling) {
  size_t bytes     = (size_t)estimate->n_devices * sizeof *estimate->speed;
  decider->held    = 0;
  decider->cooling = cooling;
  decider->watched = ee_plan_hash(plan);
  memcpy(estimate->old_speed, estimate->speed, bytes);
}

/* Where it stands what a plan's forecast is to be multiplied by; -1 if it missed nothing. */
static int missed_plan(const ee_decider *d, const ee_plan *plan) {
  uint64_t hash = ee_plan_hash(plan);
  for (int i = 0; i < EE_MISSED_PLANS; i++) {
    if (d->missed[i].epochs > 0 && d->missed[i].plan == hash) return i;
  }
  return -1;
}

static double missed_factor(const ee_decider *d, const ee_plan *plan) {
  int i = missed_plan(d, plan);
  return i < 0 ? 1.0 : d->missed[i].factor;
}

/* A free place, or the one that would be free first. */
static ee_missed_plan *longest_ago(ee_decider *d) {
  ee_missed_plan *first = d->missed;
  for (int i = 1; i < EE_MISSED_PLANS; i++) {
    if (d->missed[i].epochs < first->epochs) first = &d->missed[i];
  }
  return first;
}

static void remember(ee_decider *d, const ee_plan *plan, double factor) {
  int             at    = missed_plan(d, plan);
  ee_missed_plan *place = at >= 0 ? &d->missed[at] : longest_ago(d);
  *place                = (ee_missed_plan){ee_plan_hash(plan), factor, EE_MISSED_EPOCHS};
}

static bool all_away(const ee_chain *chain) {
  for (int d = 0; d < chain->n_devices; d++) {
    if (chain->speed[d] > 0.0) return false;
  }
  return true;
}

/* What a plan promises, by the figure that plans are compared by: no period is shorter than the
 * source's. */
static double promise(const ee_choice *c, ee_forecast *forecast) {
  return fmax(*ee_objective(c->by_latency, forecast), c->least);
}

/* When a plan has served for a while: is it as good as the speeds before it promised? */
static ee_status watch(ee_decider *d, const ee_choice *c) {
  const ee_estimate *e      = c->estimate;
  const ee_plan     *plan   = c->plan;
  ee_chain           before = e->chain;
  ee_forecast        forecast;
  for (int i = 0; i < EE_MISSED_PLANS; i++) d->missed[i].epochs -= d->missed[i].epochs > 0;
  if (d->watched == 0 || d->cooling > 0) return EE_OK;
  before.speed = e->old_speed;
  if (d->watched == ee_plan_hash(plan) && !all_away(&before)) {  // else nothing was promised
    EE_TRY(ee_partition_forecast(&before, plan, &forecast));
    double promised = promise(c, &forecast);
    if (isfinite(c->T) && c->T > promised) remember(d, plan, c->T / promised);
  }
  d->watched = 0;
  return EE_OK;
}

/* Whether the other plan is one to move to; if not, why. */
static ee_verdict judge(const ee_choice *c) {
  if (ee_plan_equal(c->plan, c->other) || c->B >= c->T) return EE_VERDICT_KEPT_BEST;
  if (c->remaining <= 0.0) return EE_VERDICT_KEPT_COST;  // nobody would follow it
  if (isinf(c->T)) return EE_VERDICT_ADOPTED;            // a device of the plan is away
  return c->options->rule->judge(c);
}

/* The present plan with turns in proportion to the speeds of now, if it gains half of what a move
 * must and fits; else NULL.  Only messages are in memory twice. */
static ee_status deal_anew(const ee_choice *c, ee_plan **step) {
  const ee_estimate *e = c->estimate;
  ee_forecast        forecast;
  EE_TRY(ee_plan_copy(c->plan, step));
  ee_status status = ee_partition_deal(&e->chain, *step);
  if (status == EE_OK) status = ee_partition_forecast(&e->chain, *step, &forecast);
  if (status != EE_OK || ee_move_shortage(e, c->plan, *step).device >= 0 ||
      promise(c, &forecast) > c->T * (1.0 - c->options->min_gain / 2.0) ||
      ee_plan_equal(c->plan, *step)) {
    ee_plan_destroy(step);
  }
  return status;
}

/* What is adopted must fit beside the present plan, or a plan on the way to it must, and be better
 * than the present one; or else turns may change. */
static ee_status fit(const ee_choice *c, ee_decision_record *record) {
  const ee_chain *chain = &c->estimate->chain;
  ee_plan        *step  = NULL;
  ee_forecast     forecast;
  if (record->verdict != EE_VERDICT_ADOPTED || isinf(c->T)) return EE_OK;
  record->shortage = ee_move_shortage(c->estimate, c->plan, c->other);
  if (record->shortage.device < 0) return EE_OK;
  record->verdict = EE_VERDICT_KEPT_MEMORY;
  EE_TRY(ee_move_step(c->estimate, c->plan, c->other, &step));
  if (step == NULL && c->plan->n_replicas > 0) EE_TRY(deal_anew(c, &step));
  if (step == NULL) return EE_OK;
  ee_status status = ee_partition_forecast(chain, step, &forecast);
  if (status != EE_OK || promise(c, &forecast) >= c->T) {
    ee_plan_destroy(&step);
    return status;
  }
  ee_plan_destroy(&record->best);
  record->best         = step;
  record->verdict      = EE_VERDICT_ADOPTED;
  record->period_best  = fmax(forecast.period, c->estimate->least_period);
  record->latency_best = forecast.latency;
  record->moved_bytes  = ee_partition_moved_bytes(chain, c->plan, step);
  return EE_OK;
}

/* A rule that looks at random times draws the epochs until the next one from 1 to twice the mean
 * less 1. */
static bool looks(ee_decider *d, const ee_controller_options *o) {
  if (!o->rule->at_random_times) return true;
  if (d->looks > 0 && --d->until_look > 0) return false;
  ee_rng rng    = ee_rng_at(o->seed, d->looks);
  d->until_look = 1 + (int)ee_rng_below(&rng, 2 * (uint64_t)o->look_every - 1);
  return d->looks++ > 0;
}

/* The rule over time: a gain must hold, and moves keep their distance; but who leaves does not
 * wait. */
static ee_verdict weigh(ee_decider *d, const ee_controller_options *o, bool leaving,
                        ee_verdict judged) {
  bool look = looks(d, o);
  if (judged != EE_VERDICT_ADOPTED) {
    d->held = 0;
    return judged;
  }
  d->held++;
  if (leaving) return o->rebalance ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_OFF;
  if (!look) return EE_VERDICT_KEPT_UNSEEN;
  if (o->rule->patient && d->cooling > 0) return EE_VERDICT_KEPT_COOLING;
  if (o->rule->patient && d->held < o->hold) return EE_VERDICT_KEPT_WAIT;
  return o->rebalance ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_OFF;
}

/* In place of the best plan the one that moves least, if its period is close to the best and the
 * gain still large enough. */
static ee_status prefer_near(ee_choice *c, ee_plan **other) {
  const ee_controller_options *o     = c->options;
  const ee_chain              *chain = &c->estimate->chain;
  double                       near  = fmax(c->best.period, c->least) * (1.0 + o->near);
  double   limit = fmin(near, fmax(c->now.period, c->least) * (1.0 - o->min_gain));
  ee_plan *calm  = NULL;
  if (!o->rule->near || !o->planner->in_order || o->near <= 0.0 || limit < c->best.period) {
    return EE_OK;
  }
  EE_TRY(ee_partition_least_moved(chain, c->plan, limit, &calm));
  ee_plan_destroy(other);
  *other = calm;
  return ee_partition_forecast(chain, calm, &c->best);
}

/* The planner's plan.  If none keeps to the longest period that is allowed, the one that comes
 * closest. */
static ee_status find_best(const ee_controller_options *o, const ee_chain *chain, ee_plan **plan) {
  ee_status status = ee_partition_find(o->planner, chain, plan);
  if (status == EE_OK || !o->planner->by_latency || chain->max_period <= 0.0) return status;
  return ee_partition_find(ee_planner_by_name("exact"), chain, plan);
}

/* The plan to be judged, the caller's, and what it promises; NULL if none fits, for example when a
 * memory limit is too small. */
static ee_status find_other(const ee_decider *d, ee_choice *c, ee_plan **other) {
  const ee_controller_options *o     = c->options;
  const ee_chain              *chain = &c->estimate->chain;
  if (find_best(o, chain, other) != EE_OK) return EE_OK;
  EE_TRY(ee_partition_forecast(chain, *other, &c->best));
  EE_TRY(prefer_near(c, other));
  double factor = missed_factor(d, *other);
  *ee_objective(c->by_latency, &c->best) *= factor;
  c->B     = promise(c, &c->best);
  c->other = *other;
  return EE_OK;
}

/* The shortest period that is a gain.  A present plan above a longest period that is asked for is
 * to come below it, whatever the source does. */
static double least_period(const ee_choice *c) {
  bool asked = c->options->planner->by_latency && c->estimate->chain.max_period > 0.0;
  return c->by_latency || asked ? 0.0 : c->estimate->least_period;
}

ee_status ee_decide(ee_decider *decider, const ee_controller_options *options,
                    const ee_estimate *estimate, const ee_plan *plan, double remaining,
                    ee_decision_record *record) {
  const ee_chain *chain = &estimate->chain;
  ee_choice c = {.options = options, .estimate = estimate, .plan = plan, .remaining = remaining};
  *record     = (ee_decision_record){.verdict = EE_VERDICT_FAILED, .shortage = {.device = -1}};
  if (!all_away(chain)) {  // else there is nothing to plan with: they serve what they own
    EE_TRY(ee_partition_forecast(chain, plan, &c.now));
    c.by_latency = ee_objective_is_latency(options->planner, chain, &c.now);
    c.least      = least_period(&c);
    c.T          = promise(&c, &c.now);
    EE_TRY(watch(decider, &c));
    record->by_latency  = c.by_latency;
    record->period_now  = fmax(c.now.period, estimate->least_period);
    record->latency_now = c.now.latency;
    EE_TRY(find_other(decider, &c, &record->best));
  }
  if (c.other == NULL) {  // the present one stays
    record->verdict = weigh(decider, options, false, EE_VERDICT_FAILED);
    return EE_OK;
  }
  record->period_best  = fmax(c.best.period, estimate->least_period);
  record->latency_best = c.best.latency;
  record->moved_bytes  = ee_partition_moved_bytes(chain, plan, c.other);
  record->verdict      = EE_VERDICT_ADOPTED;
  if (!options->always || ee_plan_equal(plan, c.other)) {
    record->verdict = judge(&c);
    EE_TRY(fit(&c, record));
    record->verdict = weigh(decider, options, isinf(c.T), record->verdict);
  }
  if (decider->cooling > 0) decider->cooling--;
  return EE_OK;
}
