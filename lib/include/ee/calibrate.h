/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/status.h"

/**
 * @file calibrate.h
 * How honest the probabilities of an exit are, and the temperature that makes them so.
 *
 * The first part looks at one exit: logits z of shape [n, n_classes] and a label for each sample;
 * the second at all exits of a network.  At temperature T a sample's probabilities are
 * p = softmax(z / T), its confidence is max_k p_k and its prediction the lowest class that reaches
 * it.  Sums run in double in the order of the samples.  Nothing is collective.
 */

/** What one exit said of labelled samples.  All arrays are borrowed. */
typedef struct ee_scores {
  int64_t        n;  // samples
  int            n_classes;
  const float   *logits;  // shape [n, n_classes], finite
  const int32_t *label;   // shape [n], in [0, n_classes)
} ee_scores;

/** EE_OK, or EE_ERR_ARG naming the first sample whose label or logits the functions below cannot
 *  use; they take scores that passed. */
ee_status ee_scores_check(const ee_scores *scores);

/** Mean of -ln p[label] [nat]. */
double ee_nll(const ee_scores *scores, double temperature);

/** Share of samples whose prediction is the label; the same at every temperature. */
double ee_accuracy(const ee_scores *scores);

#define EE_ECE_BINS 15

/**
 * Expected calibration error: sum_b share_b |accuracy_b - confidence_b| over EE_ECE_BINS bins
 * (b / 15, (b + 1) / 15] of the confidence, with both terms averaged within the bin (Guo, Pleiss,
 * Sun and Weinberger, 2017).
 */
double ee_ece(const ee_scores *scores, double temperature);

#define EE_TEMPERATURE_MIN 0.05
#define EE_TEMPERATURE_MAX 20.0

/**
 * The temperature with the least ee_nll, by golden section on ln T between the two bounds above;
 * the NLL is convex in 1 / T, so it has one valley there.
 * @param[out] temperature  between the bounds and within 1e-6 of the best there, relatively
 * @return EE_OK; EE_ERR_ARG as ee_scores_check() does
 */
ee_status ee_calibrate_temperature(const ee_scores *scores, double *temperature);

/** What every exit of a network said of the same samples.  All arrays are borrowed. */
typedef struct ee_score_table {
  int64_t        n;  // samples
  int            n_exits, n_classes;
  const float   *logits;  // shape [n_exits, n, n_classes], finite
  const int32_t *label;   // shape [n], in [0, n_classes)
} ee_score_table;

/** The part of @p table that is exit @p exit's. */
ee_scores ee_scores_of(const ee_score_table *table, int exit);

/** EE_OK, or EE_ERR_ARG naming the exit and the sample as ee_scores_check() does. */
ee_status ee_score_table_check(const ee_score_table *table);

/** max_k p_k of logits @p z, shape [@p n], in the bits that ee_softmax() gives at the same T. */
float ee_confidence_at(const float *z, int n, double temperature);

/** Whose logits a temperature is fitted on (Pacheco, Couto and Simeone, 2023). */
typedef enum ee_calibrate_mode {
  EE_CALIBRATE_ALL,     // each exit: every sample
  EE_CALIBRATE_REACH,   // each exit: those that no earlier exit took under the target
  EE_CALIBRATE_LEAVE,   // each exit: those that it takes
  EE_CALIBRATE_GLOBAL,  // one temperature: each sample at the exit that takes it
} ee_calibrate_mode;

/**
 * One temperature per exit.  REACH goes from the first exit to the last, and the earlier ones take
 * samples at the temperatures just fitted, as they will in use.  LEAVE and GLOBAL let every exit
 * take samples at temperature 1, as published; once calibrated, exits take others.
 * @param target            confidence at which an exit takes a sample; ALL does not look at it
 * @param[out] temperature  shape [n_exits]; 1 where there was nothing to fit on
 * @param[out] fitted       shape [n_exits], samples that the exit's temperature was fitted on
 * @return EE_OK; EE_ERR_ARG as ee_score_table_check() does; EE_ERR_NOMEM
 */
ee_status ee_calibrate_exits(const ee_score_table *table, ee_calibrate_mode mode, double target,
                             double *temperature, int64_t *fitted);

/** What offloading-driven temperatures are worth. */
typedef struct ee_offload_utility {
  double        target;  // confidence at which an exit takes a sample
  double        beta;    // in [0, 1]: weight of accuracy, 1 - beta that of time
  const double *time;    // shape [n_exits], until an answer of each exit, in any unit; > 0 at last
  int           steps;   // of the search, >= 1
  uint64_t      seed;
} ee_offload_utility;

/**
 * z(T) = (1 - beta) E[time | T] / time[last] - beta A(T), to be made small (Pacheco, Simeone and
 * Couto: offloading-driven temperature scaling).  A(T) is the mean over the samples that leave
 * before the last exit of P(right | confidence) at their exit, which is estimated among the
 * samples that reach it by Gaussian kernels with Scott's bandwidth; 0 if nobody leaves.
 * @param temperature  shape [n_exits]
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_offload_objective(const ee_score_table *table, const ee_offload_utility *utility,
                               const double *temperature, double *z);

/**
 * Temperatures of all exits but the last, whose stays 1, by simultaneous perturbation (SPSA): from
 * T = 1, step s = 1, 2, ... moves against the slope between T + sign / s and T - sign / s, with a
 * gain of 0.4 / (s + 1), and keeps T between EE_TEMPERATURE_MIN and EE_TEMPERATURE_MAX; the
 * published 1e-6, which the first step may reach, makes every confidence 1.  The sign of exit e is
 * + if the e-th ee_rng_below(2) at (seed, s) is 1, else -.  The best T that was met is given back.
 * @param[out] temperature  shape [n_exits]
 * @param[out] z            ee_offload_objective() there, never above that of T = 1
 * @return EE_OK; EE_ERR_ARG; EE_ERR_NOMEM
 */
ee_status ee_calibrate_offloading(const ee_score_table *table, const ee_offload_utility *utility,
                                  double *temperature, double *z);
