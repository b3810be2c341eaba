/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "policy_options.h"

/** @file policy_search.h  Thresholds for targets of accuracy and cost, and the front of both. */

/**
 * Search and print, and write the front to options->out.
 * @return EE_OK; EE_ERR_ARG if a target cannot be met, after the best that can be had was printed
 */
ee_status ee_policy_search(const ee_policy_options *options, const ee_exit_table *table);
