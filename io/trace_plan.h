/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/plan.h"

/**
 * @file trace_plan.h
 * A plan as three rows of a trace: the first device of each layer, and for each device the one that
 * takes batches before it in the same stage, and its turns.
 */

/** Write @p plan, or NULL, to a row of `n_layers` and two of `n_devices`: -1 where there is none.
 */
void ee_trace_plan_to_rows(const ee_plan *plan, int n_layers, int n_devices, int32_t *device,
                           int32_t *replica, int32_t *turns);

/**
 * Read a plan from such rows.
 * @param[in]  path     of the file, for messages
 * @param[in]  replica  NULL: every stage has one device
 * @param[in]  turns    NULL: each device has one
 * @param[out] plan     owned by the caller; NULL on error, and if the rows hold none
 * @return EE_OK; EE_ERR_FORMAT if there can be no such plan; EE_ERR_NOMEM
 */
ee_status ee_trace_plan_of_rows(const char *path, int n_layers, int n_devices,
                                const int32_t *device, const int32_t *replica, const int32_t *turns,
                                ee_plan **plan);
