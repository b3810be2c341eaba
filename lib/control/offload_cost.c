/* SPDX-License-Identifier: Apache-2.0 */
#include "offload_cost.h"

#include <math.h>

/* Seconds that a sample spends on the link into stage @p s. */
static double link_seconds(const ee_estimate *e, const ee_plan *plan, int s) {
  int    at        = plan->stage[s - 1].device * e->n_devices + plan->stage[s].device;
  double bandwidth = e->bandwidth[at];
  double transfer  = bandwidth > 0.0 ? e->cut_bytes[plan->stage[s].begin] / bandwidth : 0.0;
  return e->latency[at] + transfer;
}

/* Seconds per layer on the device of the first stage. */
static double layer_seconds(const ee_estimate *e, const ee_plan *plan) {
  const ee_stage *first = &plan->stage[0];
  double          work  = 0.0;
  for (int l = first->begin; l < first->end; l++) work += e->work[l];
  return work / e->speed[first->device] / (first->end - first->begin);
}

double ee_offload_cost_of(const ee_estimate *e, const ee_plan *plan, double layer_cost) {
  double links = 0.0;
  for (int s = 1; s < plan->n_stages; s++) links += link_seconds(e, plan, s);
  if (!e->measured[plan->stage[0].device]) return NAN;
  return fmin(layer_cost * links / layer_seconds(e, plan), EE_OFFLOAD_COST_MOST);
}
