/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "ee/clock.h"

#define FIRST_AFTER 2000000000  // [ns]
#define AGAIN_AFTER 200000000   // [ns]

ee_progress ee_progress_begin(const char *verb, int64_t total) {
  return (ee_progress){
      .verb = verb, .total = total, .begun = ee_clock_ns(), .terminal = isatty(STDERR_FILENO) != 0};
}

void ee_progress_show(ee_progress *p, int64_t done) {
  if (!p->terminal) return;
  int64_t now = ee_clock_ns();
  if (now - p->begun < FIRST_AFTER || now - p->shown < AGAIN_AFTER) return;
  p->shown   = now;
  p->visible = true;
  fprintf(stderr, "\r%s %lld of %lld, %.0f/s ", p->verb, (long long)done, (long long)p->total,
          (double)done / ((double)(now - p->begun) * 1e-9));
}

void ee_progress_end(ee_progress *p) {
  if (p->visible) fprintf(stderr, "\r\033[K");
  p->visible = false;
}
