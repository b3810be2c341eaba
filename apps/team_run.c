/* SPDX-License-Identifier: Apache-2.0 */
#include "team_run.h"

#include <string.h>

#include "ee/agree.h"
#include "ee/log.h"

/* By a planner, or as the user says. */
static ee_status place(const char *branches, const ee_team_task *task, int n_devices,
                       ee_units *units) {
  bool by_latency = strcmp(branches, "latency") == 0;
  if (!by_latency && strcmp(branches, "period") != 0) {
    return ee_team_place(branches, n_devices, units);
  }
  return ee_team_task_place(task, by_latency, units);
}

ee_status ee_run_units(const ee_run_options *options, const ee_run_setup *setup,
                       const double *share, int n_devices, ee_units **units,
                       ee_placement_forecast *forecast) {
  const ee_team_wish *wish = &options->team;
  ee_team_task        task = {.store = NULL};
  EE_TRY(ee_units_of_branches(setup->model, units));
  ee_status status = ee_team_task_make(setup, *units, n_devices, share, wish->ahead, &task);
  if (status == EE_OK) status = place(wish->branches, &task, n_devices, *units);
  if (status == EE_OK) status = ee_team_task_forecast(&task, *units, forecast);
  ee_team_task_free(&task);
  if (status != EE_OK) ee_units_destroy(units);
  return status;
}

ee_status ee_run_units_plan(const ee_units *units, int n_devices, ee_plan **plan) {
  const ee_model *m = units->whole;
  EE_TRY(ee_plan_create(m->n_layers, n_devices, 1, plan));
  int last          = ee_units_of_exit(units, m->n_exits - 1);
  (*plan)->stage[0] = (ee_stage){0, m->n_layers, units->unit[last].device};
  return EE_OK;
}

static void say_placement(const ee_units *units) {
  char text[512];
  ee_log(EE_LOG_INFO, "%d branches on devices %s", units->n_lanes,
         ee_team_text(units, text, sizeof text));
}

ee_status ee_run_team(MPI_Comm comm, const ee_run_options *options, const ee_run_setup *setup,
                      const ee_units *units, ee_run_outcome *outcome) {
  const ee_team_wish *w    = &options->team;
  ee_team_options     o    = {.window = w->window, .ahead = w->ahead, .late = w->late};
  ee_team            *team = NULL;
  int                 rank;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_TRY(ee_team_create(comm, setup, units, &o, &team));
  if (rank == 0) say_placement(units);
  ee_status status = ee_team_run(team);
  ee_run_outcome_gather(comm, ee_team_device_totals(team), ee_team_totals_of(team), outcome);
  ee_team_destroy(&team);
  return status;
}
