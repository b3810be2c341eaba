/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/controller.h"
#include "estimate.h"
#include "move.h"

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
  int            held;        // successive epochs in which the gain was large enough
  int            cooling;     // epochs before the next move
  uint64_t       watched;     // hash of the plan that has just begun to serve; 0: none
  uint64_t       looks;       // of a rule that looks at random times: intervals drawn
  int            until_look;  // epochs
  ee_missed_plan missed[EE_MISSED_PLANS];
} ee_decider;

/** @p plan is going to serve, and nothing else for @p cooling epochs; then its forecast by the
 *  speeds of now is compared with what it is. */
void ee_decider_switched(ee_decider *decider, ee_estimate *estimate, const ee_plan *plan,
                         int cooling);

/** The outcome of one epoch. */
typedef struct ee_decision_record {
  ee_verdict verdict;
  bool       by_latency;                  // what the plans were compared by; else by period
  double     period_now, period_best;     // predicted with the same loads, not below the
                                          // source's [s]
  double      latency_now, latency_best;  // the same [s]
  double      moved_bytes;
  ee_shortage shortage;  // of the plan that was to be adopted beside the present one
  ee_plan    *best;      // the caller's; NULL if the planner found none
} ee_decision_record;

/**
 * Decide at the end of an epoch whether to move from @p plan, by the rule of @p options.
 *
 * With T the period of the present plan, B that of the best one, or the latencies if the planner
 * makes those short and the present plan keeps to the longest period, and M the time to move, the
 * rule "gain" moves if (T - B) / T >= min_gain  and  (T - B) / T > error_bars * standard error,
 *   (remaining - M / period) (T - B) > M, or of latencies M^2 / (2 period),
 *   both plans together fit into every device's memory, or the present one and one on the way
 *   (ee_move_step()) that is better than it, which is then what is moved to,
 * where the best plan is that of the planner or, if the planner finds the shortest period in index
 * order, of all plans within (1 + near) of that period and with a gain of min_gain the one that
 * moves least, and B is multiplied by what that plan missed its forecast by if it has served
 * before; all that for `hold` successive epochs and with no switch in the last `cooldown`.  If
 * T is infinite, because a device of the plan is away, move at once.  No period is shorter than
 * that of the source, so T and B are at least as long, unless the present plan is to keep to a
 * longest period.
 *
 * @param remaining  samples of the stream that would follow the new plan if moving took no time
 * @return EE_OK, also when the planner finds nothing (the verdict says so); EE_ERR_NOMEM
 */
ee_status ee_decide(ee_decider *decider, const ee_controller_options *options,
                    const ee_estimate *estimate, const ee_plan *plan, double remaining,
                    ee_decision_record *record);
