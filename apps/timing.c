/* SPDX-License-Identifier: Apache-2.0 */
#include "timing.h"

#include <stdlib.h>

static int compare_ns(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

ee_timing ee_timing_of(int64_t *ns, int n) {
  qsort(ns, (size_t)n, sizeof *ns, compare_ns);
  double middle = ((double)ns[(n - 1) / 2] + (double)ns[n / 2]) / 2.0;
  return (ee_timing){.median = middle * 1e-9, .least = (double)ns[0] * 1e-9};
}

int ee_repeats_for(double once, double budget, int least, int most) {
  if (!(once * most > budget)) return most;  // also if it took no time that a clock can tell
  double times = budget / once;
  return times > least ? (int)times : least;
}
