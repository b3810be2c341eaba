/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/trace.h"

/**
 * @file report_stats.h
 * The arithmetic of a report: pure functions of arrays.
 */

/** What is said of a set of numbers; all 0 if there are none. */
typedef struct ee_summary {
  int64_t n;
  double  mean, p50, p95, p99, max;
} ee_summary;

/** x[ceil(n percent / 100) - 1] of sorted @p x, shape [@p n], n >= 1, @p percent in [1, 100]: the
 *  least element that at least that share of all elements does not exceed (nearest rank). */
double ee_nearest_rank(const double *x, int64_t n, int percent);

/** Sorts @p x, shape [@p n]. */
ee_summary ee_summarise(double *x, int64_t n);

/** The longest pause between two answers. */
typedef struct ee_gap {
  int64_t length;  // [ns]; 0 if there are less than two answers
  int64_t from;    // time of the answer before it [ns]
} ee_gap;

/** Longest gap among answers [@p first, @p last) of @p answer, which is sorted by time answered. */
ee_gap ee_longest_gap(const ee_answer *answer, int64_t first, int64_t last);

/** Answers in (@p from, @p to] per second; 0 if the interval is empty.  Sorting is not needed. */
double ee_throughput(const ee_answer *answer, int64_t n, int64_t from, int64_t to);

/** Part of a timeline. */
typedef struct ee_interval {
  int64_t start, end;  // [ns]; counts as empty unless start < end
} ee_interval;

/** Time that at least one of @p n intervals covers [ns].  Sorts them. */
int64_t ee_covered(ee_interval *interval, int64_t n);
