/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/policy.h"

/**
 * @file policy_keys.h
 * Keys that several policies share, with their defaults.  `policy` and `text` as in
 * policy_arguments.h; the list was checked by ee_arguments_check() before.
 */

/** Read one number in [@p low, @p high] of @p key; @p x keeps its value if it is not given. */
ee_status ee_key_number(const char *policy, const char *text, const char *key, double low,
                        double high, double *x);

/** Read one whole number likewise. */
ee_status ee_key_integer(const char *policy, const char *text, const char *key, int low, int high,
                         int *x);

/** Read one word of @p key out of @p word, ended by NULL, as its index; @p x keeps its value if it
 *  is not given. */
ee_status ee_key_word(const char *policy, const char *text, const char *key,
                      const char *const *word, int *x);

/** The setting's costs with `lambda=` (per layer) and `offload=` of @p text instead. */
ee_status ee_key_costs(const char *policy, const char *text, const ee_policy_setting *setting,
                       ee_policy_costs *costs);

/** Cost of running the layers until exit @p e. */
double ee_cost_until(const ee_policy_costs *costs, int e);

/** What offloading the sample of @p view costs: what it costs now, or @p told to the policy. */
static inline double ee_offload_cost(const ee_exit_view *view, double told) {
  return view->offload_cost != NULL ? *view->offload_cost : told;
}

#define EE_COST_KEYS "lambda", "offload"
#define EE_LAYER_COST_HELP "lambda=X       cost of a layer; default --lambda"
#define EE_COST_HELP \
  EE_LAYER_COST_HELP \
  "\n"               \
  "offload=X      cost of an offload; default --offload-cost"

#define EE_COST_MAX 8.0  // of a layer or an offload: rewards have to stay in a range
