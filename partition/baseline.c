/* SPDX-License-Identifier: Apache-2.0 */
/* Planners to compare with: what others do who do not look at exits, or at anything. */
#include "baseline.h"

#include <stdlib.h>

#include "chain.h"

int ee_chain_count_present(const ee_chain *chain) {
  int present = 0;
  for (int d = 0; d < chain->n_devices; d++) present += ee_chain_present(chain, d);
  return present;
}

ee_status ee_plan_on_present(const ee_chain *chain, ee_plan **plan) {
  int stage = 0;
  for (int d = 0; d < chain->n_devices && stage < (*plan)->n_stages; d++) {
    if (ee_chain_present(chain, d)) (*plan)->stage[stage++].device = d;
  }
  (*plan)->n_devices = chain->n_devices;

  ee_status status = ee_partition_fits(chain, *plan);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}

ee_status ee_partition_uniform(const ee_chain *chain, ee_plan **plan) {
  *plan = NULL;
  EE_TRY(ee_chain_check(chain));
  EE_TRY(ee_plan_uniform(chain->n_layers, ee_chain_count_present(chain), plan));
  return ee_plan_on_present(chain, plan);
}

ee_chain ee_chain_blind(const ee_chain *chain, double *ones) {
  ee_chain blind = *chain;
  for (int l = 0; l < chain->n_layers; l++) ones[l] = 1.0;
  blind.reach = ones;
  return blind;
}

ee_status ee_partition_flops(const ee_chain *chain, ee_plan **plan) {
  *plan = NULL;
  EE_TRY(ee_chain_check(chain));
  double *ones = malloc((size_t)chain->n_layers * sizeof *ones);
  if (ones == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d layers", chain->n_layers);

  ee_chain  blind  = ee_chain_blind(chain, ones);
  ee_status status = ee_partition_exact(&blind, plan);
  free(ones);
  return status;
}
