/* SPDX-License-Identifier: Apache-2.0 */
#include "team_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"
#include "ee/band_choice.h"
#include "ee/log.h"
#include "ee/team_controller.h"

/* By a planner, or as the user says. */
static ee_status place(const ee_team_wish *wish, const ee_team_task *task, int n_devices,
                       ee_units *units) {
  if (!ee_team_is_placed(wish)) return ee_team_place(wish->branches, n_devices, units);
  return ee_team_task_place(task, strcmp(wish->branches, "latency") == 0, units);
}

/* Heights that are given may lack memory as well: the ranks say so. */
static ee_status check_room(const ee_run_setup *setup, int n_devices, const ee_band_choice *c) {
  int d = c->crowded;
  if (d < 0) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "no bands were found that fit into the memories of %d devices; in the nearest "
                 "device %d (%s) needs %zu byte, of them %zu for messages, and has %.0f",
                 n_devices, d, setup->fleet->device[d].name, ee_unit_room_bytes(c->room[d]),
                 c->room[d].messages, setup->fleet->device[d].memory);
}

/* The wish's heights, if it has some, borrow @p height, shape [n_devices]. */
static ee_status cut_bands(const ee_team_wish *o, const ee_run_setup *setup, const double *share,
                           int n_devices, double *height, ee_units **units) {
  ee_band_wish   wish;
  ee_band_field  field;
  ee_band_choice choice = {.plan = NULL};
  EE_TRY(ee_band_wish_make(&o->bands, n_devices, share, height, &wish));
  wish.window      = o->window;
  ee_status status = ee_band_field_find(setup, &field);
  if (status == EE_OK) status = ee_band_choose(setup, &field, n_devices, &wish, &choice);
  if (status == EE_OK && wish.height == NULL) status = check_room(setup, n_devices, &choice);
  *units       = choice.units;
  choice.units = NULL;
  ee_band_choice_free(&choice);
  ee_band_field_free(&field);
  return status;
}

/* Branches without a place, or bands of rows that have theirs. */
static ee_status make_units(const ee_team_wish *wish, const ee_run_setup *setup,
                            const double *share, int n_devices, ee_units **units) {
  if (wish->branches != NULL) return ee_units_of_branches(setup->model, units);
  double *height = calloc((size_t)n_devices, sizeof *height);
  if (height == NULL) return EE_FAIL(EE_ERR_NOMEM, "for bands on %d devices", n_devices);
  ee_status status = cut_bands(wish, setup, share, n_devices, height, units);
  free(height);
  return status;
}

/* Whether samples wait for device @p d when it is away. */
static bool is_waited_for(const ee_units *units, int d, double late) {
  for (int u = 0; u < units->n; u++) {
    if (units->unit[u].device != d) continue;
    if (isinf(late) || !ee_unit_may_be_absent(units, u)) return true;
  }
  return false;
}

/* How the branch leaves whose devices stay longest: samples need one. */
static ee_leaving best_branch(const ee_fleet *fleet, const ee_units *units) {
  ee_leaving best = EE_LEAVES_FOR_EVER;
  for (int lane = 0; lane < units->n_lanes; lane++) {
    ee_leaving worst = EE_STAYS;
    for (int u = 0; u < units->n; u++) {
      if (units->unit[u].lane != lane) continue;
      ee_leaving leaves = ee_device_leaves(fleet, units->unit[u].device);
      if (leaves > worst) worst = leaves;
    }
    if (worst < best) best = worst;
  }
  return best;
}

/* With branches that may be absent. */
static ee_status check_branches(const ee_fleet *fleet, const ee_units *units, double late) {
  ee_leaving best = fleet != NULL && isfinite(late) ? best_branch(fleet, units) : EE_STAYS;
  if (best == EE_LEAVES_FOR_EVER) {
    return EE_FAIL(EE_ERR_ARG,
                   "every branch has a stage on a device that leaves and does not come back, and "
                   "samples need one; give a branch to devices that stay (--branches A/B/...@F)");
  }
  if (best == EE_LEAVES_FOR_A_WHILE) {
    ee_log(EE_LOG_WARNING,
           "every branch has a stage on a device that is away for a while; samples wait when none "
           "is there");
  }
  return EE_OK;
}

