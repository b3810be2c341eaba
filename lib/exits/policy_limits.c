/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the limits of the policies that compare one measure of confidence with a limit. */
#include "policy_limits.h"

#include <stdlib.h>

#include "policy_arguments.h"

static ee_status read_into(const char *policy, const char *text, double low, double high, int n,
                           double *number) {
  bool one = ee_arguments_have(text, "value"), each = ee_arguments_have(text, "values");
  if (one == each) {
    return EE_FAIL(EE_ERR_USAGE, "policy %s: %s, expected value=X or values=X/Y/... from %g to %g",
                   policy, one ? "both value and values are given" : "no limit is given", low,
                   high);
  }
  if (each) return ee_arguments_numbers(policy, text, "values", low, high, n, number);
  EE_TRY(ee_arguments_numbers(policy, text, "value", low, high, 1, number));
  for (int e = 1; e < n; e++) number[e] = number[0];
  return EE_OK;
}

ee_status ee_policy_limits_read(const char *policy, const char *text,
                                const ee_policy_setting *setting, double low, double high,
                                ee_policy_limits **limits) {
  int               n      = setting->n_exits - 1;
  size_t            room   = (size_t)n + 1;  // one number is read even if there is no early exit
  double           *number = calloc(room, sizeof *number);
  ee_policy_limits *l      = malloc(sizeof *l + room * sizeof l->limit[0]);

  *limits          = NULL;
  ee_status status = number == NULL || l == NULL
                         ? EE_FAIL(EE_ERR_NOMEM, "for the limits of %d exits", n)
                         : read_into(policy, text, low, high, n, number);
  if (status == EE_OK) {
    l->n = n;
    for (int e = 0; e < n; e++) l->limit[e] = (float)number[e];
    *limits = l;
  } else {
    free(l);
  }
  free(number);
  return status;
}

float ee_policy_limit_as_it_is(float least) {
  return least;
}
