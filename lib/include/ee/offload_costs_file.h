/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"

/**
 * @file offload_costs_file.h
 * What offloading a sample costs as the stream goes on.
 */

/**
 * Read costs by sample id from @p path, which is either
 *
 *  - a table in text with the columns `id` and `cost` (comma or tab, as in a CSV file): from this
 *    sample id on an offload costs that much, ids rising; or
 *  - a trace: what the run told its policy, by epoch.
 *
 * Not collective.
 * @param[out] costs  change[i].at is the id, .value the cost in [0, 8]; `change` is the caller's to
 *                    free(); empty on error
 * @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT with file, line and column, or for a trace whose run
 *         told its policy no costs; EE_ERR_NOMEM
 */
ee_status ee_offload_costs_load(const char *path, ee_schedule *costs);
