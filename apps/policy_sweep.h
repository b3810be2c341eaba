/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "policy_options.h"

/** @file policy_sweep.h  A replay for each value of one number, and results in a file. */

/** EE_OK, also without a sweep; EE_ERR_USAGE if it leaves what its option may be. */
ee_status ee_policy_sweep_check(const ee_policy_options *options);

/** Run the sweep, print it and write it. */
ee_status ee_policy_run_sweep(const ee_policy_options *options, const ee_exit_table *table);

/** Write the results of one replay to options->out. */
ee_status ee_policy_write_one(const ee_policy_options *options, const ee_replay_result *mean,
                              const ee_replay_result *deviation);
