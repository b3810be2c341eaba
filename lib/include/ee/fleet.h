/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "ee/network_trace.h"
#include "ee/status.h"

/**
 * @file fleet.h
 * The devices and links of a run, and how they change over time.
 */

/** From time `at` on a quantity has this value; the last one before `at` held until then. */
typedef struct ee_change {
  double at;     // since the start of the run [s]
  double value;  // in the unit of what changes
} ee_change;

typedef struct ee_schedule {
  int        n;
  ee_change *change;  // shape [n], by time
} ee_schedule;

typedef struct ee_device_spec {
  char        name[64];
  double      flops;                   // [FLOP/s]; 0: given relative to this host
  double      relative;                // times this host's speed; 0: given in FLOP/s
  double      memory;                  // [byte]; 0: unlimited
  double      watts_busy, watts_idle;  // [W]; 0: unknown
  ee_schedule speed;                   // factors on the device's speed, 1 before the first change
  ee_schedule away;                    // 1: leaves, 0: comes back; present before the first change
} ee_device_spec;

typedef struct ee_link_spec {
  double                  bandwidth;          // [byte/s]; 0: unlimited
  double                  latency;            // [s]
  ee_schedule             bandwidth_changes;  // bandwidths [byte/s]
  const ee_network_trace *trace;  // bandwidth as it was recorded, over and over, instead of both;
                                  // NULL: none; of the fleet
} ee_link_spec;

typedef struct ee_fleet {
  char               name[64];
  int                n_devices;
  ee_device_spec    *device;  // shape [n_devices]
  ee_link_spec      *link;    // shape [n_devices, n_devices], from row to column
  int                n_traces;
  ee_network_trace **trace;  // shape [n_traces], which links refer to
} ee_fleet;

/**
 * Create a fleet of unnamed devices as fast as this host, on unlimited links.  Not collective.
 * What is then put into it belongs to it; the `change` arrays must come from malloc().
 * @param[in]  n_devices  >= 1
 * @param[out] fleet      owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG or EE_ERR_NOMEM
 */
ee_status ee_fleet_create(int n_devices, ee_fleet **fleet);

/** Value of @p schedule at time @p t [s]; @p before until its first change.  Changes are sorted by
 *  time. */
double ee_schedule_at(const ee_schedule *schedule, double t, double before);

/** When @p schedule changes for the first time after @p t; INFINITY: never again [s]. */
double ee_schedule_next(const ee_schedule *schedule, double t);

/** The value of @p schedule at time @p t, borrowed; NULL before its first change. */
const double *ee_schedule_value(const ee_schedule *schedule, double t);

/** Speed of device @p d at time @p t [FLOP/s]; @p host_flops is this host's speed [FLOP/s].
 *  A device with `flops` does not look at `relative`. */
double ee_fleet_speed(const ee_fleet *fleet, int d, double t, double host_flops);

/** Whether at the start all links between different devices are alike: *bandwidth [byte/s], 0 if it
 *  is unlimited, and *latency [s]; both 0 if there are none. */
bool ee_fleet_links_alike(const ee_fleet *fleet, double *bandwidth, double *latency);

/** Energy of @p device over @p seconds, which for a run is from its start to its last answer, for
 * @p busy of which it was busy, by its two powers: a model, not a measurement; NAN if the fleet
 * does not say them [J]. */
double ee_device_energy(const ee_device_spec *device, double busy, double seconds);

/** Whether device @p d is to own no layers at time @p t [s]. */
bool ee_fleet_away(const ee_fleet *fleet, int d, double t);

/** A device at less than this share of its speed serves nobody: it has collapsed. */
#define EE_COLLAPSED 1e-3

/** When @p device collapses for the first time, and its share of its speed then, borrowed; NULL:
 *  never.  @p until: when it is faster again; INFINITY: never [s]. */
const ee_change *ee_device_collapse(const ee_device_spec *device, double *until);

/** Let devices be away while they have collapsed.  What they still hold they run at the speed that
 *  they had before.
 *  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_fleet_leave_collapsed(ee_fleet *fleet);

/** Link from device @p from to @p to, both in [0, n_devices); borrowed. */
const ee_link_spec *ee_fleet_link(const ee_fleet *fleet, int from, int to);

/** Bandwidth at time @p t [byte/s]; 0: unlimited.  Of a recorded link the mean of the record. */
double ee_link_bandwidth(const ee_link_spec *link, double t);

/** How long @p bytes take to cross that begin at time @p t, without latency [s].  A recorded link
 *  carries them at the bandwidths that follow; of others it is the bandwidth at @p t. */
double ee_link_transfer(const ee_link_spec *link, double bytes, double t);

/** Give @p trace, whose bandwidth is known, to the fleet for its links.
 *  @return EE_OK; EE_ERR_NOMEM, and the trace stays the caller's */
ee_status ee_fleet_add_trace(ee_fleet *fleet, ee_network_trace *trace);

/** Free everything and set to NULL.  *fleet may be NULL. */
void ee_fleet_destroy(ee_fleet **fleet);
