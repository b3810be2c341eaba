/* SPDX-License-Identifier: Apache-2.0 */
#include "offload_cost.h"

#include <math.h>

/* Mean bytes behind the exits of the first stage; those at the plan's cut if it has none. */
static double bytes_behind_exits(const ee_estimate *e, const ee_plan *plan) {
  double bytes = 0.0;
  int    n     = 0;
  for (int x = 0; x < e->model->n_exits; x++) {
    if (e->attach[x] >= plan->stage[0].end) continue;
    bytes += e->cut_bytes[e->attach[x] + 1];
    n++;
  }
  return n > 0 ? bytes / n : e->cut_bytes[plan->stage[0].end];
}

/* Seconds that @p bytes spend on the link into stage @p s. */
static double link_seconds(const ee_estimate *e, const ee_plan *plan, int s, double bytes) {
  int    at        = plan->stage[s - 1].device * e->n_devices + plan->stage[s].device;
  double bandwidth = e->bandwidth[at];
  double transfer  = bandwidth > 0.0 ? bytes / bandwidth : 0.0;
  return e->latency[at] + transfer;
}

/* Seconds per layer on the device of the first stage. */
static double layer_seconds(const ee_estimate *e, const ee_plan *plan) {
  const ee_stage *first = &plan->stage[0];
  double          work  = 0.0;
  for (int l = first->begin; l < first->end; l++) work += e->work[l];
  return work / e->speed[first->device] / (first->end - first->begin);
}

double ee_offload_cost_of(const ee_estimate *e, const ee_plan *plan, bool offload,
                          double layer_cost) {
  double links = 0.0;
  for (int s = 1; s < plan->n_stages; s++) {
    bool   first = offload && s == 1;
    double bytes = first ? bytes_behind_exits(e, plan) : e->cut_bytes[plan->stage[s].begin];
    links += link_seconds(e, plan, s, bytes);
  }
  if (!e->measured[plan->stage[0].device]) return NAN;
  return fmin(layer_cost * links / layer_seconds(e, plan), EE_OFFLOAD_COST_MOST);
}
