/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file cusum.h
 * Two-sided cumulative sums: small changes that last (E. S. Page, Continuous inspection schemes,
 * Biometrika 41, 1954).
 *
 *   up   <- max(0, up + z - EE_CUSUM_ALLOWANCE)
 *   down <- max(0, down - z - EE_CUSUM_ALLOWANCE)
 *
 * where z are observations of mean 0 and variance 1 as long as nothing has changed.  A sum above
 * EE_CUSUM_LIMIT is an alarm, and the change began when that sum was last 0.  An allowance of half
 * a standard deviation is best for changes of a whole one.
 */

#define EE_CUSUM_ALLOWANCE 0.5
#define EE_CUSUM_LIMIT 6.0

typedef struct ee_cusum {
  double up, down;
  int    up_age, down_age;  // observations since the sum was last 0
} ee_cusum;

/** Take in observation @p z.  @return observations since the change, this one included, and the
 * sums begin anew; 0: no alarm */
int ee_cusum_add(ee_cusum *cusum, double z);