/* Nobody takes over from a device that samples wait for. */
static ee_status check_away(const ee_fleet *fleet, const ee_units *units, double late) {
  for (int d = 0; fleet != NULL && d < fleet->n_devices; d++) {
    const ee_device_spec *device   = &fleet->device[d];
    ee_leaving            leaves   = ee_device_leaves(fleet, d);
    bool                  for_ever = leaves == EE_LEAVES_FOR_EVER;
    if (leaves == EE_STAYS || !is_waited_for(units, d, late)) continue;
    double from = device->away.change[for_ever ? device->away.n - 1 : 0].at;
    if (for_ever) {
      return EE_FAIL(EE_ERR_ARG,
                     "device %d (%s) is away from %g s on and does not come back, and samples wait "
                     "for what it computes; give that to others (--branches A/B/...@F, --bands "
                     "A/B/...), or with branches bound the wait by --late S",
                     d, device->name, from);
    }
    ee_log(EE_LOG_WARNING,
           "device %d (%s) is away from %g s on for a while, and samples wait until it is back; "
           "with branches, --late S bounds that for what does not join them",
           d, device->name, from);
  }
  return EE_OK;
}

static ee_team_options team_options(const ee_team_wish *wish) {
  return (ee_team_options){.window = wish->window, .ahead = wish->ahead, .late = wish->late};
}

ee_status ee_run_units(const ee_run_options *options, const ee_run_setup *setup,
                       const double *share, int n_devices, ee_units **units,
                       ee_placement_forecast *forecast) {
  const ee_team_wish *wish   = &options->team;
  ee_team_options     team   = team_options(wish);
  ee_team_task        task   = {.store = NULL};
  ee_status           status = make_units(wish, setup, share, n_devices, units);
  if (status == EE_OK) {
    status = ee_team_task_make(setup, *units, n_devices, share, &team, &task);
  }
  if (status == EE_OK && wish->branches != NULL) {
    status = place(wish, &task, n_devices, *units);
  }
  if (status == EE_OK) status = check_away(setup->fleet, *units, wish->late);
  if (status == EE_OK) status = check_branches(setup->fleet, *units, wish->late);
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

static void say_placement(const ee_team_wish *wish, const ee_units *units) {
  char text[512];
  ee_log(EE_LOG_INFO, "%d %s on devices %s", units->n_lanes,
         wish->branches != NULL ? "branches" : "bands of rows",
         ee_team_text(units, text, sizeof text));
}

/* What the units may be moved for; false: they stay. */
static bool moves_for(const ee_run_options *o, bool *by_latency) {
  if (!o->rebalance || !ee_team_is_placed(&o->team)) return false;
  *by_latency = strcmp(o->team.branches, "latency") == 0;
  return true;
}

/* Rank 0's controller; NULL elsewhere, and if units stay where they are. */
static ee_status make_controller(const ee_run_options *o, const ee_run_setup *setup,
                                 const double *share, const ee_units *units, int rank, int size,
                                 ee_team_task *task, ee_team_controller **controller) {
  ee_team_options            team    = team_options(&o->team);
  ee_team_controller_options options = {
      .min_gain = o->min_gain, .hold = o->hold, .cooldown = o->cooldown};
  *controller = NULL;
  *task       = (ee_team_task){.store = NULL};
  if (!moves_for(o, &options.by_latency) || rank != 0) return EE_OK;
  EE_TRY(ee_team_task_make(setup, units, size, share, &team, task));
  return ee_team_controller_create(&task->task, &options, controller);
}

static ee_status run_with(MPI_Comm comm, const ee_team_wish *wish, const ee_run_setup *setup,
                          const ee_units *units, const ee_team_options *options,
                          ee_run_outcome *outcome) {
  int      rank;
  ee_team *team = NULL;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_TRY(ee_team_create(comm, setup, units, options, &team));
  if (rank == 0) say_placement(wish, units);
  ee_status status = ee_team_run(team);
  if (ee_team_living(team) != comm) outcome->living = ee_team_living(team);
  ee_run_outcome_gather(comm, ee_team_device_totals(team), ee_team_totals_of(team), outcome);
  ee_team_destroy(&team);
  return status;
}

ee_status ee_run_team(MPI_Comm comm, const ee_run_options *o, const ee_run_setup *setup,
                      const double *share, const ee_units *units, ee_run_outcome *outcome) {
  ee_team_options     options = team_options(&o->team);
  ee_team_task        task;
  ee_team_mover       mover;
  ee_team_controller *controller;
  int                 rank, size;
  options.epoch = o->epoch;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  ee_status status = make_controller(o, setup, share, units, rank, size, &task, &controller);
  if (controller != NULL) {
    mover         = ee_team_controller_mover(controller);
    options.mover = &mover;
  }
  status = ee_agree(comm, status, 0);
  if (status == EE_OK) status = run_with(comm, &o->team, setup, units, &options, outcome);
  ee_team_controller_destroy(&controller);
  ee_team_task_free(&task);
  return status;
}
