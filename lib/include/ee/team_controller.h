/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/placement.h"
#include "ee/team.h"

/**
 * @file team_controller.h
 * Where units of a team go while it runs: the placement that the planner would make if it knew the
 * speeds and the shares of samples that were measured.
 *
 * A device's speed is the work that it did since the last look over the time it was busy with it.
 * One that never did anything is as much faster or slower than it was thought to be as the others
 * are together; one that does nothing any more goes back to that by a 32nd of the difference per
 * look, and by half as much each time it is tried and found slow again.  A device that is behind
 * gets nothing.  Shares of samples that reach an exit are those of all looks, each counting half of
 * the one after it.
 *
 * Only placements count whose units fit into the devices' memories beside those that are there,
 * since both are while units move.  A better one is adopted if it gains more than `min_gain` at
 * `hold` looks in a row, and not before `cooldown` looks have passed since the last one was
 * adopted.
 *
 * Nothing is looked for while no speed and no share has changed by a 20th since nothing better was
 * found.
 *
 * Rank 0's alone; nothing here is collective.
 */
typedef struct ee_team_controller ee_team_controller;

typedef struct ee_team_controller_options {
  bool   by_latency;  // what is to be short: expected latency or period
  double min_gain;    // relative, >= 0
  int    hold;        // looks, >= 1
  int    cooldown;    // looks, >= 0
} ee_team_controller_options;

/**
 * @param[in]  task        as at the beginning; its arrays are copied but for the units
 * @param[out] controller  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_team_controller_create(const ee_placement_task          *task,
                                    const ee_team_controller_options *options,
                                    ee_team_controller              **controller);

/** For ee_team_options; borrows the controller. */
ee_team_mover ee_team_controller_mover(ee_team_controller *controller);

/** Placements that were adopted. */
int ee_team_controller_adopted(const ee_team_controller *controller);

void ee_team_controller_destroy(ee_team_controller **controller);
