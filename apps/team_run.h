/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/team.h"
#include "run_summary.h"

/** @file team_run.h  A run whose samples are on several devices at once. */

/**
 * Units as the options ask for, each given to a device; every rank finds the same.
 * @param[out] units  owned by the caller; NULL if none are asked for, and on error
 */
ee_status ee_run_units(const ee_run_options *options, const ee_run_setup *setup, int n_devices,
                       ee_units **units);

/** A plan that stands for units in traces and summaries, which know chains only: everything on the
 *  device of the last exit. */
ee_status ee_run_units_plan(const ee_units *units, int n_devices, ee_plan **plan);

/** From creation to the end of the stream.  Collective. */
ee_status ee_run_team(MPI_Comm comm, const ee_run_options *options, const ee_run_setup *setup,
                      const ee_units *units, ee_run_outcome *outcome);
