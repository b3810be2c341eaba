/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/band_plan.h"

/**
 * @file band_heights.h
 * The bands of one range of layers, from those that the devices have where it begins.
 */

/** A range at hand. */
typedef struct ee_band_step {
  const ee_band_costs *costs;
  const ee_band_fleet *fleet;
  int                  from, to;  // indices of cuts
  const int64_t       *own;  // shape [n_devices + 1], bands at cut `from`; NULL: all have all of it
} ee_band_step;

/** Whether there is such a range: no exit stands inside. */
bool ee_band_range_exists(const ee_band_costs *costs, int from, int to);

/** The longest range from cut @p from that does not go beyond @p last. */
int ee_band_range_longest(const ee_band_costs *costs, int from, int last);

/** Seconds until rows @p need of cut `from` that device @p d lacks are there; their bytes are added
 *  to *bytes. */
double ee_band_receive(const ee_band_step *step, int d, ee_rows need, double *bytes);

/** What a device does in a range. */
typedef struct ee_band_share {
  double seconds, bytes, flops;  // received; computed
  double weighed;                // seconds, and what it holds by its price
} ee_band_share;

/** What device @p d holds that reads rows @p need of cut `from`, and @p more bytes, by its price
 *  [s]. */
double ee_band_weight(const ee_band_step *step, int d, ee_rows need, double more);

/** Device @p d with rows @p rows at the end of the range; no seconds are enough if it is away. */
ee_band_share ee_band_share_of(const ee_band_step *step, int d, ee_rows rows);

/**
 * Rows for every device such that the slowest takes least, with what it holds, as
 * ee_band_plan_find() tells.
 * @param[out] row      shape [n_devices + 1]
 * @param[out] weighed  of the slowest
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_band_heights(const ee_band_step *step, int64_t *row, double *weighed);
