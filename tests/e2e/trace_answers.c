/* SPDX-License-Identifier: Apache-2.0 */
/* trace_answers TRACE.h5 EXITS.h5: a line for each answer, by id: id, exit, way, nanoseconds from
 * admission to answer, and whether it is what the exit table holds for the exit: 1 or 0. */
#include <stdio.h>
#include <stdlib.h>

#include "ee/exits_file.h"
#include "ee/trace_file.h"

static int by_id(const void *a, const void *b) {
  const ee_answer *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

static ee_status print_answers(const ee_trace_file *trace, const ee_exit_table *table) {
  int64_t          n;
  const ee_answer *answer = ee_trace_file_answers(trace, &n);
  ee_answer       *sorted = malloc((size_t)(n + 1) * sizeof *sorted);
  if (sorted == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld answers", (long long)n);
  for (int64_t i = 0; i < n; i++) sorted[i] = answer[i];
  qsort(sorted, (size_t)n, sizeof *sorted, by_id);
  for (int64_t i = 0; i < n; i++) {
    const ee_answer *a    = &sorted[i];
    int64_t          at   = (int64_t)a->id * table->n_exits + a->exit;
    bool             same = (int64_t)a->id < table->n && a->prediction == table->prediction[at];
    printf("%llu %d %d %lld %d\n", (unsigned long long)a->id, a->exit, a->way,
           (long long)(a->answered - a->admitted), same);
  }
  free(sorted);
  return EE_OK;
}

int main(int argc, char **argv) {
  ee_trace_file *trace  = NULL;
  ee_exit_table *table  = NULL;
  ee_status      status = argc == 3 ? ee_trace_open(argv[1], &trace)
                                    : EE_FAIL(EE_ERR_USAGE, "usage: trace_answers TRACE.h5 EXITS.h5");
  if (status == EE_OK) status = ee_exits_load(argv[2], &table);
  if (status == EE_OK) status = print_answers(trace, table);
  if (status != EE_OK) fprintf(stderr, "%s\n", ee_status_message());
  ee_exit_table_destroy(&table);
  ee_trace_file_close(&trace);
  return status == EE_OK ? 0 : 1;
}
