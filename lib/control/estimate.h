/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "ee/partition.h"
#include "shares.h"
#include "sums.h"

/**
 * @file estimate.h
 * From sums to what the planner needs: reach of each layer, speed of each device, links.
 *
 * Reach follows from shares.h.  Speeds, measured as work done over time busy, are smoothed too,
 * unless the device has jumped; then the new one is taken: a jump is a relative step beyond a limit
 * and beyond what the device's speed is used to vary.  A device that has run nothing yet has its
 * fleet's speed, or on the real clock the mean of the devices that have.  A device that the fleet
 * says is away has speed 0 until it comes back.  A link's bandwidth is what it carried over the
 * time it was occupied; that of a link that carries nothing goes back, step by step, to what is
 * expected of it, which is the fleet's figure and moves a little with each epoch in which the link
 * was measured.  Else a plan that leaves a link because it was slow would never be given up when
 * the link is fast again.  Latency does not occupy a link and is the fleet's.
 */
typedef struct ee_estimate {
  const ee_model *model;
  int             n_devices;
  ee_shares       shares;     // of samples that leave at each exit
  double         *reach;      // shape [n_layers]
  double         *speed;      // shape [n_devices] [FLOP/s]; 0: the device is away
  double         *own_speed;  // shape [n_devices], the same when it is there
  double         *old_speed;  // shape [n_devices], `speed` when a plan last began to serve
  double         *unrest;     // shape [n_devices], mean square of relative steps of the speed
  int            *measured;   // shape [n_devices], whether the speed was measured
  double         *bandwidth;  // shape [n_devices, n_devices] [byte/s], 0: unlimited
  double         *expected;   // shape [n_devices, n_devices], bandwidths over a long time [byte/s]
  double         *latency;    // shape [n_devices, n_devices] [s]
  double         *memory;     // shape [n_devices] [byte], 0: unlimited
  double         *file_rate;  // shape [n_devices], reading the model file [byte/s]; 0: not known
  double  *work, *head_work, *cut_bytes, *copy_work, *weight_bytes;  // of the model, as double
  double  *packed_bytes, *run_bytes;  // as of the chain; NULL where no memory is limited
  int     *attach;                    // shape [n_exits]
  bool    *cut_allowed;               // shape [n_layers + 1]
  double   least_period;              // at which the source admits samples [s]; 0: as they go
  ee_chain chain;                     // all of the above, for the planner
} ee_estimate;

/** Start from the fleet and from every sample going through every layer. */
ee_status ee_estimate_open(const ee_run_setup *setup, int n_devices, ee_estimate *estimate);
void      ee_estimate_close(ee_estimate *estimate);

/** Learn from the sums of one epoch, whose samples followed @p plan. */
void ee_estimate_update(ee_estimate *estimate, const ee_sums *sums, const ee_plan *plan);

/** Relative standard error of the smoothed speed of device @p d.  With weight w and independent
 *  noise, steps of variance v from the smoothed speed to that of the next epoch leave the smoothed
 *  one with variance v w / 2; v is the device's unrest, which rises faster than it falls. */
double ee_estimate_speed_error(const ee_estimate *estimate, int d);
