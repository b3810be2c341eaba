/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/controller.h"
#include "ee/team.h"
#include "run_inputs.h"
#include "run_trace.h"

/** @file run_summary.h  What a run prints at its end. */

/** What the devices did, on rank 0. */
typedef struct ee_run_outcome {
  ee_device_totals    *device;  // shape [n_devices]; NULL on other ranks
  int                  n_devices;
  ee_team_totals      *team;  // shape [n_devices]; NULL: samples were not on several at once
  ee_controller_totals control;
  ee_lifeline         *lifeline;  // borrowed; knows which devices died
  MPI_Comm             living;    // of those that did not, if some did; else MPI_COMM_NULL
} ee_run_outcome;

/** Bring the totals of all devices to rank 0, zeros for those that died; @p team of this one, or
 *  NULL.  The controller's are left alone.  Collective over the living. */
void ee_run_outcome_gather(MPI_Comm comm, const ee_device_totals *device,
                           const ee_team_totals *team, ee_run_outcome *outcome);

/** Rank 0's, and the time that a sum took on the rank that waited least.  Collective. */
void ee_run_outcome_control(MPI_Comm comm, const ee_controller_totals *control,
                            ee_run_outcome *outcome);

void ee_run_outcome_free(ee_run_outcome *outcome);

/** Print tables, or with --json one object, on stdout.  Rank 0. */
ee_status ee_run_summary_print(const ee_run_options *options, const ee_run_inputs *inputs,
                               const ee_run_setup *setup, const ee_run_trace *trace,
                               const ee_run_outcome *outcome, bool complete);
