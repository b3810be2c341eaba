/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/status.h"

/**
 * @file policy_arguments.h
 * Reading the "key=value,key=value" that follows a policy's name.
 *
 * `text` is the whole list, "" if there is none.  A list of numbers is separated by '/'.
 * `policy` is the name of the policy, for messages.  Nothing here is collective.
 */

/** EE_OK if every item is key=value with a key in @p known, ended by NULL, and none twice. */
ee_status ee_arguments_check(const char *policy, const char *text, const char *const *known);

/** Whether @p key is given. */
bool ee_arguments_have(const char *text, const char *key);

/** Numbers that @p key has; 0 if it is not given. */
int ee_arguments_count(const char *text, const char *key);

/**
 * Read exactly @p n numbers of @p key, each in [@p low, @p high].
 * @param[out] number  shape [n]
 * @return EE_OK; EE_ERR_ARG with the value and the range, or with the number of values expected
 */
ee_status ee_arguments_numbers(const char *policy, const char *text, const char *key, double low,
                               double high, int n, double *number);

/** Read a 0 or 1 of @p key; @p flag keeps its value if the key is not given. */
ee_status ee_arguments_flag(const char *policy, const char *text, const char *key, bool *flag);
