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
 * With T the period of the present plan, B that of the best one, and M the time to move, move if
 *   (T - B) / T >= min_gain  and  (T - B) / T > error_bars * standard error,
 *   (remaining - M / T) (T - B) > M,
 *   both plans together fit into every device's memory,
 * where the best plan is that of the planner or, if the planner finds the shortest period in index
 * order, of all plans within (1 + near) of that period and with a gain of min_gain the one that
 * moves least; all that for `hold` successive epochs and with no switch in the last `cooldown`.  If
 * T is infinite, because a device of the plan is away, move at once.
 *
 * @param remaining  samples of the stream that would follow the new plan if moving took no time
 * @return EE_OK, also when the planner finds nothing (the verdict says so); EE_ERR_NOMEM
 */
ee_status ee_decide(ee_decider *decider, const ee_controller_options *options,
                    const ee_estimate *estimate, const ee_plan *plan, double remaining,
                    ee_decision_record *record);

/**
 * Standard error of (T - B) / T.  Counting: a sample that leaves at exit x, share q[x], keeps the
 * bottlenecks of both plans busy for a[x] and b[x] seconds, so T - B is the mean of d = a - b over
 * n samples and has the variance (sum q d^2 - (sum q d)^2) / n.  One sample more is counted at each
 * exit, so that few samples that all left at one are not taken for certainty (rule of succession).
 * Speeds: T and B vary as the speeds
 * of their bottlenecks' devices; together if that is one device, else independently.
 */
double ee_gain_error(const ee_estimate *estimate, const ee_plan *now, const ee_forecast *f_now,
                     const ee_plan *best, const ee_forecast *f_best);

/** Seconds until the slowest pair of devices has moved its layers: latency + bytes / bandwidth. */
double ee_move_seconds(const ee_estimate *estimate, const ee_plan *before, const ee_plan *after);

/** Whether the weights of both plans' stages and the slots of both fit into the memory of every
 *  device that `after` uses. */
bool ee_move_fits(const ee_estimate *estimate, const ee_plan *before, const ee_plan *after);
