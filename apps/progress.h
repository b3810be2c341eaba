/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/**
 * @file progress.h
 * A line on stderr that shows how far a job is: on a terminal only, after two seconds.
 */
typedef struct ee_progress {
  const char *verb;
  int64_t     total, begun, shown;  // times in ns
  bool        terminal, visible;
} ee_progress;

ee_progress ee_progress_begin(const char *verb, int64_t total);
void        ee_progress_show(ee_progress *progress, int64_t done);
void        ee_progress_end(ee_progress *progress);
