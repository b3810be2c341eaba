/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the stages of a replicated plan their devices. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "runs.h"

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

static ee_status find_equal(const ee_chain *chain, ee_plan **plan) {
  ee_replicated *found = NULL;
  EE_TRY(ee_partition_replicate(chain, &found));
  ee_status status = ee_plan_create(chain->n_layers, chain->n_devices, found->n_stages, plan);
  if (status == EE_OK) status = give_devices(chain, found, *plan);
  ee_replicated_destroy(&found);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}

/* The plan for a chain, whether its slots for many links fit or not. */
static ee_status find_plan(const ee_chain *chain, ee_plan **plan) {
  bool alike;
  EE_TRY(ee_runs_alike(chain, &alike));
  return alike ? find_equal(chain, plan) : ee_runs_find(chain, plan);
}

/* The last present device that is not the source; -1: there is none. */
static int last_device(const ee_chain *chain) {
  int d = chain->n_devices - 1;
  while (d >= 0 && (!ee_chain_present(chain, d) || d == chain->source)) d--;
  return d;
}

/* Slots for links to many devices may not fit: with fewer devices there are fewer of them.
 * *plan is NULL if not even one device is enough. */
static ee_status drop_devices(ee_chain *fewer, double *speed, ee_plan **plan) {
  ee_status status = EE_ERR_ARG;
  for (int d = last_device(fewer); status == EE_ERR_ARG && d >= 0; d = last_device(fewer)) {
    speed[d] = 0.0;
    if (ee_chain_count_present(fewer) == 0) break;
    status = find_plan(fewer, plan);
    if (status == EE_OK) status = ee_partition_fits(fewer, *plan);
    if (status != EE_OK) ee_plan_destroy(plan);
  }
  return status == EE_ERR_NOMEM ? status : EE_OK;
}

/* Put the shorter of *plan, which may be NULL, and of @p other into *plan, and destroy the other.
 */
static ee_status keep_shorter(const ee_chain *chain, ee_plan **plan, ee_plan *other) {
  ee_forecast a      = {.period = INFINITY}, b;
  ee_status   status = ee_partition_forecast(chain, other, &b);
  if (status == EE_OK && *plan != NULL) status = ee_partition_forecast(chain, *plan, &a);
  ee_plan *spare = other;
  if (status == EE_OK && b.period < a.period) {
    spare = *plan;
    *plan = other;
  }
  ee_plan_destroy(&spare);
  return status;
}

/* Devices that are too slow for a stage with others may serve alone. */
static ee_status compare_with_exact(const ee_chain *chain, ee_plan **plan) {
  ee_plan  *alone  = NULL;
  ee_status status = ee_partition_exact(chain, &alone);
  if (status == EE_ERR_ARG && *plan != NULL) return EE_OK;
  return status == EE_OK ? keep_shorter(chain, plan, alone) : status;
}

static ee_status find_with_room(const ee_chain *chain, ee_plan **plan) {
  ee_chain fewer = *chain;
  size_t   bytes = (size_t)chain->n_devices * sizeof(double);
  double  *speed = malloc(bytes);
  if (speed == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d devices", chain->n_devices);
  memcpy(speed, chain->speed, bytes);
  fewer.speed      = speed;
  ee_status status = drop_devices(&fewer, speed, plan);
  free(speed);
  if (status == EE_OK) status = compare_with_exact(chain, plan);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}

ee_status ee_partition_replicate_plan(const ee_chain *chain, ee_plan **plan) {
  bool alike;
  *plan = NULL;
  EE_TRY(ee_chain_check(chain));
  EE_TRY(ee_runs_alike(chain, &alike));
  EE_TRY(find_plan(chain, plan));
  ee_status status = ee_partition_fits(chain, *plan);
  if (status == EE_ERR_ARG) {
    ee_plan_destroy(plan);
    return find_with_room(chain, plan);
  }
  if (status == EE_OK && !alike) status = compare_with_exact(chain, plan);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}
