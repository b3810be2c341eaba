/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"

/**
 * @file sums.h
 * The vector of integers that ranks add up once per epoch.  Fixed length and order:
 *
 *   ready | hash | ahead | reached [n_exits] | left [n_exits] | per device: EE_DEVICE_SUMS entries
 * | what the policy learned [n_learned]
 *
 * A rank fills in its own device's entries and leaves the others 0.  One sum may carry the vectors
 * of several successive epochs: rank 0 says `ahead` how many the next one should have.
 */
typedef enum ee_device_sum {
  EE_SUM_WORK,        // [FLOP]
  EE_SUM_BUSY,        // [ns]
  EE_SUM_LINK_BYTES,  // over the link into the device [byte]
  EE_SUM_LINK_NS,     // that link was occupied [ns]
  EE_SUM_AWAY,        // 1: the fleet says that the device is away now
  EE_DEVICE_SUMS
} ee_device_sum;

typedef struct ee_sums {
  int      n_exits, n_devices, n_learned, length;
  int      most;        // vectors in a sum
  int64_t *mine, *all;  // shape [length]: what this rank adds, and the sum over ranks
  int64_t *block;       // shape [2, most, length], all of `mine` and all of `all`
} ee_sums;

/** Integers in a vector. */
int ee_sums_length(int n_exits, int n_devices, int n_learned);

/** Open for sums of up to @p most vectors, >= 1.  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_sums_open(int n_exits, int n_devices, int n_learned, int most, ee_sums *sums);
void      ee_sums_close(ee_sums *sums);

/** Let `mine` and `all` be vector @p i of the sum, in [0, most). */
void ee_sums_select(ee_sums *sums, int i);

/** Fill in this rank's part of epoch @p epoch. */
void ee_sums_fill(ee_sums *sums, ee_device *device, int64_t epoch, bool ready, uint64_t hash);

/** Say in `mine` that the next sum should have @p epochs vectors, for rank 0; and how many it will
 *  have, by `all`, in [1, most]. */
void ee_sums_set_next(ee_sums *sums, int64_t epochs);
int  ee_sums_next(const ee_sums *sums);

/** Whether every rank is ready, and whether every rank added @p hash. */
bool ee_sums_all_ready(const ee_sums *sums);
bool ee_sums_same_hash(const ee_sums *sums, uint64_t hash);

const int64_t *ee_sums_reached(const ee_sums *sums);  // shape [n_exits]
const int64_t *ee_sums_left(const ee_sums *sums);     // shape [n_exits]
const int64_t *ee_sums_learned(const ee_sums *sums);  // shape [n_learned]
int64_t        ee_sums_device(const ee_sums *sums, int device, ee_device_sum what);
