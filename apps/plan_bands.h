/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/band_choice.h"
#include "plan_find.h"

/**
 * @file plan_bands.h
 * What edgeexit plan --bands finds out: one sample in bands of rows over 1..P devices, next to the
 * best chain on the same devices, and which answers a sample soonest.
 */

/** What is promised for one number of devices. */
typedef struct ee_band_promise {
  ee_band_choice bands;
  ee_plan       *chain;     // the planner's; NULL: none fits
  ee_forecast    forecast;  // of it
} ee_band_promise;

/** Who answers one sample soonest. */
typedef enum ee_band_winner {
  EE_WINNER_ALONE,
  EE_WINNER_CHAIN,
  EE_WINNER_BANDS,
  EE_WINNER_NONE  // nothing fits
} ee_band_winner;

typedef struct ee_band_promises {
  int              n;   // numbers of devices
  ee_band_promise *of;  // shape [n], for 1, 2, ... devices
  int      enough;  // fewest devices whose bands are within the margin of the best; n if none fit
  int      alone;   // device that answers soonest by itself; -1: none can
  double   alone_latency, alone_period;  // INFINITY if none can [s]
  ee_plan *chain;                        // that answers soonest; NULL: none fits
  ee_forecast    forecast;               // of it
  ee_band_winner winner;
} ee_band_promises;

/** Find everything.  To be freed also on error.
 *  @return EE_OK; EE_ERR_USAGE if there is no such planner; EE_ERR_ARG if the model has no bands;
 *          EE_ERR_NOMEM */
ee_status ee_band_promises_find(const ee_plan_question *question, ee_band_promises *promises);

void ee_band_promises_free(ee_band_promises *promises);

/** Tables: a line for each number of devices, then the rows of the best one's ranges. */
void ee_band_promises_print_text(const ee_plan_question *question,
                                 const ee_band_promises *promises);

/** One JSON object.  EE_OK; EE_ERR_NOMEM. */
ee_status ee_band_promises_print_json(const ee_plan_question *question,
                                      const ee_band_promises *promises);

/** Which way is best for one sample, and for a stream, in words; written to @p text of a size, cut
 *  short if need be, which is returned. */
const char *ee_band_verdict(const ee_plan_question *question, const ee_band_promises *promises,
                            char *text, size_t size);

/** Part of the work of the layers in bands that is done twice or more. */
double ee_band_twice(const ee_band_plan *plan);

/** Whether device @p d computes anything; how many do. */
bool ee_band_device_is_used(const ee_units *units, int d);
int  ee_band_devices_used(const ee_band_choice *bands);
