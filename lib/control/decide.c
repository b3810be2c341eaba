/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include <math.h>
#include <string.h>

/* Standard error of the relative gain: the two bottlenecks' loads, taken as independent. */
static double gain_error(const ee_estimate *e, const ee_plan *now, const ee_forecast *f_now,
                         const ee_plan *best, const ee_forecast *f_best) {
  int    a  = f_now->stage >= 0 ? now->stage[f_now->stage].begin : 0;
  int    b  = f_best->stage >= 0 ? best->stage[f_best->stage].begin : 0;
  double ea = ee_estimate_error(e, a), eb = ee_estimate_error(e, b);
  return sqrt(ea * ea + eb * eb) * f_best->period / f_now->period;
}

/* Seconds until the slowest pair of devices has moved its layers. */
static double move_seconds(const ee_estimate *e, const ee_plan *before, const ee_plan *after) {
  int    p       = e->n_devices;
  double slowest = 0.0;
  for (int s = 0; s < after->n_stages; s++) {
    int    to = after->stage[s].device;
    double t  = 0.0;
    for (int l = after->stage[s].begin; l < after->stage[s].end; l++) {
      int from = before->stage[ee_plan_stage_of_layer(before, l)].device;
      if (from == to) continue;
      double bandwidth = e->bandwidth[from * p + to];
      t += e->latency[from * p + to];
      if (bandwidth > 0.0) t += e->weight_bytes[l] / bandwidth;
    }
    if (t > slowest) slowest = t;
  }
  return slowest;
}

static ee_verdict weigh(ee_decider *d, const ee_controller_options *o, const ee_estimate *e,
                        const ee_plan *plan, const ee_forecast *now, const ee_forecast *best,
                        double remaining, const ee_decision_record *record) {
  double gain = now->period > 0.0 ? (now->period - best->period) / now->period : 0.0;
  if (o->always && !ee_plan_equal(plan, record->best)) return EE_VERDICT_ADOPTED;
  if (gain <= 0.0 || ee_plan_equal(plan, record->best)) return d->held = 0, EE_VERDICT_KEPT_BEST;
  if (gain < o->min_gain) return d->held = 0, EE_VERDICT_KEPT_SMALL;
  if (gain <= o->error_bars * gain_error(e, plan, now, record->best, best)) {
    return d->held = 0, EE_VERDICT_KEPT_NOISE;
  }
  if (remaining * (now->period - best->period) <= move_seconds(e, plan, record->best)) {
    return d->held = 0, EE_VERDICT_KEPT_COST;
  }
  d->held++;
  if (d->cooling > 0) return EE_VERDICT_KEPT_COOLING;
  if (d->held < o->hold) return EE_VERDICT_KEPT_WAIT;
  return o->rebalance ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_OFF;
}

ee_status ee_decide(ee_decider *decider, const ee_controller_options *options,
                    const ee_estimate *estimate, const ee_plan *plan, double remaining,
                    ee_decision_record *record) {
  const ee_chain *chain = &estimate->chain;
  ee_forecast     now, best;
  *record = (ee_decision_record){.verdict = EE_VERDICT_FAILED};
  EE_TRY(ee_partition_forecast(chain, plan, &now));
  record->period_now = now.period;

  // No plan may fit, for example when a memory limit is too small: then the present one stays.
  if (options->planner->find(chain, &record->best) != EE_OK) return EE_OK;
  EE_TRY(ee_partition_forecast(chain, record->best, &best));
  record->period_best = best.period;
  record->moved_bytes = ee_partition_moved_bytes(chain, plan, record->best);
  record->verdict     = weigh(decider, options, estimate, plan, &now, &best, remaining, record);
  if (decider->cooling > 0) decider->cooling--;
  return EE_OK;
}
