/* SPDX-License-Identifier: Apache-2.0 */
/* Seconds that samples take of plans by where they leave, and how well the difference is known. */
#include "objective.h"

#include <math.h>

#define SAME_PERIOD 1e-9  // relative; a plan at the limit is within it

bool ee_objective_is_latency(const ee_planner *planner, const ee_chain *chain,
                             const ee_forecast *now) {
  return planner->by_latency &&
         (chain->max_period <= 0.0 || now->period <= chain->max_period * (1.0 + SAME_PERIOD));
}

double *ee_objective(bool by_latency, ee_forecast *forecast) {
  return by_latency ? &forecast->latency : &forecast->period;
}

/* Seconds that work takes in stage s: on the device that is kept busy longest, times its share of
 * the samples, or of a sample that meets each device as often as it has turns. */
static double seconds_of_work(bool by_latency, const ee_chain *c, const ee_plan *plan, int s,
                              double work) {
  double longest = 0.0, sum = 0.0;
  for (int k = 0; k < ee_plan_width(plan, s); k++) {
    int    d   = ee_plan_device(plan, s, k);
    double one = work * ee_plan_turns(plan, d) / (c->speed[d] * ee_plan_round(plan, s));
    longest    = fmax(longest, one);
    sum += one;
  }
  return by_latency ? sum : longest;
}

/* Of a sample that leaves at exit x, in stage s. */
static double stage_seconds(bool by_latency, const ee_estimate *e, const ee_plan *plan, int s,
                            int x) {
  const ee_chain *c     = &e->chain;
  const ee_stage *stage = &plan->stage[s];
  int             last  = c->attach[x];
  double          work  = 0.0;
  for (int l = stage->begin; l < stage->end && l <= last; l++) work += c->work[l];
  for (int h = 0; h < c->n_exits; h++) {
    if (c->attach[h] >= stage->begin && c->attach[h] < stage->end && c->attach[h] <= last) {
      work += c->head_work[h];
    }
  }
  if (c->copy_work != NULL && stage->begin > 0 && stage->begin <= last) {
    work += c->copy_work[stage->begin];
  }
  if (c->copy_work != NULL && stage->end <= last) work += c->copy_work[stage->end];
  return seconds_of_work(by_latency, c, plan, s, work);
}

/* The same on the link that leaves stage s, or with s = -1 the source, as it adds to the period. */
static double link_seconds(const ee_estimate *e, const ee_plan *plan, int s, int x) {
  int cut = s >= 0 ? plan->stage[s].end : 0;
  if (cut > e->chain.attach[x]) return 0.0;
  return ee_partition_link_seconds(&e->chain, plan, s) / e->chain.reach[cut];
}

/* The same as it adds to the latency: the sample is alone in its message. */
static double link_delay(const ee_estimate *e, const ee_plan *plan, int s, int x) {
  const ee_chain *c    = &e->chain;
  int             cut  = s >= 0 ? plan->stage[s].end : 0;
  int             from = s >= 0 ? plan->stage[s].device : c->source;
  int             to   = plan->stage[s + 1].device;
  int             at   = from * e->n_devices + to;
  if (cut > c->attach[x] || from == to) return 0.0;
  double through = c->bandwidth[at] > 0.0 ? c->cut_bytes[cut] / c->bandwidth[at] : 0.0;
  return c->latency[at] + through;
}

/* What the sample adds to the figure that is compared. */
static double seconds_at(bool by_latency, const ee_estimate *e, const ee_plan *plan,
                         const ee_forecast *f, int x) {
  double sum = 0.0;
  if (!by_latency && f->link) return link_seconds(e, plan, f->stage, x);
  if (!by_latency) return stage_seconds(false, e, plan, f->stage, x);
  for (int s = 0; s < plan->n_stages; s++) {
    sum += stage_seconds(true, e, plan, s, x) + link_delay(e, plan, s - 1, x);
  }
  return sum;
}

/* Whether the period rests on device d, the first of the slowest of the bottleneck stage. */
static bool is_slowest(const ee_chain *c, const ee_plan *plan, int s, int d) {
  double own = ee_plan_turns(plan, d) / c->speed[d];
  for (int k = 0, place = ee_plan_place(plan, d); k < ee_plan_width(plan, s); k++) {
    int    other = ee_plan_device(plan, s, k);
    double its   = ee_plan_turns(plan, other) / c->speed[other];
    if (k < place ? its >= own : its > own) return false;
  }
  return true;
}

/* Seconds per sample that device d adds to it, as they vary with its speed.  Where turns are those
 * of a plan that serves, the period is the slowest device's; one that is planned with them has them
 * in proportion to the speeds, so that each device of the stage counts by its share. */
static double device_part(bool by_latency, bool serves, const ee_estimate *e, const ee_plan *plan,
                          const ee_forecast *f, int d) {
  int s = ee_plan_stage_of_device(plan, d);
  if (s < 0 || (!by_latency && (f->link || f->stage != s))) return 0.0;
  if (!by_latency && !serves) {
    return f->period * ee_plan_turns(plan, d) / ee_plan_round(plan, s);
  }
  if (!by_latency && !is_slowest(&e->chain, plan, s, d)) return 0.0;
  return ee_partition_device_seconds(&e->chain, plan, d);
}

double ee_gain_error(bool by_latency, const ee_estimate *e, const ee_plan *now,
                     const ee_forecast *f_now, const ee_plan *best, const ee_forecast *f_best) {
  double mean = 0.0, square = 0.0, speeds = 0.0, n = e->shares.samples + e->model->n_exits;
  for (int x = 0; x < e->model->n_exits; x++) {
    double d =
        seconds_at(by_latency, e, now, f_now, x) - seconds_at(by_latency, e, best, f_best, x);
    double share = (e->shares.samples * e->shares.share[x] + 1.0) / n;
    mean += share * d;
    square += share * d * d;
  }
  for (int d = 0; d < e->n_devices; d++) {
    double part = device_part(by_latency, true, e, now, f_now, d) -
                  device_part(by_latency, false, e, best, f_best, d);
    double error = ee_estimate_speed_error(e, d) * part;
    speeds += error * error;
  }
  double counting = fmax(square - mean * mean, 0.0) / n;
  return sqrt(counting + speeds) / (by_latency ? f_now->latency : f_now->period);
}
