/* SPDX-License-Identifier: Apache-2.0 */
#include "team_run.h"

#include <string.h>

#include "ee/agree.h"

ee_status ee_run_units(const ee_run_options *options, const ee_run_setup *setup, int n_devices,
                       ee_units **units) {
  *units = NULL;
  if (!ee_team_is_wished(&options->team)) return EE_OK;
  EE_TRY(ee_units_of_branches(setup->model, units));
  ee_status status = ee_team_place(options->team.branches, n_devices, *units);
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

ee_status ee_run_team(MPI_Comm comm, const ee_run_options *options, const ee_run_setup *setup,
                      const ee_units *units, ee_run_outcome *outcome) {
  const ee_team_wish *w    = &options->team;
  ee_team_options     o    = {.window = w->window, .ahead = w->ahead, .late = w->late};
  ee_team            *team = NULL;
  EE_TRY(ee_team_create(comm, setup, units, &o, &team));
  ee_status status = ee_team_run(team);
  ee_run_outcome_gather(comm, ee_team_device_totals(team), ee_team_totals_of(team), outcome);
  ee_team_destroy(&team);
  return status;
}
