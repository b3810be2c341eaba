/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/fleet.h"
#include "ee/policy.h"

/**
 * @file lessons.h
 * What a policy learns while the stream runs: sums of this device by epoch of the sample id, and
 * the memory that each epoch's decisions read.
 *
 * With a control delay of D epochs, ids of epoch k are decided by what all devices learned in
 * epochs 0 .. k - 1 - D.  The source admits ids of epoch k only once the sums of epoch k - 1 - D
 * are known to it; another device may hear of them a little later, and waits.
 */
typedef struct ee_lessons {
  const ee_policy   *policy;  // borrowed
  uint64_t           epoch_samples;
  int                delay;
  size_t             learned, memory_bytes;  // both 0: the policy does not learn
  int64_t            known;                  // epochs taken into memory
  int64_t           *epoch;   // shape [delay + 3], which epoch a ring place of `sums` holds
  int64_t           *sums;    // shape [delay + 3, learned]
  unsigned char     *memory;  // shape [delay + 2, memory_bytes], after epoch e at e mod (delay + 2)
  double            *offload_cost;  // shape [delay + 2], measured by the end of epoch e; NaN: not
  const ee_schedule *given;         // costs of an offload by sample id instead; borrowed
} ee_lessons;

/** @param given  costs of an offload by sample id; empty: measured ones, or none.  Borrowed. */
ee_status ee_lessons_open(const ee_policy *policy, uint64_t epoch_samples, int delay,
                          const ee_schedule *given, ee_lessons *lessons);
void      ee_lessons_close(ee_lessons *lessons);

/** Whether what decides sample @p id is here. */
bool ee_lessons_ready(const ee_lessons *lessons, uint64_t id);

/** The memory that decides sample @p id; NULL: nothing was learned yet. */
const void *ee_lessons_memory(const ee_lessons *lessons, uint64_t id);

/** This device's sums of the epoch of sample @p id, shape [learned]; zeroed when first met. */
int64_t *ee_lessons_sums(ee_lessons *lessons, uint64_t id);

/** What offloading sample @p id costs: as given, or as measured with what decides it; NULL:
 * neither. Borrowed; valid as long as the memory that decides it. */
const double *ee_lessons_offload_cost(const ee_lessons *lessons, uint64_t id);

/** Take the sums of the next epoch over all devices, shape [learned], and the cost of an offload
 *  that was measured by its end; NaN: none. */
void ee_lessons_take(ee_lessons *lessons, const int64_t *sums, double offload_cost);
