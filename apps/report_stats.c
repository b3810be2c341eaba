/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of a report. */
#include "report_stats.h"

#include <stdlib.h>

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double ee_nearest_rank(const double *x, int64_t n, int percent) {
  return x[(n * percent + 99) / 100 - 1];
}

ee_summary ee_summarise(double *x, int64_t n) {
  if (n == 0) return (ee_summary){0};
  qsort(x, (size_t)n, sizeof *x, compare_numbers);
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += x[i];
  return (ee_summary){.n    = n,
                      .mean = sum / (double)n,
                      .p50  = ee_nearest_rank(x, n, 50),
                      .p95  = ee_nearest_rank(x, n, 95),
                      .p99  = ee_nearest_rank(x, n, 99),
                      .max  = x[n - 1]};
}

ee_gap ee_longest_gap(const ee_answer *answer, int64_t first, int64_t last) {
  ee_gap longest = {0, 0};
  for (int64_t i = first; i + 1 < last; i++) {
    int64_t length = answer[i + 1].answered - answer[i].answered;
    if (length > longest.length) longest = (ee_gap){length, answer[i].answered};
  }
  return longest;
}

double ee_throughput(const ee_answer *answer, int64_t n, int64_t from, int64_t to) {
  if (to <= from) return 0.0;
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) count += answer[i].answered > from && answer[i].answered <= to;
  return (double)count / ((double)(to - from) * 1e-9);
}

static int compare_intervals(const void *a, const void *b) {
  const ee_interval *x = a, *y = b;
  return (x->start > y->start) - (x->start < y->start);
}

int64_t ee_covered(ee_interval *interval, int64_t n) {
  if (n == 0) return 0;
  qsort(interval, (size_t)n, sizeof *interval, compare_intervals);
  int64_t covered = 0, until = interval[0].start;
  for (int64_t i = 0; i < n; i++) {
    int64_t start = interval[i].start > until ? interval[i].start : until;
    if (interval[i].end <= start) continue;
    covered += interval[i].end - start;
    until = interval[i].end;
  }
  return covered;
}
