/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_name[] = {"warning", "info", "debug"};
static int               spoken       = -1;  // -1: not asked yet
static int               own_rank     = -1;

static int level_from_environment(void) {
  const char *wanted = getenv("EE_LOG");
  for (int i = 0; wanted != NULL && i < 3; i++) {
    if (strcmp(wanted, level_name[i]) == 0) return i;
  }
  return EE_LOG_INFO;
}

void ee_log_set_level(ee_log_level level) {
  spoken = (int)level;
}

void ee_log_set_rank(int rank) {
  own_rank = rank;
}

void ee_log(ee_log_level level, const char *fmt, ...) {
  if (spoken < 0) spoken = level_from_environment();
  if ((int)level > spoken) return;

  char    line[1024];
  va_list args;
  va_start(args, fmt);
  vsnprintf(line, sizeof line, fmt, args);
  va_end(args);

  char who[24] = "";
  if (own_rank >= 0) snprintf(who, sizeof who, "rank %d: ", own_rank);
  fprintf(stderr, "edgeexit: %s%s%s\n", who, level == EE_LOG_WARNING ? "warning: " : "", line);
}
