/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"
#include "yaml_reader.h"

/** @file fleet_devices.h  The list of devices in a fleet file. */

/** Create the fleet of the devices in @p list; its links are unlimited. */
ee_status ee_fleet_read_devices(const ee_yaml *yaml, const yaml_node_t *list, ee_fleet **fleet);

/** Index of the device @p name among the first @p n; -1 if there is none. */
int ee_fleet_device_by_name(const ee_fleet *fleet, int n, const char *name);
