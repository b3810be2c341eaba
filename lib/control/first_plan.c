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
  ee_status status = planner->find(&estimate.chain, plan);
  if (status == EE_OK && forecast != NULL) {
    status = ee_partition_forecast(&estimate.chain, *plan, forecast);
  }
  ee_estimate_close(&estimate);
  return status;
}
