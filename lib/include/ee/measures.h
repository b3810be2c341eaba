/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/calibrate.h"

/**
 * @file measures.h
 * How good probabilities are that were made from logits by any scaling: what is compared before
 * and after calibration.  Nothing is collective.
 */

/** p = softmax(u) with u_k = (weight_k z_k + bias_k) / temperature. */
typedef struct ee_scaling {
  double        temperature;
  const double *weight;  // shape [n_classes]; NULL: all 1
  const double *bias;    // shape [n_classes]; NULL: all 0
} ee_scaling;

/**
 * Probabilities of one sample's logits @p z.
 * @param[out] p  shape [@p n]
 * @return -ln p[@p label] [nat], finite also where p[label] is rounded to 0
 */
double ee_scaled_softmax(const float *z, int n, const ee_scaling *scaling, int label, double *p);

/** One bin of a reliability diagram. */
typedef struct ee_bin {
  int64_t count;
  double  confidence, accuracy;  // means over the bin; 0 if it is empty
} ee_bin;

/** Reliability diagram over the bins (b / EE_ECE_BINS, (b + 1) / EE_ECE_BINS]. */
typedef struct ee_reliability {
  ee_bin bin[EE_ECE_BINS];
  double ece;  // sum_b count_b / n |accuracy_b - confidence_b|
} ee_reliability;

/** Bin of a probability; 0 belongs to the first. */
int ee_bin_of(double probability);

/** The diagram of @p n confidences and whether each prediction was right; shapes [@p n]. */
void ee_reliability_make(int64_t n, const double *confidence, const bool *right,
                         ee_reliability *diagram);

typedef struct ee_measures {
  double nll;       // mean of -ln p[label] [nat]
  double accuracy;  // share of samples whose label is the lowest class of greatest p
  /** 1 / K sum_k sum_b |sum over samples with p_k in bin b of (1[label = k] - p_k)| / n (Kull et
   *  al., 2019). */
  double         classwise_ece;
  double         brier;        // mean of sum_k (p_k - 1[label = k])^2, in [0, 2]
  ee_reliability reliability;  // of the confidences; holds the ECE
} ee_measures;

/**
 * Measure @p scores, which passed ee_scores_check(), under @p scaling.
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_measure(const ee_scores *scores, const ee_scaling *scaling, ee_measures *measures);
