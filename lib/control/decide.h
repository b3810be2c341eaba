/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/controller.h"
#include "estimate.h"

/**
 * @file decide.h
 * Whether a better plan is worth the move: a pure function of what all ranks know alike.
 */

enum { EE_MISSED_PLANS = 8, EE_MISSED_EPOCHS = 64 };

/** A plan that, once it served, was slower than its forecast had been: devices do not run all
 *  layers at one speed. */
typedef struct ee_missed_plan {
  uint64_t plan;    // hash
  double   factor;  // of its forecast, above 1
  int      epochs;  // until this is forgotten; 0: nothing is here
} ee_missed_plan;

/** What the rule remembers from epoch to epoch. */
typedef struct ee_decider {
  int            held;     // successive epochs in which the gain was large enough
  int            cooling;  // epochs before the next move
  uint64_t       watched;  // hash of the plan that has just begun to serve; 0: none
  ee_missed_plan missed[EE_MISSED_PLANS];
} ee_decider;

/** @p plan is going to serve, and nothing else for @p cooling epochs; then its forecast by the
 *  speeds of now is compared with what it is. */
void ee_decider_switched(ee_decider *decider, ee_estimate *estimate, const ee_plan *plan,
                         int cooling);

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
 * moves least, and B is multiplied by what that plan missed its forecast by if it has served
 * before; all that for `hold` successive epochs and with no switch in the last `cooldown`.  If
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
