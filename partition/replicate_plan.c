/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the stages of a replicated plan their devices. */
#include "chain.h"

/** The devices that may be used, one after the other. */
typedef struct row {
  const ee_chain *chain;
  bool            source;  // which is present, comes first
  int             next;    // the first that was not looked at
} row;

static int next_device(row *r) {
  if (r->source) {
    r->source = false;
    return r->chain->source;
  }
  while (!ee_chain_present(r->chain, r->next) || r->next == r->chain->source) r->next++;
  return r->next++;
}

static ee_status give_devices(const ee_chain *chain, const ee_replicated *found, ee_plan *plan) {
  row r = {.chain = chain, .source = chain->source >= 0 && ee_chain_present(chain, chain->source)};
  for (int s = 0; s < found->n_stages; s++) {
    const ee_replicas *stage = &found->stage[s];
    plan->stage[s] =
        (ee_stage){.begin = stage->begin, .end = stage->end, .device = next_device(&r)};
    for (int k = 1; k < stage->n; k++) EE_TRY(ee_plan_add_replica(plan, s, next_device(&r)));
  }
  return EE_OK;
}

ee_status ee_partition_replicate_plan(const ee_chain *chain, ee_plan **plan) {
  ee_replicated *found = NULL;
  *plan                = NULL;
  EE_TRY(ee_partition_replicate(chain, &found));
  ee_status status = ee_plan_create(chain->n_layers, chain->n_devices, found->n_stages, plan);
  if (status == EE_OK) status = give_devices(chain, found, *plan);
  if (status == EE_OK) status = ee_partition_fits(chain, *plan);
  ee_replicated_destroy(&found);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}
