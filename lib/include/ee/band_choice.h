/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/band_units.h"
#include "ee/device.h"
#include "ee/unit_memory.h"
#include "ee/units_forecast.h"

/**
 * @file band_choice.h
 * How one sample of a model is best shared out in bands of rows over the devices of a run: the
 * plan, its units, and what they promise.
 *
 * Bands begin where pictures can first be cut into rows, and layers in front of them stay on the
 * source.  The heads of exits between ranges run where most rows are.
 *
 * Nothing here is collective; equal input gives equal choices.
 */

/** What can be cut into bands, counted once for any number of devices. */
typedef struct ee_band_field {
  ee_band_costs *costs;
  double        *behind;              // shape [n_cuts of costs], as in ee_band_fleet
  double        *held, *held_behind;  // likewise, as in ee_band_burden
} ee_band_field;

/**
 * Count the bands of @p setup's model.
 * @param[out] field  ended by the caller with ee_band_field_free(), also on error
 * @return EE_OK; EE_ERR_ARG if no layer can be cut into bands; EE_ERR_NOMEM
 */
ee_status ee_band_field_find(const ee_run_setup *setup, ee_band_field *field);

void ee_band_field_free(ee_band_field *field);

typedef struct ee_band_choice {
  ee_band_plan *plan;
  ee_units     *units;
  bool          apart;    // rows at borders are units of their own
  double       *seconds;  // shape [n_exits], until each exit has run, of one sample alone [s]
  double        latency;  // expected of them, by share [s]
  ee_units_load load;     // of a stream
  ee_unit_room *room;     // shape [n_devices], what each needs
  double        lacking;  // bytes that devices have too few of
  int           crowded;  // device that lacks most; -1: none does
  bool          tight;    // one of the ways to make units of the same bands lacks memory
} ee_band_choice;

/** Stages ahead of what is known to be needed that choices count with. */
#define EE_BAND_AHEAD 2

/** Whether rows that wait for others are units of their own (ee_band_placing.apart). */
typedef enum ee_band_borders {
  EE_BORDERS_BEST,  // the way that answers earlier
  EE_BORDERS_TOGETHER,
  EE_BORDERS_APART
} ee_band_borders;

/** What is asked for.  All zero: what is best where all samples go to the end. */
typedef struct ee_band_wish {
  const double   *share;  // shape [n_exits], samples that leave at each exit; NULL: all at the last
  const double   *height;  // shape [n_devices], of the rows of every cut, in all 1; NULL: any
  ee_band_borders borders;
  int             window;  // samples under way; 0: as many as ee_team_defaults() has
  int             most;    // cuts from one exchange to the next at most; 0: any number
} ee_band_wish;

/**
 * Choose for the first @p n_devices devices.  Where the best bands do not fit into a device's
 * memory, unless heights are asked for, others are looked for that do: a byte on a device that has
 * too few counts as seconds, and as more until it has enough; then as less, as long as that fits.
 * So such a device gets fewer rows, fewer layers or nothing.
 * @param[in]  setup   as for ee_first_plan()
 * @param[out] choice  ended by the caller with ee_band_choice_free(), also on error
 * @return EE_OK, also if what was found lacks memory; EE_ERR_ARG as ee_band_plan_find();
 * EE_ERR_NOMEM
 */
ee_status ee_band_choose(const ee_run_setup *setup, const ee_band_field *field, int n_devices,
                         const ee_band_wish *wish, ee_band_choice *choice);

void ee_band_choice_free(ee_band_choice *choice);
