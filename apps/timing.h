/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/** @file timing.h  What repeated measurements of the same thing say. */

/** Seconds that something takes [s]. */
typedef struct ee_timing {
  double median, least;
} ee_timing;

/** Of @p n >= 1 measurements @p ns [ns], which are sorted; the median of an even number is the mean
 *  of the two in the middle. */
ee_timing ee_timing_of(int64_t *ns, int n);

/**
 * How many times to repeat what took @p once seconds, so that all takes @p budget seconds; never
 * less than @p least or more than @p most.
 */
int ee_repeats_for(double once, double budget, int least, int most);
