/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/status.h"

/**
 * @file calibrate.h
 * How honest the probabilities of an exit are, and the temperature that makes them so.
 *
 * Everything looks at one exit: logits z of shape [n, n_classes] and a label for each sample.  At
 * temperature T a sample's probabilities are p = softmax(z / T), its confidence is max_k p_k and
 * its prediction the lowest class that reaches it.  Sums run in double in the order of the
 * samples.  Nothing is collective.
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
