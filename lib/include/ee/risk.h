/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/calibrate.h"
#include "ee/exit_table.h"

/**
 * @file risk.h
 * Thresholds with a promise: how low may the confidence be at which samples leave, so that leaving
 * early costs no more than was allowed (Jazbec et al., "Fast yet Safe", 2024).
 *
 * A sample leaves at the first exit whose confidence is at least the threshold; the last exit takes
 * the rest.  What that costs is its loss against the last exit's answer, at most 1.  Thresholds
 * are tried from the highest, the safest, down.  Nothing is collective.
 */

/**
 * What leaving early costs a sample with label y, whose probabilities are p early and q at the last
 * exit, of K classes, as in the paper:
 *
 *   CONSISTENCY  1[early != last] of the predictions; whatever the label is
 *   GAP          1[early != y] - 1[last != y], in [-1, 1]
 *   BRIER        1/2 sum_k (p_k - 1[y = k])^2 - 1/2 sum_k (q_k - 1[y = k])^2, in [-1, 1]
 *   HELLINGER    sqrt(1/2 sum_k (sqrt(p_k) - sqrt(q_k))^2), in [0, 1], the Hellinger distance;
 *                whatever the label is
 */
typedef enum ee_risk_loss {
  EE_LOSS_CONSISTENCY,
  EE_LOSS_GAP,
  EE_LOSS_BRIER,
  EE_LOSS_HELLINGER,
} ee_risk_loss;

/** Losses of n samples at each threshold of a grid. */
typedef struct ee_risk_table {
  int64_t n;
  int     n_grid;
  double *grid;  // shape [n_grid], falling: the safest threshold first
  double *loss;  // shape [n_grid, n], at most 1
} ee_risk_table;

/**
 * Losses of the samples of @p scores.
 * @param temperature  shape [n_exits], of the probabilities
 * @param grid         shape [@p n_grid], falling strictly, n_grid >= 1
 * @param[out] table   to be ended by ee_risk_table_free(); zeroed on error
 * @return EE_OK; EE_ERR_ARG naming what is wrong; EE_ERR_NOMEM
 */
ee_status ee_risk_losses(const ee_score_table *scores, const double *temperature, ee_risk_loss loss,
                         int n_grid, const double *grid, ee_risk_table *table);

/**
 * Losses of the samples of @p answers, a table that ee_exit_table_check() found good: by its
 * confidences and predictions as they stand, and by its probabilities for BRIER and HELLINGER.
 * GAP and BRIER need all labels, the others none.
 * @return as ee_risk_losses(); EE_ERR_ARG also if the table lacks what the loss needs
 */
ee_status ee_risk_answers_losses(const ee_exit_table *answers, ee_risk_loss loss, int n_grid,
                                 const double *grid, ee_risk_table *table);

/**
 * Replace each loss by the greatest of the sample at this or a safer threshold.  That is never
 * less, and does not fall along the grid, which the promises of CRC and UCB need: with it they
 * hold whatever the exits do, at the price of a higher threshold.
 */
void ee_risk_envelope(ee_risk_table *table);

/** Free what @p table holds and zero it. */
void ee_risk_table_free(ee_risk_table *table);

/**
 * How a threshold is chosen from n samples, with R(k) their mean loss at grid point k.  What is
 * promised needs samples drawn independently like those to come.
 *
 *   NAIVE  the largest k with R(k) < epsilon; promises nothing
 *   CRC    the largest k with R(k) <= ((n + 1) epsilon - 1) / n: the mean loss, over draws of the
 *          samples too, is at most epsilon if losses do not fall along the grid
 *   UCB    the last k before the first with ee_risk_wsr_bound() >= epsilon: with probability at
 *          least 1 - delta the true risk is at most epsilon, if it does not fall along the grid
 *   LTT    the last k before the first with ee_risk_p_value() > delta: the same promise, without
 *          the condition (fixed-sequence testing)
 */
typedef enum ee_risk_method {
  EE_RISK_NAIVE,
  EE_RISK_CRC,
  EE_RISK_UCB,
  EE_RISK_LTT,
} ee_risk_method;

typedef struct ee_risk_promise {
  ee_risk_method method;
  double         epsilon;  // in (0, 1): loss allowed
  double         delta;    // in (0, 1): probability of breaking the promise; UCB and LTT
} ee_risk_promise;

/**
 * Choose a grid point.
 * @param[out] index  of the grid; -1 if not even the safest threshold can be promised
 * @return EE_OK; EE_ERR_ARG if epsilon, delta or the table's sizes are out of range
 */
ee_status ee_risk_choose(const ee_risk_table *table, const ee_risk_promise *promise, int *index);

/**
 * The whole way from scores to a threshold: losses on @p n_grid + 1 thresholds from 1 down to 0 in
 * equal steps, their envelope for CRC and UCB, the choice.
 * @param[out] threshold  the lowest that can be promised; INFINITY (nobody leaves early) if none
 * @return as ee_risk_losses() and ee_risk_choose()
 */
ee_status ee_risk_threshold(const ee_score_table *scores, const double *temperature,
                            ee_risk_loss loss, const ee_risk_promise *promise, int n_grid,
                            double *threshold);

/** The same from answers, as in ee_risk_answers_losses(). */
ee_status ee_risk_answers_threshold(const ee_exit_table *answers, ee_risk_loss loss,
                                    const ee_risk_promise *promise, int n_grid, double *threshold);

/**
 * Upper confidence bound on the mean of @p n independent losses of at most 1 by betting
 * (Waudby-Smith and Ramdas, 2024; as in Bates et al., 2021): the root in mu over [0, 1] of
 *   max_i sum_{j <= i} ln(1 - nu_j (x_j - mu)) + ln delta = 0,
 *   nu_j = min(sqrt(2 ln(1 / delta) / (n v_{j-1})), 1),  v_0 = 1/4,
 *   m_j = (1/2 + sum_{i <= j} x_i) / (j + 1),  v_j = (1/4 + sum_{i <= j} (x_i - m_i)^2) / (j + 1);
 * 1 if there is none.  The true mean is above it with probability at most @p delta; losses below 0
 * are allowed, a bound below 0 is given as 0.
 */
double ee_risk_wsr_bound(int64_t n, const double *loss, double delta);

/**
 * Hoeffding and Bentkus's p-value of "the mean loss is above @p epsilon" (Angelopoulos et al.,
 * 2021), with losses below 0 taken as 0, which keeps it valid: the lesser of
 *   exp(-n KL(min(R, epsilon), epsilon)) and e P(Binomial(n, epsilon) <= ceil(n R)).
 */
double ee_risk_p_value(int64_t n, const double *loss, double epsilon);
