/* SPDX-License-Identifier: Apache-2.0 */
/* The names of what a trace records. */
#include "ee/trace.h"

#include <stddef.h>

const char *ee_event_name(ee_event_kind kind) {
  static const char *const name[] = {
#define X(id, text) text,
      EE_EVENT_LIST(X)
#undef X
  };
  return (size_t)kind < EE_EVENT_COUNT ? name[kind] : "unknown";
}

const char *ee_verdict_text(ee_verdict verdict) {
  static const char *const text[] = {
#define X(id, words) words,
      EE_VERDICT_LIST(X)
#undef X
  };
  return (size_t)verdict < EE_VERDICT_COUNT ? text[verdict] : "unknown";
}
