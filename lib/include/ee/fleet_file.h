/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"

/** Read a fleet from YAML; errors name file, line and key.  docs/formats.md has the keys. */
ee_status ee_fleet_load(const char *path, ee_fleet **fleet);
