/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file difference.h
 * How far what one exit says is from what another said.  Sums run in double in the order of the
 * numbers; n >= 1.  All are 0 for two that are equal, and a NaN anywhere gives NaN.
 */

/** KL(p || q) = sum_k p_k ln(p_k / q_k), with 0 ln 0 = 0 [nat].  A q_k below the least normal float
 *  counts as that float, so that the sum stays finite. */
double ee_kl(const float *p, const float *q, int n);

/** ||p - q|| = sqrt(sum_k (p_k - q_k)^2). */
double ee_l2(const float *p, const float *q, int n);

/** 1 - p q / (||p|| ||q||), in [0, 2]; 1 if one of them is all zeros. */
double ee_cosine_distance(const float *p, const float *q, int n);
