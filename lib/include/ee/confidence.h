/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file confidence.h
 * How sure an exit is of a sample.  Sums run in double in the order of the classes; n >= 1.
 * Logits that are not finite give probabilities that are NaN, and a NaN is never confident.
 */

/** p_k = exp((z_k - max z) / T) / sum_j exp((z_j - max z) / T); T > 0,
 *  @p p has shape [@p n]. */
void ee_softmax(const float *logits, int n, float temperature, float *p);

/** Index of the largest; the lowest one among equals. */
int ee_argmax(const float *x, int n);

/** Largest p minus second largest p; p[0] if n is 1. */
float ee_margin(const float *p, int n);

/** -sum_k p_k ln p_k, with 0 ln 0 = 0 [nat]. */
float ee_entropy(const float *p, int n);

/** Entropy / ln n, in [0, 1]; 0 if n is 1. */
float ee_normalised_entropy(const float *p, int n);
