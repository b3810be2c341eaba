/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/band_choice.h"
#include "ee/partition.h"

/**
 * @file band_choosing.h
 * One plan of bands made into units, and compared with another.
 */

/** What is being chosen, and for whom. */
typedef struct ee_band_choosing {
  const ee_run_setup  *setup;
  const ee_band_field *field;
  const ee_band_wish  *wish;
  const ee_chain      *chain;  // of the devices
} ee_band_choosing;

/**
 * The planner's bands when a byte counts as @p price, shape [n_devices] [s/byte]; NULL: as nothing.
 * @param[out] choice  ended by the caller with ee_band_choice_free(), also on error
 * @return EE_OK; EE_ERR_ARG as ee_band_plan_find(); EE_ERR_NOMEM
 */
ee_status ee_band_choice_at(const ee_band_choosing *c, const double *price, ee_band_choice *choice);

/** The choice of @p plan, which is taken over.  As above. */
ee_status ee_band_choice_of(const ee_band_choosing *c, ee_band_plan **plan, ee_band_choice *choice);

/** Make *choice better by moving rows, exchanges and the bands' end, one at a time, as long as that
 *  helps and not too often.  As above. */
ee_status ee_band_climb(const ee_band_choosing *c, ee_band_choice *choice);

/** Whether @p a lacks fewer bytes than @p b, or as many and answers earlier. */
bool ee_band_choice_is_better(const ee_band_choice *a, const ee_band_choice *b);

/** Bytes that device @p d has too few of. */
double ee_band_lacks(const ee_band_choosing *c, const ee_band_choice *choice, int d);

/**
 * Make *choice, of which one way to make units lacks memory, one that fits or that lacks less, if
 * there is a better one.
 * @return as ee_band_choice_at()
 */
ee_status ee_band_fit(const ee_band_choosing *c, ee_band_choice *choice);
