/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/network_trace.h"
#include "yaml_reader.h"

/**
 * @file fleet_trace.h
 * Recorded networks that a fleet file names.
 */

/** read() of a key whose text names a file of bandwidths, beside the fleet file unless its path is
 *  absolute.  Writes an ee_network_trace *, owned by whoever has the target; errors name both
 *  files.  Of a text that stands alone nothing is read, and NULL stays. */
ee_status ee_fleet_read_trace(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                              const ee_yaml_key *key, void *target);

/** Free and set to NULL. */
void ee_fleet_free_trace(ee_network_trace **trace);
