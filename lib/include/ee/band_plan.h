/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/bands.h"

/**
 * @file band_plan.h
 * One sample on several devices at once: how many rows of a picture each of them computes, and
 * after how many layers they exchange rows.
 *
 * The layers between two cuts where rows are exchanged are a range.  In a range each device
 * computes a band of the rows of the range's last cut, with all that it needs of the layers before;
 * the rows of the range's first cut that it does not have come from those that do, while it
 * computes what depends on its own rows only.  With W(r0, r1) the work of a band, [u0, u1) its rows
 * that need nothing from others, and b_q bytes from device q,
 *
 *   t = max(W(u0, u1) / speed, max_q latency_q + sum_q b_q / bandwidth_q) + (W - W(u0, u1)) / speed
 *
 * and a range takes as long as its slowest device, the whole as long as all ranges together.  At
 * cut 0 the input is on the source, or everywhere.  Sending takes a device no time.
 *
 * Long ranges exchange less often and compute rows near the borders of bands twice.
 *
 * Pure functions; nothing here is collective.
 */

/** Rows and work of the layers between two cuts, of a band whose rows begin or end with row r. */
typedef struct ee_band_range {
  int64_t *first;   // shape [height + 1]: rows of the first cut that it needs begin here
  int64_t *last;    // shape [height + 1]: and end here
  double  *before;  // shape [height + 1]: work that lies above it [FLOP]
  double  *until;   // shape [height + 1]: work up to its end [FLOP]; W = until[r1] - before[r0]
} ee_band_range;

/** What bands of a part of a model cost. */
typedef struct ee_band_costs {
  int            n_cuts;     // where rows can be exchanged, both ends included; >= 2
  int           *cut;        // shape [n_cuts], of the model
  int64_t       *height;     // shape [n_cuts], rows
  double        *row_bytes;  // shape [n_cuts], of all values alive there [byte]
  ee_band_range *range;      // shape [n_cuts, n_cuts], from one cut to a later one; else, and where
                             // an exit is attached in between, unset
} ee_band_costs;

/**
 * Count for layers [@p begin, @p end) of @p model, with every cut in between at which rows can be
 * exchanged.  All rows that a value at a cut is needed with are counted for all values there.
 * Exits may be attached inside: rows are then exchanged there, and the exits' heads are not
 * counted.
 * @param[in]  backend  as for ee_band_find()
 * @param[in]  work     shape [n_layers], of whole layers [FLOP]; NULL: their operations
 * @param[out] costs    owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG as ee_bands_check(); EE_ERR_NOMEM
 */
ee_status ee_band_costs_of(const ee_model *model, const ee_backend *backend, int begin, int end,
                           const double *work, ee_band_costs **costs);

/** Destroy and set to NULL.  *costs may be NULL. */
void ee_band_costs_destroy(ee_band_costs **costs);

/**
 * What devices hold of bands in memory, roughly, and what a byte counts as when plans are compared:
 * a band of a range from cut i to cut j holds
 *
 *   held[j] - held[i] + kept row_bytes[i] rows read + 2 (bytes of the largest cut) rows / height[j]
 *
 * and what follows the bands held_behind, and all rows.
 */
typedef struct ee_band_burden {
  const double *held;         // shape [n_cuts], weights of the layers up to a cut [byte]
  const double *held_behind;  // shape [n_cuts], of those that follow it [byte]
  double        kept;         // times that a row is kept that a device reads
  const double *price;        // shape [n_devices] [s/byte]
} ee_band_burden;

/** The devices, in the order of their bands from top to bottom.  All arrays are borrowed. */
typedef struct ee_band_fleet {
  int           n_devices;
  const double *speed;  // shape [n_devices] [FLOP/s]; 0: away; not all are
  const double
      *bandwidth;         // shape [n_devices, n_devices], from and to [byte/s]; 0 or NULL: no limit
  const double *latency;  // shape [n_devices, n_devices] [s]; NULL: 0
  int           source;   // device that holds the input; -1: all do
  int           most;     // cuts from one exchange to the next at most; 0: any number
  const double *behind;   // shape [n_cuts], work of all that follows a cut, which one device does
                          // once it has all rows: bands may end at any cut [FLOP]; NULL: nothing
                          // follows, and they end at the last one
  const double *share;  // shape [n_devices], of the rows of each cut that a device gets, in all 1;
                        // NULL: as many as are best
  const ee_band_burden *burden;  // NULL: memory counts as nothing
} ee_band_fleet;

/** Bands, and what they promise. */
typedef struct ee_band_plan {
  int      n_ranges, n_devices;
  int     *cut;         // shape [n_ranges + 1], of the model
  int64_t *row;         // shape [n_ranges, n_devices + 1]: device d has rows row[k][d] to
                        // row[k][d + 1] at the end of range k; none if they are equal
  double *seconds;      // shape [n_ranges]
  int     last;         // device that does what follows the bands; -1: nothing does
  double  weighed;      // total, and what is held by its price [s]
  double  total;        // of all ranges, and of gathering rows and what follows [s]
  double  alone;        // on the device that is the fastest by itself, input included [s]
  double  bytes;        // sent in all, input and gathering included [byte]
  double  flops;        // computed in bands [FLOP]
  double  whole_flops;  // the same layers on one device, rows that nobody needs left out [FLOP]
} ee_band_plan;

/**
 * Find bands that take little time.
 *
 *   T(j) = min over i < j of T(i) + t(i, j),   T(0) = 0
 *
 * where t(i, j) is the least time of a range in which every device gets any number of rows, from
 * the bands that T(i) ends with: by the recurrence
 *
 *   h(d, y) = min over x <= y of max(h(d - 1, x), t_d(x, y))
 *
 * over all rows x and y, exactly.  Among heights of equal time those with the least sum of squared
 * times of the devices.  Since bands at i are not chosen for what follows, the whole can be longer
 * than the best of all heights at all cuts at once; so this is also done for each device by itself
 * and for the 2, 3 and 4 fastest, and the shortest taken.  Time O(n_cuts^2 devices^2 rows^2).
 *
 * Where something follows, bands end at the cut j, and it is done by the device d, with the least
 *
 *   T(j) + max latency + sum bytes / bandwidth + behind[j] / speed_d
 *
 * the rows that d lacks at j being sent to it.
 *
 * @param[out] plan  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG with what is wrong about the fleet; EE_ERR_NOMEM
 */
ee_status ee_band_plan_find(const ee_band_costs *costs, const ee_band_fleet *fleet,
                            ee_band_plan **plan);

/** Make room for a plan, zeroed but for `last`, -1.
 *  @param[out] plan  owned by the caller; NULL on error
 *  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_band_plan_create(int n_ranges, int n_devices, ee_band_plan **plan);

/** Fill in what a plan with given cuts, rows and last device promises: `seconds`, `total`, `bytes`,
 *  `flops` and `whole_flops`.  @p fleet: as for ee_band_plan_find().
 *  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_band_plan_count(const ee_band_costs *costs, const ee_band_fleet *fleet,
                             ee_band_plan *plan);

/** Destroy and set to NULL.  *plan may be NULL. */
void ee_band_plan_destroy(ee_band_plan **plan);
