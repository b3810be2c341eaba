/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where the sentence of a fault is kept until somebody prints it. */
#include "ee/status.h"

#include <stdarg.h>
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

ee_status ee_status_record(ee_status status, const char *file, int line, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  if (getenv("EE_DEBUG") != NULL) fprintf(stderr, "%s:%d: %s\n", file, line, message);
  return status;
}
