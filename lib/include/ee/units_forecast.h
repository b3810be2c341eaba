/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/band_plan.h"
#include "ee/units.h"

/**
 * @file units_forecast.h
 * What devices that share samples promise: how long one sample takes, and how many there can be.
 *
 * A device computes one unit at a time, of those whose inputs have come the first; units stand in
 * the order of their stages.  What it made goes to each other device that reads any of it
 * in one message; a link carries one message after the other, and what an exit decided, which takes
 * no time of its own, behind them.  An exit waits until it is known
 * that the sample goes on behind the exit before, and other units are computed at most `ahead`
 * stages before that.
 *
 * Pure functions; nothing here is collective.
 */

/**
 * Seconds from the source until each exit has run, and until the source knows what it decided, of
 * one sample on idle devices that leaves nowhere before the last exit.
 * @param[in]  work     shape [n], of each unit [FLOP]
 * @param[in]  fleet    speeds, links and source; at least as many devices as units name
 * @param[out] seconds  shape [n_exits]; INFINITY if a device that is away is needed
 * @param[out] heard    shape [n_exits], likewise; NULL: not asked
 * @return EE_OK; EE_ERR_ARG as ee_units_check(); EE_ERR_NOMEM
 */
ee_status ee_units_forecast(const ee_units *units, const double *work, const ee_band_fleet *fleet,
                            int ahead, double *seconds, double *heard);

/** What a stream takes of devices and links. */
typedef struct ee_units_load {
  double period;    // of the slowest device or link, per admitted sample [s]
  double bytes;     // sent per admitted sample [byte]
  int    from, to;  // the bottleneck: a device, if they are equal, or a link
} ee_units_load;

/**
 * The period of a stream, when there are samples enough under way.
 * @param[in] reach  shape [n_exits], share of samples that get to each exit; NULL: all get to all
 * @return as ee_units_forecast()
 */
ee_status ee_units_load_of(const ee_units *units, const double *work, const ee_band_fleet *fleet,
                           const double *reach, ee_units_load *load);
