/* SPDX-License-Identifier: Apache-2.0 */
/* Plans as rows of numbers in a trace. */
#include "trace_plan.h"

#include <stdbool.h>
#include <stddef.h>

void ee_trace_plan_to_rows(const ee_plan *plan, int n_layers, int n_devices, int32_t *device,
                           int32_t *replica, int32_t *turns) {
  for (int l = 0; l < n_layers; l++) device[l] = -1;
  for (int d = 0; d < n_devices; d++) replica[d] = turns[d] = -1;
  if (plan == NULL) return;
  for (int s = 0; s < plan->n_stages; s++) {
    const ee_stage *stage = &plan->stage[s];
    for (int l = stage->begin; l < stage->end; l++) device[l] = stage->device;
    for (int k = 0; k < ee_plan_width(plan, s); k++) {
      int d    = ee_plan_device(plan, s, k);
      turns[d] = ee_plan_turns(plan, d);
      if (k > 0) replica[d] = ee_plan_device(plan, s, k - 1);
    }
  }
}

static ee_status read_stages(int n_layers, int n_devices, const int32_t *device, int n_stages,
                             ee_plan **plan) {
  EE_TRY(ee_plan_create(n_layers, n_devices, n_stages, plan));
  ee_stage *stage = (*plan)->stage;
  *stage          = (ee_stage){.begin = 0, .end = 1, .device = device[0]};
  for (int l = 1; l < n_layers; l++) {
    if (device[l] != device[l - 1]) *++stage = (ee_stage){.begin = l, .device = device[l]};
    stage->end = l + 1;
  }
  return EE_OK;
}

/* The device that comes behind @p before in its stage; -1: none. */
static int next_of(int n_devices, const int32_t *replica, int before) {
  int d = 0;
  while (d < n_devices && replica[d] != before) d++;
  return d < n_devices ? d : -1;
}

/* As many as there are: what goes round in circles or begins nowhere is left, or is too much. */
static ee_status read_replicas(const int32_t *replica, ee_plan *plan) {
  int left = 0;
  for (int d = 0; d < plan->n_devices; d++) left += replica[d] != -1;
  for (int s = 0; s < plan->n_stages && left > 0; s++) {
    for (int d = next_of(plan->n_devices, replica, plan->stage[s].device); d >= 0 && left > 0;
         left--) {
      EE_TRY(ee_plan_add_replica(plan, s, d));
      d = next_of(plan->n_devices, replica, d);
    }
  }
  return left == 0 ? EE_OK : EE_ERR_FORMAT;
}

/* Of devices that own layers; -1 of the others. */
static ee_status read_turns(const int32_t *turns, ee_plan *plan) {
  for (int d = 0; d < plan->n_devices; d++) {
    bool idle = ee_plan_stage_of_device(plan, d) < 0;
    if (idle != (turns[d] == -1)) return EE_ERR_FORMAT;
    if (!idle && turns[d] != 1) EE_TRY(ee_plan_set_turns(plan, d, turns[d]));
  }
  return EE_OK;
}

ee_status ee_trace_plan_of_rows(const char *path, int n_layers, int n_devices,
                                const int32_t *device, const int32_t *replica, const int32_t *turns,
                                ee_plan **plan) {
  *plan        = NULL;
  int n_stages = 1;
  for (int l = 1; l < n_layers; l++) n_stages += device[l] != device[l - 1];
  if (n_stages == 1 && device[0] == -1) return EE_OK;

  ee_status status = read_stages(n_layers, n_devices, device, n_stages, plan);
  if (status == EE_OK && replica != NULL) status = read_replicas(replica, *plan);
  if (status == EE_OK && turns != NULL) status = read_turns(turns, *plan);
  if (status == EE_OK) status = ee_plan_check(*plan);
  if (status == EE_OK) return EE_OK;
  ee_plan_destroy(plan);
  if (status == EE_ERR_NOMEM) return status;
  return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: it holds a plan that cannot be", path);
}
