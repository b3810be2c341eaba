/* SPDX-License-Identifier: Apache-2.0 */
/* Stages of several devices. */
#include <stdlib.h>
#include <string.h>

#include "ee/plan.h"

/* Index of the first replica of stage s or of one behind it. */
static int first_replica(const ee_plan *plan, int s) {
  int low = 0, high = plan->n_replicas;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (plan->replica[middle].stage < s) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

ee_status ee_plan_add_replica(ee_plan *plan, int s, int device) {
  if (s < 0 || s >= plan->n_stages) {
    return EE_FAIL(EE_ERR_ARG, "there is no stage %d to add device %d to; the plan has %d", s,
                   device, plan->n_stages);
  }
  size_t      n    = (size_t)plan->n_replicas;
  ee_replica *more = realloc(plan->replica, (n + 1) * sizeof *more);
  if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu replicas", n + 1);
  plan->replica = more;
  size_t at     = (size_t)first_replica(plan, s + 1);
  memmove(more + at + 1, more + at, (n - at) * sizeof *more);
  more[at] = (ee_replica){.stage = s, .device = device};
  plan->n_replicas++;
  return EE_OK;
}

int ee_plan_width(const ee_plan *plan, int s) {
  return 1 + first_replica(plan, s + 1) - first_replica(plan, s);
}

int ee_plan_device(const ee_plan *plan, int s, int k) {
  return k == 0 ? plan->stage[s].device : plan->replica[first_replica(plan, s) + k - 1].device;
}

int ee_plan_place(const ee_plan *plan, int device) {
  int s = ee_plan_stage_of_device(plan, device), k = 0;
  while (ee_plan_device(plan, s, k) != device) k++;
  return k;
}

int ee_plan_turns(const ee_plan *plan, int device) {
  return plan->turns != NULL ? plan->turns[device] : 1;
}

ee_status ee_plan_set_turns(ee_plan *plan, int device, int turns) {
  if (device < 0 || device >= plan->n_devices || turns < 1 || turns > EE_PLAN_TURNS) {
    return EE_FAIL(EE_ERR_ARG, "%d turns for device %d, expected 1 to %d for device 0 to %d", turns,
                   device, EE_PLAN_TURNS, plan->n_devices - 1);
  }
  size_t n = (size_t)plan->n_devices;
  if (plan->turns == NULL) {
    plan->turns = malloc(n * sizeof *plan->turns);
    if (plan->turns == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the turns of %zu devices", n);
    for (size_t d = 0; d < n; d++) plan->turns[d] = 1;
  }
  plan->turns[device] = turns;
  return EE_OK;
}

int ee_plan_round(const ee_plan *plan, int s) {
  int round = 0;
  for (int k = 0; k < ee_plan_width(plan, s); k++) {
    round += ee_plan_turns(plan, ee_plan_device(plan, s, k));
  }
  return round;
}

int ee_plan_devices_used(const ee_plan *plan) {
  return plan->n_stages + plan->n_replicas;
}
