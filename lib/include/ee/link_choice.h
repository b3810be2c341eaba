/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "ee/partition.h"

/**
 * @file link_choice.h
 * How many bits values have on links: as few as shorten the period and cost no more accuracy than
 * is allowed.  Nothing here is collective; equal input gives equal choices.
 */
#define EE_LINK_GAIN 0.05  // of the period, that fewer bits must bring to be chosen

/** What a choice goes by. */
typedef struct ee_link_wish {
  const ee_planner *planner;
  const ee_plan    *plan;   // the plan that there will be; NULL: the planner's
  const double     *share;  // as for ee_first_plan()
  const double     *loss;   // shape [n_layers + 1], accuracy lost by 8 bits at each cut alone;
                            // NaN: not measured; NULL: none was
  double max_loss;          // of a plan: the sum over its links of 8 bits, gains counted as 0
} ee_link_wish;

typedef struct ee_link_choice {
  ee_link_values values;     // at all cuts but those of 8 bits; EE_LINK_F32 or EE_LINK_F16
  bool          *int8_at;    // shape [n_layers + 1], cuts of 8 bits; the caller's; NULL: none
  double         period[3];  // best with floats, with halves, and with 8 bits where they are
                             // allowed; NaN: nowhere, so none was looked for [s]
} ee_link_choice;

/**
 * Choose for the first plan of @p setup, whose own link_values and int8_at do not count.
 *
 * Halves are chosen if they shorten the period by EE_LINK_GAIN.  Bytes are tried at all cuts whose
 * loss is within max_loss, with halves at the others; of the plan's links those keep them that
 * would take longer than its period with halves, and the plan is sought anew, until it keeps all.
 * If the losses then add up to more than max_loss, the cut that loses most is ruled out, and all is
 * done again: that need not find the best choice of cuts, but what it finds is within max_loss.
 * Bytes are chosen if they shorten the period by EE_LINK_GAIN against what floats or halves reach.
 *
 * @param[out] choice  int8_at is NULL on error
 * @return as ee_first_plan(); EE_ERR_NOMEM
 */
ee_status ee_link_values_choose(const ee_run_setup *setup, int n_devices, const ee_link_wish *wish,
                                ee_link_choice *choice);

/** Accuracy that @p plan's links of 8 bits lose: the sum of @p loss, gains counted as 0, where
 *  @p setup says EE_LINK_I8; 0 if it says so of none; NaN if one was not measured.  @p loss may be
 *  NULL. */
double ee_link_plan_loss(const ee_run_setup *setup, const ee_plan *plan, const double *loss);
