/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/placement.h"
#include "plan_find.h"

/**
 * @file plan_branches.h
 * What edgeexit plan --branches finds out: the branches of a network on 1..P devices that share
 * each sample, next to the best chain on the same devices.
 */

/** Branches placed for one goal. */
typedef struct ee_branch_placement {
  ee_placement_forecast forecast;
  char                  text[256];  // as run --branches takes it
} ee_branch_placement;

/** What is promised for one number of devices. */
typedef struct ee_branch_promise {
  ee_status             placed;                 // EE_ERR_ARG: nothing fits
  char                  why[EE_MESSAGE_BYTES];  // nothing does
  ee_branch_placement   soonest, most;          // least latency, least period
  ee_placement_forecast bound;                  // that no placement falls below
  ee_plan              *chain[2];               // likewise; NULL: none fits
  ee_forecast           chain_forecast[2];
} ee_branch_promise;

typedef struct ee_branch_promises {
  int                n;        // numbers of devices
  int                n_lanes;  // branches
  ee_branch_promise *of;       // shape [n], for 1, 2, ... devices
} ee_branch_promises;

/** Find everything.  To be freed also on error.
 *  @return EE_OK; EE_ERR_ARG if the model has no branches; EE_ERR_NOMEM */
ee_status ee_branch_promises_find(const ee_plan_question *question, ee_branch_promises *promises);

void ee_branch_promises_free(ee_branch_promises *promises);

/** A line for each number of devices, and the verdict. */
void ee_branch_promises_print_text(const ee_branch_promises *promises);

/** One JSON object.  EE_OK; EE_ERR_NOMEM. */
ee_status ee_branch_promises_print_json(const ee_branch_promises *promises);
