/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/trace_file.h"
#include "h5_util.h"

/** @file trace_units.h  The units of a team as a table of its trace. */

/** Write the table; @p team may be NULL: a chain has none. */
ee_status ee_trace_units_write(const ee_h5 *h5, const ee_trace_team *team);

/**
 * Read and check the table.
 * @param[in]  header  ranks and exits that units may name
 * @param[out] team    to be freed; NULL if the trace has no such table
 * @return EE_OK; EE_ERR_FORMAT with path and reason; EE_ERR_NOMEM
 */
ee_status ee_trace_units_read(const ee_h5 *h5, const ee_trace_header *header, ee_trace_team **team);

/** Free and set to NULL.  *team may be NULL. */
void ee_trace_units_free(ee_trace_team **team);
