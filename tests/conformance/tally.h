/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "node_cases.h"

/**
 * @file tally.h
 * Counts of passed and listed tests, for the table.
 */
#define TALLY_ROWS 256

typedef struct tally_row {
  char what[256];  // an operator, or a reason with its operator
  int  count;
} tally_row;

/** Zeroed is empty. */
typedef struct tally {
  tally_row passed[TALLY_ROWS], listed[TALLY_ROWS];
  int       n_passed, n_listed, n_failed;  // rows, rows, tests
  double    worst;                         // largest error of a passed test
  char      worst_test[128];
} tally;

/** Count @p result; a failure is printed at once. */
void tally_add(tally *t, const char *test, const node_result *result);
void tally_print(const tally *t);
