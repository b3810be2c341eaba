/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that several policies share. */
#include "policy_keys.h"

#include <stdio.h>
#include <string.h>

#include "policy_arguments.h"

ee_status ee_key_number(const char *policy, const char *text, const char *key, double low,
                        double high, double *x) {
  if (!ee_arguments_have(text, key)) return EE_OK;
  return ee_arguments_numbers(policy, text, key, low, high, 1, x);
}

ee_status ee_key_integer(const char *policy, const char *text, const char *key, int low, int high,
                         int *x) {
  double number = *x;
  EE_TRY(ee_key_number(policy, text, key, low, high, &number));
  if (number != (int)number) {
    return EE_FAIL(EE_ERR_USAGE, "policy %s: %s is %g, expected a whole number from %d to %d",
                   policy, key, number, low, high);
  }
  *x = (int)number;
  return EE_OK;
}

/* The value of @p key and its length; NULL if the key is not given. */
static const char *value_of(const char *text, const char *key, size_t *length) {
  size_t n = strlen(key);
  while (text != NULL && *text != '\0') {
    if (strncmp(text, key, n) == 0 && text[n] == '=') {
      *length = strcspn(text + n + 1, ",");
      return text + n + 1;
    }
    text = strchr(text, ',');
    if (text != NULL) text++;
  }
  return NULL;
}

ee_status ee_key_word(const char *policy, const char *text, const char *key,
                      const char *const *word, int *x) {
  char        names[256] = "";
  size_t      length, used = 0;
  const char *value = value_of(text, key, &length);
  if (value == NULL) return EE_OK;
  for (int k = 0; word[k] != NULL; k++) {
    if (strlen(word[k]) == length && memcmp(word[k], value, length) == 0) {
      *x = k;
      return EE_OK;
    }
    if (used < sizeof names) {
      used +=
          (size_t)snprintf(names + used, sizeof names - used, "%s%s", k > 0 ? ", " : "", word[k]);
    }
  }
  return EE_FAIL(EE_ERR_USAGE, "policy %s: %s is '%.*s', expected one of %s", policy, key,
                 (int)(length < 64 ? length : 64), value, names);
}

ee_status ee_key_costs(const char *policy, const char *text, const ee_policy_setting *setting,
                       ee_policy_costs *costs) {
  *costs = (ee_policy_costs){.layer = 0.1, .offload = 0.5};
  if (setting->costs != NULL) *costs = *setting->costs;
  EE_TRY(ee_key_number(policy, text, "lambda", 0.0, EE_COST_MAX, &costs->layer));
  return ee_key_number(policy, text, "offload", 0.0, EE_COST_MAX, &costs->offload);
}

double ee_cost_until(const ee_policy_costs *costs, int e) {
  return costs->layer * (costs->layers != NULL ? costs->layers[e] : e + 1);
}
