/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

#include "ee/device.h"

/**
 * @file outcome_rounding.h
 * Whether answers from an exit table are those of the links that a run has: no layer runs, so that
 * what rounding on links does to answers is in them only if the table was scored with it.
 */

/**
 * Compare the cuts of @p setup's plan with those at which the table @p path was scored.
 * @param[out] text  of @p size bytes: where they differ, and what to do; "" if they do not
 * @return EE_OK; EE_ERR_FILE, EE_ERR_FORMAT as ee_exits_open()
 */
ee_status ee_outcome_rounding(const char *path, const ee_run_setup *setup, char *text, size_t size);
