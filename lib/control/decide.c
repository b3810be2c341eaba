/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include <math.h>
#include <string.h>

/* Seconds that the bottleneck of a plan is busy with a sample that leaves at exit x. */
static double seconds_at(const ee_estimate *e, const ee_plan *plan, const ee_forecast *f, int x) {
  const ee_chain *c    = &e->chain;
  int             last = c->attach[x];
  double          work = 0.0;
  if (f->link) {
    int cut  = f->stage >= 0 ? plan->stage[f->stage].end : 0;
    int from = f->stage >= 0 ? plan->stage[f->stage].device : c->source;
    int at   = from * e->n_devices + plan->stage[f->stage + 1].device;
    if (cut > last) return 0.0;
    double through = c->bandwidth[at] > 0.0 ? c->cut_bytes[cut] / c->bandwidth[at] : 0.0;
    return c->latency[at] / c->message_samples + through;
  }
  const ee_stage *s = &plan->stage[f->stage];
  for (int l = s->begin; l < s->end && l <= last; l++) work += c->work[l];
  for (int h = 0; h < c->n_exits; h++) {
    if (c->attach[h] >= s->begin && c->attach[h] < s->end && c->attach[h] <= last) {
      work += c->head_work[h];
    }
  }
  return work / c->speed[s->device];
}

/* Standard error of a period that comes from the speed of the bottleneck's device [s]. */
static double speed_part(const ee_estimate *e, const ee_plan *plan, const ee_forecast *f) {
  return f->link ? 0.0 : ee_estimate_speed_error(e, plan->stage[f->stage].device) * f->period;
}

double ee_gain_error(const ee_estimate *e, const ee_plan *now, const ee_forecast *f_now,
                     const ee_plan *best, const ee_forecast *f_best) {
  double mean = 0.0, square = 0.0, n = e->samples + e->model->n_exits;
  for (int x = 0; x < e->model->n_exits; x++) {
    double d     = seconds_at(e, now, f_now, x) - seconds_at(e, best, f_best, x);
    double share = (e->samples * e->share[x] + 1.0) / n;
    mean += share * d;
    square += share * d * d;
  }
  double counting = fmax(square - mean * mean, 0.0) / n;
  double a = speed_part(e, now, f_now), b = speed_part(e, best, f_best);
  bool   same = !f_now->link && !f_best->link &&
              now->stage[f_now->stage].device == best->stage[f_best->stage].device;
  double speeds = same ? (a - b) * (a - b) : a * a + b * b;  // one device errs once
  return sqrt(counting + speeds) / f_now->period;
}

double ee_move_seconds(const ee_estimate *e, const ee_plan *before, const ee_plan *after) {
  double slowest = 0.0;
  // Two devices have at most one run of layers to move, since a device has one stage in a plan.
  for (int a = 0, b = 0, l = 0; l < after->n_layers;) {
    const ee_stage *from = &before->stage[a], *to = &after->stage[b];
    int             end   = from->end < to->end ? from->end : to->end;
    int             at    = from->device * e->n_devices + to->device;
    double          bytes = 0.0;
    for (; l < end; l++) bytes += e->weight_bytes[l];
    double through = e->bandwidth[at] > 0.0 ? bytes / e->bandwidth[at] : 0.0;
    if (from->device != to->device) slowest = fmax(slowest, e->latency[at] + through);
    a += from->end == end;
    b += to->end == end;
  }
  return slowest;
}

/* Bytes of a stage of @p plan on device d: slots, and the weights of layers that @p other's stage
 * there does not hold. */
static double stage_bytes(const ee_chain *c, const ee_plan *plan, const ee_plan *other, int d) {
  int s = ee_plan_stage_of_device(plan, d);
  int o = other != NULL ? ee_plan_stage_of_device(other, d) : -1;
  if (s < 0) return 0.0;
  int    begin = plan->stage[s].begin, end = plan->stage[s].end;
  double bytes = c->slots * c->message_samples * (c->cut_bytes[begin] + c->cut_bytes[end]);
  for (int l = begin; l < end; l++) {
    bool held = o >= 0 && l >= other->stage[o].begin && l < other->stage[o].end;
    if (!held) bytes += c->weight_bytes[l];
  }
  return bytes;
}

bool ee_move_fits(const ee_estimate *e, const ee_plan *before, const ee_plan *after) {
  for (int d = 0; d < e->n_devices; d++) {
    double both =
        stage_bytes(&e->chain, before, NULL, d) + stage_bytes(&e->chain, after, before, d);
    if (e->memory[d] > 0.0 && ee_plan_stage_of_device(after, d) >= 0 && both > e->memory[d]) {
      return false;
    }
  }
  return true;
}

/* Whether the rest of the stream gains more than moving costs: the present plan goes on while the
 * weights travel, and may have no more of the links than they leave it. */
static bool pays(double now, double best, double remaining, double move) {
  return (remaining - move / now) * (now - best) > move;
}

void ee_decider_switched(ee_decider *decider, ee_estimate *estimate, const ee_plan *plan,
                         int cooling) {
  size_t bytes     = (size_t)estimate->n_devices * sizeof *estimate->speed;
  decider->held    = 0;
  decider->cooling = cooling;
  decider->watched = ee_plan_hash(plan);
  memcpy(estimate->old_speed, estimate->speed, bytes);
}

