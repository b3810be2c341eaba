/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ee/controller.h"
#include "estimate.h"

ee_status ee_first_plan(const ee_run_setup *setup, int n_devices, const ee_planner *planner,
                        const double *share, ee_plan **plan, ee_forecast *forecast) {
  const ee_model *m = setup->model;
  ee_estimate     estimate;
  *plan = NULL;
  EE_TRY(ee_estimate_open(setup, n_devices, &estimate));
  if (share != NULL) {
    memcpy(estimate.share, share, (size_t)m->n_exits * sizeof *share);
    ee_reach_from_shares(m->n_layers, m->n_exits, estimate.attach, share, estimate.reach);
  }
  ee_status status = ee_partition_find(planner, &estimate.chain, plan);
  if (status == EE_OK && forecast != NULL) {
    status = ee_partition_forecast(&estimate.chain, *plan, forecast);
  }
  ee_estimate_close(&estimate);
  return status;
}

/* The latency of a plan is linear in the reach: one exit that all samples leave at gives its own.
 */
static ee_status latencies(ee_estimate *e, const ee_plan *plan, double *seconds) {
  const ee_model *m = e->model;
  for (int x = 0; x < m->n_exits; x++) {
    ee_forecast forecast;
    for (int y = 0; y < m->n_exits; y++) e->share[y] = y == x;
    ee_reach_from_shares(m->n_layers, m->n_exits, e->attach, e->share, e->reach);
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
