/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what came of the operator tests, and prints the table. */
#include "tally.h"

#include <stdio.h>
#include <string.h>

static void count(tally_row *row, int *n, const char *what) {
  int i = 0;
  while (i < *n && strcmp(row[i].what, what) != 0) i++;
  if (i == TALLY_ROWS) return;
  if (i == *n) {
    snprintf(row[i].what, sizeof row[i].what, "%s", what);
    ++*n;
  }
  row[i].count++;
}

void tally_add(tally *t, const char *test, const node_result *result) {
  const outcome *out = &result->outcome;
  char           what[256];
  if (out->verdict == PASSED) {
    count(t->passed, &t->n_passed, result->op);
    if (out->error < t->worst) return;
    t->worst = out->error;
    snprintf(t->worst_test, sizeof t->worst_test, "%s", test);
  } else if (out->verdict == REFUSED && result->reason[0] != '\0') {
    snprintf(what, sizeof what, "%s: %s", result->reason, result->op);
    count(t->listed, &t->n_listed, what);
  } else {
    printf("FAILED %s: %s\n", test, out->text);
    t->n_failed++;
  }
}

static int print_rows(const char *title, const tally_row *row, int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += row[i].count;
  printf("  %s: %d\n", title, sum);
  for (int i = 0; i < n; i++) printf("    %4d  %s\n", row[i].count, row[i].what);
  return sum;
}

void tally_print(const tally *t) {
  print_rows("passed", t->passed, t->n_passed);
  print_rows("listed", t->listed, t->n_listed);
  printf("  failed: %d\n", t->n_failed);
  printf("  largest relative error of a passed test: %.3g (%s)\n", t->worst, t->worst_test);
}
