/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"

/**
 * @file counters.h
 * What a device counts, by the epoch of the sample id, so that a sum over devices speaks of the
 * same samples on each.
 *
 * Ids under way span at most control_delay + 1 epochs and the controller takes an epoch's counts
 * when it has passed, so a ring of control_delay + 3 epochs is enough.  Where the source does not
 * wait for the controller, the ring grows with what is not taken yet.
 */
typedef struct ee_counters {
  int              n_exits, n_rings;
  uint64_t         epoch_samples;
  int64_t         *epoch;   // shape [n_rings], which epoch a ring place holds
  ee_epoch_counts *counts;  // shape [n_rings]
  int64_t         *memory;  // one block behind all `reached` and `left`
  int64_t          taken;   // epochs whose counts are no longer needed
  bool             grows;   // no other is given up for a new one
} ee_counters;

ee_status ee_counters_open(int n_exits, uint64_t epoch_samples, int control_delay,
                           ee_counters *counters);
void      ee_counters_close(ee_counters *counters);

/** Make room for the epoch of sample @p id, which is the newest, if the ring grows.  Counts that
 *  were handed out are not valid after it.
 *  @return EE_OK; EE_ERR_NOMEM, and nothing has changed */
ee_status ee_counters_reserve(ee_counters *counters, uint64_t id);

/** Counts of the epoch of sample @p id, zeroed when the epoch is met for the first time. */
ee_epoch_counts *ee_counters_of(ee_counters *counters, uint64_t id);
