/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where the sentence of a fault is kept until somebody prints it. */
#include "ee/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char message[EE_MESSAGE_BYTES];

const char *ee_status_text(ee_status status) {
  static const char *const text[] = {
#define X(name, words) words,
      EE_STATUS_LIST(X)
#undef X
  };
  size_t n = sizeof text / sizeof text[0];
  return (size_t)status < n ? text[status] : "unknown status";
}

const char *ee_status_message(void) {
  return message;
}

/* What memory was wanted for becomes a sentence; one that was passed on is one already. */
static const char *opening(ee_status status, const char *text) {
  bool wanted = strncmp(text, "for ", 4) == 0 || strncmp(text, "to ", 3) == 0;
  return status == EE_ERR_NOMEM && wanted ? "out of memory " : "";
}

ee_status ee_status_record(ee_status status, const char *file, int line, const char *fmt, ...) {
  char    text[EE_MESSAGE_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  snprintf(message, sizeof message, "%s%.*s", opening(status, text), EE_MESSAGE_BYTES - 16, text);
  if (getenv("EE_DEBUG") != NULL) fprintf(stderr, "%s:%d: %s\n", file, line, message);
  return status;
}
