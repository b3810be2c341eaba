/* SPDX-License-Identifier: Apache-2.0 */
/* Probabilities of classes in exit tables in text: their columns, and what makes them a cell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import_exits.h"

#define TOLERANCE 1e-3  // of a sum

int ee_count_names(const char *list) {
  int n = 1;
  for (; *list != '\0'; list++) n += *list == ',';
  return n;
}

static ee_status check_names(const ee_text_table *text, const ee_exits_columns *columns,
                             bool per_exit, int n) {
  int k = columns->n_classes;
  if (per_exit ? n % k == 0 : n == k) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: %d columns of probabilities are named, expected %d%s", text->path,
                 n, k, per_exit ? " for every exit" : "");
}

ee_status ee_find_probabilities(const ee_text_table *text, const ee_exits_columns *columns,
                                bool per_exit, int **column, int *n_exits) {
  const char *list = columns->probability;
  *column          = NULL;
  if (list == NULL) return EE_OK;
  int n = ee_count_names(list);
  EE_TRY(check_names(text, columns, per_exit, n));
  *column = calloc((size_t)n, sizeof **column);
  if (*column == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d columns of %s", n, text->path);

  ee_status status = EE_OK;
  for (int j = 0; j < n && status == EE_OK; j++) {
    size_t length = strcspn(list, ",");
    status        = ee_text_column(text, list, length, &(*column)[j]);
    list += length + (list[length] == ',');
  }
  if (per_exit) *n_exits = n / columns->n_classes;
  if (status == EE_OK) return EE_OK;
  free(*column);
  *column = NULL;
  return status;
}

ee_status ee_next_probabilities(ee_exit_cells *cells, int n_classes, float **probability) {
  size_t k = (size_t)n_classes, n = (size_t)cells->n;
  if (n == 0 || (n >= 1024 && (n & (n - 1)) == 0)) {  // room for 1024 cells, then twice as many
    size_t room = n > 0 ? 2 * n : 1024;
    float *more = room <= SIZE_MAX / sizeof *more / k
                      ? realloc(cells->probability, room * k * sizeof *more)
                      : NULL;
    if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the probabilities of %zu cells", room);
    cells->probability = more;
  }
  *probability = cells->probability + n * k;
  return EE_OK;
}

static ee_status check_sum(const ee_text_table *text, const int *column, int n, double sum) {
  if (fabs(sum - 1.0) <= TOLERANCE) return EE_OK;
  return EE_FAIL(
      EE_ERR_FORMAT, "%s:%lld: the probabilities in columns '%s' to '%s' add up to %g, expected 1",
      text->path, (long long)text->line, text->name[column[0]], text->name[column[n - 1]], sum);
}

ee_status ee_read_probabilities(const ee_text_table *text, const int *column, int n_classes,
                                ee_exit_cell *cell, float *probability) {
  double sum       = 0.0;
  cell->prediction = 0;
  for (int k = 0; k < n_classes; k++) {
    double x;
    EE_TRY(ee_text_number(text, column[k], &x));
    if (!(x >= 0.0 && x <= 1.0 + TOLERANCE))
      return EE_FAIL(EE_ERR_FORMAT,
                     "%s:%lld: column '%s' is %s, expected a probability from 0 to 1", text->path,
                     (long long)text->line, text->name[column[k]], text->field[column[k]]);
    probability[k] = (float)x;
    sum += x;
    if (probability[k] > probability[cell->prediction]) cell->prediction = k;
  }
  cell->confidence = fminf(probability[cell->prediction], 1.0f);
  return check_sum(text, column, n_classes, sum);
}
