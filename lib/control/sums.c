/* SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

#include <stdlib.h>
#include <string.h>

enum { AT_READY, AT_HASH, AT_AHEAD, AT_EXITS };

/* Part of a hash that can be added up over many ranks without overflow. */
static int64_t short_hash(uint64_t hash) {
  return (int64_t)(hash & 0x7fffffffu);
}

int ee_sums_length(int n_exits, int n_devices, int n_learned) {
  return AT_EXITS + 2 * n_exits + EE_DEVICE_SUMS * n_devices + n_learned;
}

/* Where what was learned begins. */
static int at_learned(const ee_sums *sums) {
  return sums->length - sums->n_learned;
}

ee_status ee_sums_open(int n_exits, int n_devices, int n_learned, int most, ee_sums *sums) {
  *sums =
      (ee_sums){.n_exits = n_exits, .n_devices = n_devices, .n_learned = n_learned, .most = most};
  sums->length = ee_sums_length(n_exits, n_devices, n_learned);
  int length   = sums->length;
  sums->block  = calloc(2 * (size_t)most * (size_t)length, sizeof *sums->block);
  if (sums->block == NULL) return EE_FAIL(EE_ERR_NOMEM, "for sums of %d integers", length);
  ee_sums_select(sums, 0);
  return EE_OK;
}

void ee_sums_select(ee_sums *sums, int i) {
  sums->mine = sums->block + (ptrdiff_t)i * sums->length;
  sums->all  = sums->mine + (ptrdiff_t)sums->most * sums->length;
}

void ee_sums_close(ee_sums *sums) {
  free(sums->block);
  *sums = (ee_sums){0};
}

static bool is_away(const ee_device *device) {
  const ee_fleet *fleet = ee_device_setup(device)->fleet;
  double          now   = (double)ee_device_now(device) * 1e-9;
  return fleet != NULL && ee_fleet_away(fleet, ee_device_rank(device), now);
}

void ee_sums_fill(ee_sums *sums, ee_device *device, int64_t epoch, bool ready, uint64_t hash) {
  const ee_epoch_counts *counts = ee_device_counts(device, epoch);
  size_t                 exits  = (size_t)sums->n_exits * sizeof *sums->mine;
  memset(sums->mine, 0, (size_t)sums->length * sizeof *sums->mine);
  sums->mine[AT_READY] = ready;
  sums->mine[AT_HASH]  = short_hash(hash);
  memcpy(sums->mine + AT_EXITS, counts->reached, exits);
  memcpy(sums->mine + AT_EXITS + sums->n_exits, counts->left, exits);

  int64_t *own = sums->mine + AT_EXITS + 2 * sums->n_exits +
                 (ptrdiff_t)EE_DEVICE_SUMS * ee_device_rank(device);
  own[EE_SUM_WORK]       = counts->work;
  own[EE_SUM_BUSY]       = counts->busy;
  own[EE_SUM_LINK_BYTES] = counts->received_bytes;
  own[EE_SUM_LINK_NS]    = counts->link_ns;
  own[EE_SUM_AWAY]       = is_away(device);
  if (sums->n_learned == 0) return;
  memcpy(sums->mine + at_learned(sums), ee_device_learned(device, epoch),
         (size_t)sums->n_learned * sizeof *sums->mine);
}

void ee_sums_set_next(ee_sums *sums, int64_t epochs) {
  sums->mine[AT_AHEAD] = epochs;
}

int ee_sums_next(const ee_sums *sums) {
  int64_t next = sums->all[AT_AHEAD];
  if (next < 1) return 1;
  return next < sums->most ? (int)next : sums->most;
}

bool ee_sums_all_ready(const ee_sums *sums) {
  return sums->all[AT_READY] == sums->n_devices;
}

bool ee_sums_same_hash(const ee_sums *sums, uint64_t hash) {
  return sums->all[AT_HASH] == short_hash(hash) * sums->n_devices;
}

const int64_t *ee_sums_reached(const ee_sums *sums) {
  return sums->all + AT_EXITS;
}

const int64_t *ee_sums_left(const ee_sums *sums) {
  return sums->all + AT_EXITS + sums->n_exits;
}

const int64_t *ee_sums_learned(const ee_sums *sums) {
  return sums->all + at_learned(sums);
}

int64_t ee_sums_device(const ee_sums *sums, int device, ee_device_sum what) {
  return sums->all[AT_EXITS + 2 * sums->n_exits + EE_DEVICE_SUMS * device + (int)what];
}
