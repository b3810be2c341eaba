/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/measures.h"

/**
 * @file scaling.h
 * Calibration by more than one number per exit, to compare temperature scaling with.
 * Nothing is collective.
 */

#define EE_VECTOR_RIDGE 1e-6

/**
 * Vector scaling (Platt scaling for many classes; Guo, Pleiss, Sun and Weinberger, 2017): weight
 * and bias per class with the least
 *   mean of -ln softmax(weight z + bias)[label]
 *     + EE_VECTOR_RIDGE / 2 sum_k ((weight_k - 1)^2 + bias_k^2),
 * which is convex; the ridge makes the minimum finite and unique.  By L-BFGS in double, until no
 * element of the gradient is above 1e-8 or no step makes the sum smaller.  Predictions may change.
 * @param[out] weight  shape [n_classes]
 * @param[out] bias    shape [n_classes]
 * @return EE_OK; EE_ERR_ARG as ee_scores_check() does; EE_ERR_NOMEM
 */
ee_status ee_calibrate_vector(const ee_scores *scores, double *weight, double *bias);

/** A step function that does not fall: value[b] from start[b] on, value[0] also below. */
typedef struct ee_isotonic {
  int64_t n;      // steps, >= 1
  double *start;  // shape [n], rising
  double *value;  // shape [n], rising, in [0, 1]
} ee_isotonic;

/**
 * Isotonic regression: the function of the confidence that does not fall and has the least sum of
 * squared differences to @p right (pool adjacent violators; Zadrozny and Elkan, 2002).
 * @param confidence  shape [@p n], finite
 * @param right       shape [@p n]
 * @param[out] fit    to be ended by ee_isotonic_free(); zeroed on error
 * @return EE_OK; EE_ERR_ARG if @p n < 1 or a confidence is not finite; EE_ERR_NOMEM
 */
ee_status ee_isotonic_fit(int64_t n, const double *confidence, const bool *right, ee_isotonic *fit);

/** The calibrated confidence. */
double ee_isotonic_at(const ee_isotonic *fit, double confidence);

/** Free what @p fit holds and zero it. */
void ee_isotonic_free(ee_isotonic *fit);
