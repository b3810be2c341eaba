/* SPDX-License-Identifier: Apache-2.0 */
/* Whether tuned methods are worth it, and if not, why. */
#include <stdio.h>

#include "tune.h"

void ee_tune_verdict(const ee_tune *t, char *text, size_t size) {
  const char *rule = "all layers stay with the rule";
  int         n    = snprintf(text, size, "the whole takes %.3f of its time by rule", t->whole);
  if (n < 0 || (size_t)n >= size) return;
  text += n;
  size -= (size_t)n;
  if (t->kept) {
    snprintf(text, size, ": stored");
  } else if (t->whole > 1.0 - EE_TUNE_WHOLE_GAIN) {
    snprintf(text, size, ": not worth it, %s", rule);
  } else {
    snprintf(text, size, ", but in a quarter of the rounds %.3f or more: they do not agree, %s",
             t->whole_upper, rule);
  }
}
