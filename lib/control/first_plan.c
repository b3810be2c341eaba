/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ee/controller.h"
#include "estimate.h"

ee_status ee_first_chain(const ee_run_setup *setup, int n_devices, const double *share,
                         ee_status (*use)(const ee_chain *chain, void *context), void *context) {
  const ee_model *m = setup->model;
  ee_estimate     estimate;
  EE_TRY(ee_estimate_open(setup, n_devices, &estimate));
  if (share != NULL) {
    memcpy(estimate.shares.share, share, (size_t)m->n_exits * sizeof *share);
    ee_reach_from_shares(m->n_layers, m->n_exits, estimate.attach, share, estimate.reach);
  }
  ee_status status = use(&estimate.chain, context);
  ee_estimate_close(&estimate);
  return status;
}

/* What ee_first_plan() is asked for. */
typedef struct wanted {
  const ee_planner *planner;
  ee_plan         **plan;
  ee_forecast      *forecast;
} wanted;

static ee_status find_plan(const ee_chain *chain, void *context) {
  const wanted *w = context;
  EE_TRY(ee_partition_find(w->planner, chain, w->plan));
  return w->forecast != NULL ? ee_partition_forecast(chain, *w->plan, w->forecast) : EE_OK;
}

ee_status ee_first_plan(const ee_run_setup *setup, int n_devices, const ee_planner *planner,
                        const double *share, ee_plan **plan, ee_forecast *forecast) {
  wanted w = {.planner = planner, .plan = plan, .forecast = forecast};
  *plan    = NULL;
  return ee_first_chain(setup, n_devices, share, find_plan, &w);
}

/* The latency of a plan is linear in the reach: one exit that all samples leave at gives its own.
 */
static ee_status latencies(ee_estimate *e, const ee_plan *plan, double *seconds) {
  const ee_model *m = e->model;
  for (int x = 0; x < m->n_exits; x++) {
    ee_forecast forecast;
    for (int y = 0; y < m->n_exits; y++) e->shares.share[y] = y == x;
    ee_reach_from_shares(m->n_layers, m->n_exits, e->attach, e->shares.share, e->reach);
    EE_TRY(ee_partition_forecast(&e->chain, plan, &forecast));
    seconds[x] = forecast.latency;
  }
  return EE_OK;
}

ee_status ee_exit_latencies(const ee_run_setup *setup, const ee_plan *plan, double *seconds) {
  ee_estimate estimate;
  EE_TRY(ee_estimate_open(setup, plan->n_devices, &estimate));
  ee_status status = latencies(&estimate, plan, seconds);
  ee_estimate_close(&estimate);
  return status;
}
