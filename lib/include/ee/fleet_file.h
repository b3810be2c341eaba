/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"

/**
 * @file fleet_file.h
 * A fleet written by hand, in YAML.
 */

/**
 * Read a fleet.  docs/formats.md has the keys.  Not collective.
 * @param[out] fleet  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_FILE if @p path cannot be read; EE_ERR_FORMAT with file, line and key;
 *         EE_ERR_NOMEM
 */
ee_status ee_fleet_load(const char *path, ee_fleet **fleet);

/** The same from the text of such a file, which stands alone: links that were recorded are without
 *  their record.  @p name stands for the path in errors. */
ee_status ee_fleet_parse(const char *name, const char *text, ee_fleet **fleet);
