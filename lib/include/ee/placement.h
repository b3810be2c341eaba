/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/unit_memory.h"
#include "ee/units_forecast.h"

/**
 * @file placement.h
 * Which device computes which unit.
 *
 * With T_e when the source hears of exit e (ee_units_forecast()),
 * and reach_e the share of samples that get there, the expected latency of a sample alone is
 *
 *   sum over e of (reach_e - reach_{e+1}) T_e,   reach_{n_exits} = 0
 *
 * The period is that of ee_units_load_of().  Work in vain is not counted: ranks do what is known to
 * be needed first (ee/team.h).
 *
 * Pure functions; nothing here is collective.
 */

/** Whether a device stays.  One that leaves for ever gets no unit, one that leaves for a while none
 * that is needed. */
typedef enum ee_leaving { EE_STAYS, EE_LEAVES_FOR_A_WHILE, EE_LEAVES_FOR_EVER } ee_leaving;

/** Units, and devices for them.  All arrays are borrowed. */
typedef struct ee_placement_task {
  const ee_units       *units;   // their devices are not looked at
  const double         *work;    // shape [units->n], of one sample [FLOP]
  const double         *reach;   // shape [n_exits], shares of samples; reach[0] is 1
  ee_band_fleet         fleet;   // a device of speed 0 takes no unit
  const ee_unit_memory *takes;   // what placements take in memory; NULL: it is not limited
  const double         *memory;  // shape [n_devices] [byte]; 0 or NULL: unlimited
  const int *beside;   // shape [units->n], a placement whose units stay in memory, too, and
                       // which fits; NULL: none
  const bool *needed;  // shape [units->n], units that a sample cannot do without; NULL: see below
  const ee_leaving *leaves;  // shape [n_devices]; NULL: all stay
  int               ahead;   // stages, >= 0
} ee_placement_task;

typedef struct ee_placement_forecast {
  double latency;  // expected, of a sample alone [s]
  double period;   // per sample of a stream [s]
} ee_placement_forecast;

/** What placement @p device, shape [units->n], promises.  INFINITY where a device has no speed.
 *  @return EE_OK; EE_ERR_ARG as ee_units_check(); EE_ERR_NOMEM */
ee_status ee_placement_forecast_of(const ee_placement_task *task, const int *device,
                                   ee_placement_forecast *forecast);

/**
 * A latency and a period that no placement falls below; one placement need not reach both, and none
 * may reach either.  Links take no time here.  For each exit, the work that must be done one unit
 * after the other is done on the fastest device, and no sooner than all devices together do all
 * work that the exit needs; a stream needs as long as all devices together for its mean sample, and
 * the fastest one for any unit.
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_placement_bound(const ee_placement_task *task, ee_placement_forecast *bound);

/**
 * Find a placement of least expected latency, or of least period; the other one decides between
 * equals, then the fewest devices in use.
 *
 * Among placements of whole branches, with what has no lane on one device, the best if there are at
 * most EE_PLACEMENTS_TRIED of them; of more, one that no move of a branch improves.  Then single
 * units move as long as that improves it, and two at once where there are at most
 * EE_PLACEMENTS_TRIED such moves.
 *
 * Placements that fit into the devices' memories are better than those that do not, and of the
 * latter those that lack the fewest bytes.
 * @param[out] device  shape [units->n]
 * @return EE_OK; EE_ERR_ARG if no device has a speed, or none was found that fits, with what the
 *         nearest lacks where; EE_ERR_NOMEM
 */
ee_status ee_placement_find(const ee_placement_task *task, bool by_latency, int *device);
#define EE_PLACEMENTS_TRIED 50000
