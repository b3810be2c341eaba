/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/team.h"
#include "run_summary.h"
#include "team_task.h"

/** @file team_run.h  A run whose samples are on several devices at once. */

/**
 * Units as the options ask for, each given to a device; every rank finds the same.
 * @param[in]  share     as for ee_team_task_make()
 * @param[out] units     owned by the caller; NULL on error
 * @param[out] forecast  what they promise
 */
ee_status ee_run_units(const ee_run_options *options, const ee_run_setup *setup,
                       const double *share, int n_devices, ee_units **units,
                       ee_placement_forecast *forecast);

/** A plan that stands for units where only chains are known: everything on the device of the last
 *  exit. */
ee_status ee_run_units_plan(const ee_units *units, int n_devices, ee_plan **plan);

/** From creation to the end of the stream; units that a planner placed move, if layers would.
 *  Collective. */
ee_status ee_run_team(MPI_Comm comm, const ee_run_options *options, const ee_run_setup *setup,
                      const double *share, const ee_units *units, ee_run_outcome *outcome);
