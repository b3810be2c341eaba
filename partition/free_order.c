/* SPDX-License-Identifier: Apache-2.0 */
/* The planner that chooses the order of devices too: exact by type if that is small enough. */
#include <math.h>
#include <stdlib.h>

#include "order.h"

static ee_status is_small(const ee_chain *chain, bool *small) {
  ee_types types;
  EE_TRY(ee_chain_check(chain));
  ee_status status = ee_types_create(chain, &types);
  *small           = status == EE_OK && ee_order_search_is_small(chain, &types);
  ee_types_destroy(&types);
  return status;
}

bool ee_partition_free_order_is_exact(const ee_chain *chain) {
  bool small = false;
  return is_small(chain, &small) == EE_OK && small;
}

static ee_status search_sets(const ee_chain *chain, double period, int *order) {
  ee_order_search s;
  bool            found;
  ee_status       status = ee_order_search_create(chain, &s);
  if (status == EE_OK) ee_order_search_run(&s, period, order, &found);
  ee_order_search_destroy(&s);
  return status;
}

/* Begin with the chain's own order, which stays if none is better. */
static ee_status find_order(ee_permuted *p, int *order) {
  bool     small;
  ee_plan *plan = NULL;
  double   period;
  for (int d = 0; d < p->chain->n_devices; d++) order[d] = d;
  ee_status status = ee_permuted_plan(p, order, &plan, &period);
  ee_plan_destroy(&plan);
  if (status == EE_ERR_NOMEM) return status;  // that nothing fits in this order means little

  EE_TRY(is_small(p->chain, &small));
  return small ? search_sets(p->chain, period, order) : ee_order_improve(p, period, order);
}

ee_status ee_partition_free_order(const ee_chain *chain, ee_plan **plan) {
  ee_permuted p;
  double      period;
  *plan = NULL;
  EE_TRY(ee_chain_check(chain));
  int      *order  = malloc((size_t)chain->n_devices * sizeof *order);
  ee_status status = ee_permuted_create(chain, &p);
  if (status == EE_OK && order == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "to order %d devices", chain->n_devices);
  }
  if (status == EE_OK) status = find_order(&p, order);
  if (status == EE_OK) status = ee_permuted_plan(&p, order, plan, &period);
  ee_permuted_destroy(&p);
  free(order);
  return status;
}