/* What a plan's forecast is to be multiplied by. */
static ee_missed_plan *missed_plan(ee_decider *d, const ee_plan *plan) {
  uint64_t hash = ee_plan_hash(plan);
  for (int i = 0; i < EE_MISSED_PLANS; i++) {
    if (d->missed[i].epochs > 0 && d->missed[i].plan == hash) return &d->missed[i];
  }
  return NULL;
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
  ee_missed_plan *place = missed_plan(d, plan);
  if (place == NULL) place = longest_ago(d);
  *place = (ee_missed_plan){ee_plan_hash(plan), factor, EE_MISSED_EPOCHS};
}

/* When a plan has served for a while: is it as fast as the speeds before it promised? */
static ee_status watch(ee_decider *d, const ee_estimate *e, const ee_plan *plan, double period) {
  ee_chain    before = e->chain;
  ee_forecast promised;
  for (int i = 0; i < EE_MISSED_PLANS; i++) d->missed[i].epochs -= d->missed[i].epochs > 0;
  if (d->watched == 0 || d->cooling > 0) return EE_OK;
  before.speed = e->old_speed;
  if (d->watched == ee_plan_hash(plan)) {
    EE_TRY(ee_partition_forecast(&before, plan, &promised));
    if (isfinite(period) && period > promised.period) remember(d, plan, period / promised.period);
  }
  d->watched = 0;
  return EE_OK;
}

/* Whether the gain is one that counts; if not, why. */
static ee_verdict judge(const ee_controller_options *o, const ee_estimate *e, const ee_plan *plan,
                        const ee_forecast *now, const ee_forecast *best, double remaining,
                        const ee_plan *other) {
  if (ee_plan_equal(plan, other) || best->period >= now->period) return EE_VERDICT_KEPT_BEST;
  if (isinf(now->period)) return EE_VERDICT_ADOPTED;  // a device of the plan is away

  double gain = (now->period - best->period) / now->period;
  double move = o->weights_from_file ? 0.0 : ee_move_seconds(e, plan, other);
  if (gain < o->min_gain) return EE_VERDICT_KEPT_SMALL;
  if (gain <= o->error_bars * ee_gain_error(e, plan, now, other, best)) {
    return EE_VERDICT_KEPT_NOISE;
  }
  if (!pays(now->period, best->period, remaining, move)) return EE_VERDICT_KEPT_COST;
  return ee_move_fits(e, plan, other) ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_MEMORY;
}

/* The rule over time: a gain must hold, and moves keep their distance; but who leaves does not
 * wait. */
static ee_verdict weigh(ee_decider *d, const ee_controller_options *o, bool leaving,
                        ee_verdict judged) {
  if (judged != EE_VERDICT_ADOPTED) {
    d->held = 0;
    return judged;
  }
  d->held++;
  if (leaving) return o->rebalance ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_OFF;
  if (d->cooling > 0) return EE_VERDICT_KEPT_COOLING;
  if (d->held < o->hold) return EE_VERDICT_KEPT_WAIT;
  return o->rebalance ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_OFF;
}

/* In place of the best plan the one that moves least, if its period is close to the best and the
 * gain still large enough. */
static ee_status prefer_near(const ee_controller_options *o, const ee_chain *chain,
                             const ee_plan *plan, const ee_forecast *now, ee_forecast *best,
                             ee_decision_record *record) {
  double   limit = fmin(best->period * (1.0 + o->near), now->period * (1.0 - o->min_gain));
  ee_plan *calm  = NULL;
  if (!o->planner->in_order || o->near <= 0.0 || limit < best->period) return EE_OK;
  EE_TRY(ee_partition_least_moved(chain, plan, limit, &calm));
  ee_plan_destroy(&record->best);
  record->best = calm;
  return ee_partition_forecast(chain, calm, best);
}

static bool all_away(const ee_chain *chain) {
  for (int d = 0; d < chain->n_devices; d++) {
    if (chain->speed[d] > 0.0) return false;
  }
  return true;
}

ee_status ee_decide(ee_decider *decider, const ee_controller_options *options,
                    const ee_estimate *estimate, const ee_plan *plan, double remaining,
                    ee_decision_record *record) {
  const ee_chain *chain = &estimate->chain;
  ee_forecast     now, best;
  *record = (ee_decision_record){.verdict = EE_VERDICT_FAILED};
  if (all_away(chain)) {  // there is nothing to plan with: they serve what they own
    record->verdict = weigh(decider, options, false, EE_VERDICT_FAILED);
    return EE_OK;
  }
  EE_TRY(ee_partition_forecast(chain, plan, &now));
  EE_TRY(watch(decider, estimate, plan, now.period));
  record->period_now = now.period;

  // No plan may fit, for example when a memory limit is too small: then the present one stays.
  if (ee_partition_find(options->planner, chain, &record->best) != EE_OK) {
    record->verdict = weigh(decider, options, false, EE_VERDICT_FAILED);
    return EE_OK;
  }
  EE_TRY(ee_partition_forecast(chain, record->best, &best));
  EE_TRY(prefer_near(options, chain, plan, &now, &best, record));
  const ee_missed_plan *missed = missed_plan(decider, record->best);
  if (missed != NULL) best.period *= missed->factor;
  record->period_best = best.period;
  record->moved_bytes = ee_partition_moved_bytes(chain, plan, record->best);
  record->verdict     = EE_VERDICT_ADOPTED;
  if (!options->always || ee_plan_equal(plan, record->best)) {
    record->verdict = weigh(decider, options, isinf(now.period),
                            judge(options, estimate, plan, &now, &best, remaining, record->best));
  }
  if (decider->cooling > 0) decider->cooling--;
  return EE_OK;
}
