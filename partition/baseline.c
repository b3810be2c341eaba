/* SPDX-License-Identifier: Apache-2.0 */
/* Planners to compare with: what others do who do not look at exits, or at anything. */
#include "baseline.h"

#include <stdlib.h>

#include "chain.h"

/* A plan for the present devices alone becomes one for all: its n-th device is the n-th present. */
static void name_devices(const ee_chain *chain, ee_plan *plan) {
  int stage = 0;
  for (int d = 0; d < chain->n_devices && stage < plan->n_stages; d++) {
    if (ee_chain_present(chain, d)) plan->stage[stage++].device = d;
  }
  plan->n_devices = chain->n_devices;
}

ee_status ee_partition_uniform(const ee_chain *chain, ee_plan **plan) {
  int present = 0;
  *plan       = NULL;
  EE_TRY(ee_chain_check(chain));
  for (int d = 0; d < chain->n_devices; d++) present += ee_chain_present(chain, d);

  EE_TRY(ee_plan_uniform(chain->n_layers, present, plan));
  name_devices(chain, *plan);
  ee_status status = ee_partition_fits(chain, *plan);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}

ee_status ee_partition_flops(const ee_chain *chain, ee_plan **plan) {
  *plan = NULL;
  EE_TRY(ee_chain_check(chain));
  double *everyone = malloc((size_t)chain->n_layers * sizeof *everyone);
  if (everyone == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d layers", chain->n_layers);
  for (int l = 0; l < chain->n_layers; l++) everyone[l] = 1.0;

  ee_chain blind   = *chain;
  blind.reach      = everyone;
  ee_status status = ee_partition_exact(&blind, plan);
  free(everyone);
  return status;
}
