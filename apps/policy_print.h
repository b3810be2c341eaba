/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>

#include "ee/replay.h"

/** @file policy_print.h  The results of a replay, for people and for programs. */

/** Print a table on stdout; @p deviation counts if there are several seeds. */
void ee_policy_print(const ee_replay_result *mean, const ee_replay_result *deviation, int seeds);

/** Add everything to @p all; NaN becomes null. */
void ee_policy_add_json(cJSON *all, const ee_replay_result *mean, const ee_replay_result *deviation,
                        int seeds);

/** Add a number to an object; null if it is NaN. */
void ee_policy_add_number(cJSON *object, const char *name, double x);

/** Add an array of numbers to an object. */
void ee_policy_add_numbers(cJSON *object, const char *name, const double *x, int n);
