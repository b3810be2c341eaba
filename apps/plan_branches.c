/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what edgeexit plan --branches tells of. */
#include "plan_branches.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/team.h"
#include "team_options.h"
#include "team_task.h"

static const char *const planner_of[2] = {"latency", "exact"};

/* Chains on the same devices. */
static ee_status find_chains(const ee_chain *chain, void *context) {
  ee_branch_promise *p = context;
  for (int k = 0; k < 2; k++) {
    ee_status status = ee_partition_find(ee_planner_by_name(planner_of[k]), chain, &p->chain[k]);
    if (status == EE_ERR_ARG) continue;
    EE_TRY(status);
    EE_TRY(ee_partition_forecast(chain, p->chain[k], &p->chain_forecast[k]));
  }
  return EE_OK;
}

static ee_status place(const ee_team_task *task, bool by_latency, ee_units *units,
                       ee_branch_placement *to) {
  EE_TRY(ee_team_task_place(task, by_latency, units));
  ee_team_text(units, to->text, sizeof to->text);
  return ee_team_task_forecast(task, units, &to->forecast);
}

/* Devices may be too small for any placement. */
static ee_status find_row(const ee_plan_question *q, ee_units *units, int n, ee_branch_promise *p) {
  ee_team_task    task;
  ee_team_options options = ee_team_defaults();
  ee_status       status  = ee_team_task_make(q->setup, units, n, q->share, &options, &task);
  if (status == EE_OK) status = place(&task, true, units, &p->soonest);
  if (status == EE_OK) status = place(&task, false, units, &p->most);
  if (status == EE_OK) status = ee_placement_bound(&task.task, &p->bound);
  ee_team_task_free(&task);
  p->placed = status;
  if (status != EE_OK) snprintf(p->why, sizeof p->why, "%s", ee_status_message());
  if (status != EE_OK && status != EE_ERR_ARG) return status;
  return ee_first_chain(q->setup, n, q->share, find_chains, p);
}

ee_status ee_branch_promises_find(const ee_plan_question *q, ee_branch_promises *all) {
  ee_units *units = NULL;
  *all            = (ee_branch_promises){.n = q->options->devices};
  EE_TRY(ee_units_of_branches(q->setup->model, &units));
  all->n_lanes     = units->n_lanes;
  all->of          = calloc((size_t)all->n, sizeof *all->of);
  ee_status status = all->of != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %d devices", all->n);
  for (int n = 1; n <= all->n && status == EE_OK; n++) {
    status = find_row(q, units, n, &all->of[n - 1]);
  }
  ee_units_destroy(&units);
  return status;
}

void ee_branch_promises_free(ee_branch_promises *all) {
  for (int i = 0; all->of != NULL && i < all->n; i++) {
    ee_plan_destroy(&all->of[i].chain[0]);
    ee_plan_destroy(&all->of[i].chain[1]);
  }
  free(all->of);
  *all = (ee_branch_promises){0};
}
