/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/policy.h"

/**
 * @file policy_limits.h
 * One limit per early exit, as the policies that compare one measure of confidence need it.
 */

/** Limits, rounded to float as the measures are: a confidence that prints as 0.7 reaches 0.7. */
typedef struct ee_policy_limits {
  int   n;        // early exits: n_exits - 1
  float limit[];  // shape [n]
} ee_policy_limits;

/**
 * Read `value=X`, one limit for all early exits, or `values=X/Y/...`, one for each.
 * @param text     checked by ee_arguments_check before
 * @param[out] limits  owned by the caller, who frees it; NULL on error
 * @return EE_OK; EE_ERR_ARG if neither or both are given, a limit is outside [@p low, @p high] or
 *         their number is wrong; EE_ERR_NOMEM
 */
ee_status ee_policy_limits_read(const char *policy, const char *text,
                                const ee_policy_setting *setting, double low, double high,
                                ee_policy_limits **limits);

/** The limit of policies in which a measure that is at least the limit leaves. */
float ee_policy_limit_as_it_is(float least);

/** The keys above, for ee_arguments_check and for help texts. */
#define EE_LIMIT_KEYS "value", "values"
#define EE_LIMIT_HELP                        \
  "value=X        one limit for all exits\n" \
  "values=X/Y/... one limit for each early exit"
