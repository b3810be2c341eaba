/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/controller.h"
#include "estimate.h"

/**
 * @file decide.h
 * Whether a better plan is worth the move: a pure function of what all ranks know alike.
 */

/** What the rule remembers from epoch to epoch. */
typedef struct ee_decider {
  int held;     // successive epochs in which the gain was large enough
  int cooling;  // epochs before the next move
} ee_decider;

/** The outcome of one epoch. */
typedef struct ee_decision_record {
  ee_verdict verdict;
  double     period_now, period_best;  // predicted with the same loads [s]
  double     moved_bytes;
  ee_plan   *best;  // the caller's; NULL if the planner found none
} ee_decision_record;

/**
 * Decide at the end of an epoch whether to move from @p plan.
 *
 * With T the period of the present plan and B that of the best one, move if
 *   (T - B) / T >= min_gain  and  (T - B) / T > error_bars * standard error,
 *   remaining * (T - B) > time to move the weights,
 * for `hold` successive epochs and with no switch in the last `cooldown`.
 *
 * @param remaining  samples of the stream that would follow the new plan
 */
ee_status ee_decide(ee_decider *decider, const ee_controller_options *options,
                    const ee_estimate *estimate, const ee_plan *plan, double remaining,
                    ee_decision_record *record);
