/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"
#include "fleet_units.h"
#include "yaml_reader.h"

/** @file fleet_values.h  Numbers and changes over time in a fleet file. */

/** What a key's number may be. */
typedef struct ee_quantity {
  const ee_unit *units;
  bool           zero;  // whether 0 is allowed
} ee_quantity;

extern const ee_quantity ee_positive_flops, ee_positive_number, ee_number_or_zero,
    ee_positive_bytes, ee_positive_bandwidth, ee_duration_or_zero, ee_time_or_zero;

/** read() of a double; key->detail is its ee_quantity. */
ee_status ee_fleet_read_quantity(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                                 const ee_yaml_key *key, void *target);

/** read() of an ee_schedule, a list of changes by time; key->detail has the keys of one change. */
ee_status ee_fleet_read_schedule(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                                 const ee_yaml_key *key, void *target);

/** Copy @p from to @p to, which holds nothing.  EE_OK; EE_ERR_NOMEM */
ee_status ee_schedule_copy(const ee_schedule *from, ee_schedule *to);
