/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"
#include "fleet_units.h"
#include "yaml_reader.h"

/** @file fleet_values.h  Numbers and changes over time in a fleet file. */

#define EE_FLEET_MOST_DEVICES 4096  // links are kept for each pair

/** What a key's number may be: what devices and links are, with room on both sides.  Whatever is
 * beyond is a slip, and times that follow from it would not fit into a run's clock. */
typedef struct ee_quantity {
  const ee_unit *units;
  double         least, most;  // in `unit`
  const char    *unit;         // for errors; "": none
} ee_quantity;

extern const ee_quantity ee_fleet_flops, ee_fleet_relative, ee_fleet_factor, ee_fleet_memory,
    ee_fleet_watts, ee_fleet_idle_watts, ee_fleet_bandwidth, ee_fleet_latency, ee_fleet_time,
    ee_fleet_count;

/** read() of a double; key->detail is its ee_quantity. */
ee_status ee_fleet_read_quantity(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                                 const ee_yaml_key *key, void *target);

/** read() of an ee_schedule, a list of changes by time; key->detail has the keys of one change. */
ee_status ee_fleet_read_schedule(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                                 const ee_yaml_key *key, void *target);

/** Copy @p from to @p to, which holds nothing.  EE_OK; EE_ERR_NOMEM */
ee_status ee_schedule_copy(const ee_schedule *from, ee_schedule *to);
