/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"

/** @file setup.h  Whether a run can be what it is asked to be, and is the same on all ranks. */

/** EE_OK, or EE_ERR_ARG with the value that is wrong and what was expected; @p size ranks. */
ee_status ee_setup_check(const ee_run_setup *setup, int size);

/** A number that is equal for equal runs: of what must be the same on every rank.  Without a
 * plan, of the rest. */
int ee_setup_key(const ee_run_setup *setup);
