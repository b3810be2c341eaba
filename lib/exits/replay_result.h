/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/replay.h"

/** @file replay_result.h  Room for the numbers of a replay. */

/** All zero.  EE_ERR_NOMEM. */
ee_status ee_replay_result_make(int64_t n, int n_exits, int n_arms, int steps,
                                ee_replay_result *result);
