/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a policy's "key=value,key=value" in place: items are found anew at each call. */
#include "policy_arguments.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One item of the list: key and value as pieces of the text. */
typedef struct item {
  const char *key, *value;  // value is NULL if there is no '='
  int         key_length, value_length;
} item;

/* Take the item at *next and step over it and its comma; false at the end of the text. */
static bool next_item(const char **next, item *it) {
  if (*next == NULL || **next == '\0') return false;
  const char *start = *next, *comma = strchr(start, ',');
  size_t      length = comma != NULL ? (size_t)(comma - start) : strlen(start);
  const char *equals = memchr(start, '=', length);
  size_t      key    = equals != NULL ? (size_t)(equals - start) : length;

  *it   = (item){.key          = start,
                 .key_length   = (int)key,
                 .value        = equals != NULL ? equals + 1 : NULL,
                 .value_length = equals != NULL ? (int)(length - key - 1) : 0};
  *next = comma != NULL ? comma + 1 : start + length;
  return true;
}

static bool has_key(const item *it, const char *key) {
  return (size_t)it->key_length == strlen(key) && memcmp(it->key, key, strlen(key)) == 0;
}

static int occurrences(const char *text, const char *key, item *last) {
  int  n = 0;
  item it;
  while (next_item(&text, &it)) {
    if (!has_key(&it, key)) continue;
    *last = it;
    n++;
  }
  return n;
}

static const char *known_key(const item *it, const char *const *known) {
  while (*known != NULL && !has_key(it, *known)) known++;
  return *known;
}

static ee_status unknown_key(const char *policy, const item *it, const char *const *known) {
  char   names[256] = "";
  size_t used       = 0;
  for (int k = 0; known[k] != NULL && used < sizeof names; k++) {
    used +=
        (size_t)snprintf(names + used, sizeof names - used, "%s%s", k > 0 ? ", " : "", known[k]);
  }
  return EE_FAIL(EE_ERR_USAGE, "policy %s has no key '%.*s'; %s%s", policy, it->key_length, it->key,
                 used > 0 ? "there are: " : "it has no keys", names);
}

ee_status ee_arguments_check(const char *policy, const char *text, const char *const *known) {
  item        it, last;
  const char *next = text;
  while (next_item(&next, &it)) {
    const char *key = known_key(&it, known);
    if (key == NULL) return unknown_key(policy, &it, known);
    if (it.value == NULL || it.value_length == 0) {
      return EE_FAIL(EE_ERR_USAGE, "policy %s: key '%s' has no value, expected %s=VALUE", policy,
                     key, key);
    }
    if (occurrences(text, key, &last) > 1) {
      return EE_FAIL(EE_ERR_USAGE, "policy %s: key '%s' is given twice", policy, key);
    }
  }
  return EE_OK;
}

bool ee_arguments_have(const char *text, const char *key) {
  item it;
  return occurrences(text, key, &it) > 0;
}

int ee_arguments_count(const char *text, const char *key) {
  item it;
  if (occurrences(text, key, &it) == 0) return 0;
  int n = 1;
  for (int k = 0; k < it.value_length; k++) n += it.value[k] == '/';
  return n;
}

/* The number that fills the text between @p start and @p end; NaN if that is not a number. */
static double number_between(const char *start, const char *end) {
  char *stop;
  if (start == end || isspace((unsigned char)*start)) return NAN;
  double x = strtod(start, &stop);
  return stop == end ? x : NAN;
}

ee_status ee_arguments_numbers(const char *policy, const char *text, const char *key, double low,
                               double high, int n, double *number) {
  item it;
  int  given = ee_arguments_count(text, key);
  if (given != n || occurrences(text, key, &it) == 0) {
    return EE_FAIL(EE_ERR_USAGE, "policy %s: %s has %d values, expected %d", policy, key, given, n);
  }
  const char *start = it.value, *end = it.value + it.value_length;
  for (int k = 0; k < n; k++) {
    const char *slash = memchr(start, '/', (size_t)(end - start));
    const char *stop  = slash != NULL ? slash : end;
    number[k]         = number_between(start, stop);
    if (!(number[k] >= low && number[k] <= high)) {
      return EE_FAIL(EE_ERR_USAGE, "policy %s: %s is '%.*s', expected a number from %g to %g",
                     policy, key, (int)(stop - start), start, low, high);
    }
    start = stop + 1;
  }
  return EE_OK;
}

ee_status ee_arguments_flag(const char *policy, const char *text, const char *key, bool *flag) {
  item it;
  if (occurrences(text, key, &it) == 0) return EE_OK;
  if (it.value_length != 1 || (it.value[0] != '0' && it.value[0] != '1')) {
    return EE_FAIL(EE_ERR_USAGE, "policy %s: %s is '%.*s', expected 0 or 1", policy, key,
                   it.value_length, it.value);
  }
  *flag = it.value[0] == '1';
  return EE_OK;
}
