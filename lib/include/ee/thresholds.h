/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/exit_table.h"
#include "ee/policy.h"

/**
 * @file thresholds.h
 * Finding thresholds of confidence on an exit table: for a budget, and for targets of accuracy and
 * cost.  A sample leaves at the first exit e < L with confidence >= threshold[e], else at L.
 * A threshold above 1 lets nobody leave, and nobody leaves with a confidence of -INFINITY.  Tables
 * need confidences.  Nothing here is collective.
 */

#define EE_BUDGET_STEPS 39

/**
 * Thresholds of MSDNet's budgeted batch classification (Huang et al., 2018), step @p p:
 * with q = p / 20, exit k = 1, 2, ... is to answer a share of q^k / (q^1 + q^2 + ...) of the
 * samples, so T_k is the confidence of the floor(n share)-th most confident sample that has not
 * left before; nobody leaves where there is no such sample.  Where samples are as confident as that
 * one, all of these leave or none, whichever number is nearer to the share, and the next exit makes
 * up for it: an exit that is equally confident of everyone cannot divide them.
 *
 * @param p               in [1, EE_BUDGET_STEPS]
 * @param[out] threshold  shape [n_exits - 1]
 * @param[out] cost       mean FLOP per sample of the table [FLOP]
 * @return EE_OK; EE_ERR_ARG if the table is empty or has no confidences; EE_ERR_NOMEM
 */
ee_status ee_budgeted_step(const ee_exit_table *table, int p, float *threshold, double *cost);

/**
 * The step with the highest cost that is not above @p budget, a share of the cost of running
 * everything, in (0, 1]; if there is none, the cheapest step.
 * @param[out] threshold, cost  as of ee_budgeted_step()
 * @param[out] feasible         whether the budget is kept
 * @return as ee_budgeted_step()
 */
ee_status ee_budgeted_thresholds(const ee_exit_table *table, double budget, float *threshold,
                                 double *cost, bool *feasible);

/** Thresholds that no other ones found beat in both accuracy and cost, by rising cost. */
typedef struct ee_front {
  int     n, n_early;  // points; early exits
  double *accuracy;    // shape [n], of labelled samples, rising
  double *cost;        // shape [n], mean cost, rising
  float  *threshold;   // shape [n, n_early]
} ee_front;

typedef struct ee_front_options {
  double        layer_cost;  // cost is this times the layers run
  const double *exit_cost;  // shape [n_exits], cost of an answer at each exit instead, not falling;
                            // NULL: by layers
  int grid;                 // thresholds tried per exit beside "nobody", at equal shares of samples
  int beam;                 // vectors kept from one exit to the next; >= 1
} ee_front_options;

/** 0.1 per layer, 64 thresholds, 256 vectors. */
ee_front_options ee_front_defaults(void);

/**
 * The accuracy-cost front over vectors of thresholds.
 *
 * From the first exit on, every kept vector is continued by every threshold of the next exit.  A
 * vector is a complete choice if nobody leaves at the exits that follow, so each has an accuracy
 * and a cost; of those of one exit that are beaten in both, the nearest to the front are kept while
 * there are less than `beam`.  With (grid + 1)^(early exits - 1) <= beam none is dropped and the
 * front is exact for the grid; otherwise it is one that can be had, maybe not the best.
 *
 * @param[out] front  its arrays are the caller's, to be cleared; zeroed on error
 * @return EE_OK; EE_ERR_ARG if the table has no labelled samples or no confidences; EE_ERR_NOMEM
 */
ee_status ee_front_search(const ee_exit_table *table, const ee_front_options *options,
                          ee_front *front);

/**
 * The same over the limits of @p policy, which has a measure: threshold[] are then the numbers of
 * its key `values`, one for each early exit.
 * @return as ee_front_search(); EE_ERR_ARG if the policy has no measure, or the table lacks what it
 *         needs
 */
ee_status ee_front_of_policy(const ee_exit_table *table, const ee_policy_ops *policy,
                             const ee_front_options *options, ee_front *front);

/** Index of the cheapest point with at least this accuracy; -1 if there is none. */
int ee_front_cheapest(const ee_front *front, double accuracy);

/** Index of the most accurate point of at most this cost; -1 if there is none. */
int ee_front_best_within(const ee_front *front, double cost);

/** Free and zero; may be called on a zeroed one. */
void ee_front_clear(ee_front *front);
