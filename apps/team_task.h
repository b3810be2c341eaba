/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "ee/placement.h"
#include "ee/team.h"

/** @file team_task.h  Placing units on the devices of a run. */
typedef struct ee_team_task {
  ee_placement_task task;
  ee_unit_memory    memory;  // of its units
  double           *store;   // of all its arrays
} ee_team_task;

/** Whether device @p d stays, by the fleet's schedule. */
ee_leaving ee_device_leaves(const ee_fleet *fleet, int d);

/**
 * What units cost on the devices of @p setup, and take of their memory with the window and the
 * stages ahead of @p options: on a fleet as it is at the beginning, where one that
 * leaves for ever does nothing and one that leaves for a while has nothing that a sample cannot do
 * without; on the real clock, devices are as fast as this host, or EE_ASSUMED_FLOPS if that is not
 * known.
 * @param share  shape [n_exits], of samples that leave at each exit; NULL: all go to the end
 * @param[out] task  to be freed also on error, and to stay where it is until then
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_team_task_make(const ee_run_setup *setup, const ee_units *units, int n_devices,
                            const double *share, const ee_team_options *options,
                            ee_team_task *task);

void ee_team_task_free(ee_team_task *task);

/** Place units where a sample alone is answered soonest, or where most samples pass. */
ee_status ee_team_task_place(const ee_team_task *task, bool by_latency, ee_units *units);

/** What the units promise where they are. */
ee_status ee_team_task_forecast(const ee_team_task *task, const ee_units *units,
                                ee_placement_forecast *forecast);
