/* SPDX-License-Identifier: Apache-2.0 */
/* Exit tables from text: cells in the order of the file become a table without gaps. */
#include "import_exits.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_exit(const void *a, const void *b) {
  const int64_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static int by_sample_then_exit(const void *a, const void *b) {
  const ee_exit_cell *x = a, *y = b;
  if (x->sample != y->sample) return x->sample > y->sample ? 1 : -1;
  if (x->exit != y->exit) return x->exit > y->exit ? 1 : -1;
  return (x->line > y->line) - (x->line < y->line);
}

/* The different exits that there are, in order: *exit malloc()ed, shape [*n]. */
static ee_status list_exits(const ee_exit_cells *cells, int64_t **exit, int *n) {
  int64_t different = 0;
  *exit             = malloc((size_t)(cells->n + 1) * sizeof **exit);
  if (*exit == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for the exits of %lld rows", (long long)cells->n);
  for (int64_t i = 0; i < cells->n; i++) (*exit)[i] = cells->cell[i].exit;
  qsort(*exit, (size_t)cells->n, sizeof **exit, by_exit);
  for (int64_t i = 0; i < cells->n; i++) {
    if (different == 0 || (*exit)[i] != (*exit)[different - 1]) (*exit)[different++] = (*exit)[i];
  }
  *n = different <= INT_MAX ? (int)different : INT_MAX;
  return EE_OK;
}

/* The exits are 0, 1, ..., or 1, 2, ...: what a gap means, only the file's author knows.  Cells are
 * sorted, so that the line of an exit is that of its first sample. */
static ee_status check_exits(const char *path, const ee_exit_cells *cells, const int64_t *exit,
                             int n_exits) {
  int k = 0;
  while (k < n_exits && exit[k] == (exit[0] == 0 ? k : k + 1)) k++;
  if (k == n_exits) return EE_OK;
  const ee_exit_cell *cell = cells->cell;
  while (cell->exit != exit[k]) cell++;
  char missing[64] = "";
  if (k > 0)
    snprintf(missing, sizeof missing, ", and no row has exit %lld", (long long)exit[k - 1] + 1);
  return EE_FAIL(
      EE_ERR_FORMAT,
      "%s:%lld: sample %lld has exit %lld%s; expected exits 0, 1, 2, ... or 1, 2, 3, ...", path,
      (long long)cell->line, (long long)cell->sample, (long long)exit[k], missing);
}

/* Cell @p k of one sample's, sorted, must be of @p exit and agree with the first about the label.
 */
static ee_status check_cell(const char *path, const ee_exit_cell *first, int k, int64_t exit) {
  const ee_exit_cell *cell = first + k;
  if (k > 0 && cell->sample == first->sample && cell->exit == cell[-1].exit)
    return EE_FAIL(EE_ERR_FORMAT,
                   "%s:%lld: sample %lld has exit %lld for the second time, after "
                   "line %lld",
                   path, (long long)cell->line, (long long)cell->sample, (long long)cell->exit,
                   (long long)cell[-1].line);
  if (cell->sample != first->sample || cell->exit != exit)
    return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: sample %lld, which begins here, has no exit %lld", path,
                   (long long)first->line, (long long)first->sample, (long long)exit);
  if (cell->label != first->label)
    return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: sample %lld has label %d, in line %lld it is %d", path,
                   (long long)cell->line, (long long)cell->sample, (int)cell->label,
                   (long long)first->line, (int)first->label);
  return EE_OK;
}

static ee_status check_samples(const char *path, ee_exit_cells *cells, const int64_t *exit,
                               int n_exits) {
  // A sample of its own at the end, so that the last one ends like all others.
  ee_exit_cell none = {.sample = INT64_MAX};
  EE_TRY(ee_keep_exit_cell(cells, &none));
  cells->n--;
  for (int64_t i = 0; i < cells->n; i += n_exits) {
    const ee_exit_cell *first = cells->cell + i;
    for (int k = 0; k < n_exits; k++) EE_TRY(check_cell(path, first, k, exit[k]));
    if (first[n_exits].sample == first->sample)
      EE_TRY(check_cell(path, first, n_exits, first[n_exits].exit));
  }
  return EE_OK;
}

static int count_classes(const ee_exit_cells *cells) {
  int32_t most = 0;
  for (int64_t i = 0; i < cells->n; i++) {
    const ee_exit_cell *cell = cells->cell + i;
    if (cell->prediction > most) most = cell->prediction;
    if (cell->label > most) most = cell->label;
  }
  return most + 1;
}

/* "1,3,7,12" to the layers run until each exit; what a layer costs is 1 then. */
static ee_status set_layers(const char *path, const char *list, ee_exit_table *table) {
  const char *text = list;
  for (int e = 0; e < table->n_exits; e++) {
    char *end    = NULL;
    long  layers = strtol(text, &end, 10);
    bool  last   = e == table->n_exits - 1;
    if (end == text || *end != (last ? '\0' : ',') || layers > (1 << 24) ||
        layers <= (e > 0 ? table->layers[e - 1] : 0))
      return EE_FAIL(EE_ERR_ARG,
                     "%s: layers are '%s', expected %d rising numbers with commas "
                     "between, one for each exit",
                     path, list, table->n_exits);
    table->layers[e] = (int)layers;
    table->flops[e]  = (double)layers;
    text             = last ? end : end + 1;
  }
  return EE_OK;
}

static ee_status fill(const char *path, const ee_exits_columns *columns, const ee_exit_cells *cells,
                      ee_exit_table *table) {
  for (int64_t i = 0; i < cells->n; i++) {
    const ee_exit_cell *cell         = cells->cell + i;
    table->prediction[i]             = cell->prediction;
    table->label[i / table->n_exits] = cell->label;
    if (table->confidence != NULL) table->confidence[i] = cell->confidence;
    if (table->score != NULL) table->score[i] = cell->score;
    if (table->probability != NULL)
      memcpy(table->probability + i * table->n_classes,
             cells->probability + cell->at * table->n_classes,
             (size_t)table->n_classes * sizeof *table->probability);
  }
  return columns->layers != NULL ? set_layers(path, columns->layers, table) : EE_OK;
}

static ee_status make_table(const char *path, const ee_exits_columns *columns, ee_exit_cells *cells,
                            ee_exit_table **table) {
  ee_exit_table_parts parts = {
      .confidence  = columns->confidence != NULL || columns->probability != NULL,
      .probability = columns->probability != NULL,
      .score       = columns->score != NULL};
  int64_t *exit    = NULL;
  int      n_exits = 0;
  if (cells->n == 0) return EE_FAIL(EE_ERR_FORMAT, "%s has no rows behind its header", path);
  qsort(cells->cell, (size_t)cells->n, sizeof *cells->cell, by_sample_then_exit);
  EE_TRY(list_exits(cells, &exit, &n_exits));
  ee_status status = check_exits(path, cells, exit, n_exits);
  if (status == EE_OK) status = check_samples(path, cells, exit, n_exits);
  free(exit);
  if (status != EE_OK) return status;

  int n_classes = columns->n_classes > 0 ? columns->n_classes : count_classes(cells);
  EE_TRY(ee_exit_table_create(cells->n / n_exits, n_exits, n_classes, parts, table));
  status = fill(path, columns, cells, *table);
  if (status != EE_OK) ee_exit_table_destroy(table);
  return status;
}

/* Each column of @p list, which is of @p what, is named once.  @p seen: shape [n_columns], zeroed
 */
static ee_status check_list(const ee_text_table *text, const char *what, const char *list,
                            bool *seen) {
  for (const char *name = list; name != NULL;) {
    size_t length = strcspn(name, ",");
    int    column;
    EE_TRY(ee_text_column(text, name, length, &column));
    if (seen[column])
      return EE_FAIL(EE_ERR_ARG, "%s: column '%s' is named twice among the %s", text->path,
                     text->name[column], what);
    seen[column] = true;
    name         = name[length] == ',' ? name + length + 1 : NULL;
  }
  return EE_OK;
}

static ee_status check_lists(const ee_text_table *text, const ee_exits_columns *c) {
  const char *const what[] = {"predictions", "confidences", "probabilities", "scores"};
  const char *const list[] = {c->prediction, c->confidence, c->probability, c->score};
  bool             *seen   = calloc((size_t)text->n_columns, 4 * sizeof *seen);
  if (seen == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d columns", text->n_columns);
  ee_status status = EE_OK;
  for (int k = 0; k < 4 && status == EE_OK; k++)
    status = check_list(text, what[k], list[k], seen + (size_t)k * (size_t)text->n_columns);
  free(seen);
  return status;
}

static ee_status import(ee_text_table *text, const ee_exits_columns *columns,
                        ee_exit_table **table) {
  bool          is_long = columns->sample != NULL;
  ee_exit_cells cells   = {0};
  EE_TRY(check_lists(text, columns));
  ee_status status = is_long ? ee_read_long_cells(text, columns, &cells)
                             : ee_read_wide_cells(text, columns, &cells);
  if (status == EE_OK) status = make_table(text->path, columns, &cells, table);
  free(cells.cell);
  free(cells.probability);
  return status;
}

static ee_status check_wanted(const char *path, const ee_exits_columns *c) {
  if (c->n_classes < 0 || c->n_classes > EE_MAX_IMPORTED_CLASSES)
    return EE_FAIL(EE_ERR_ARG, "%s: there are %d classes, expected up to %d", path, c->n_classes,
                   EE_MAX_IMPORTED_CLASSES);
  if (c->probability == NULL && c->prediction == NULL)
    return EE_FAIL(EE_ERR_ARG, "%s: a column of predictions or of probabilities is needed", path);
  if (c->probability == NULL) return EE_OK;
  if (c->prediction != NULL || c->confidence != NULL)
    return EE_FAIL(EE_ERR_ARG,
                   "%s: predictions and confidences follow from probabilities; expected no "
                   "columns for both",
                   path);
  if (c->n_classes > 0) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: with probabilities the number of classes is needed", path);
}

ee_status ee_import_exits(const char *path, const ee_exits_columns *columns,
                          ee_exit_table **table) {
  ee_text_table text;
  *table = NULL;
  EE_TRY(check_wanted(path, columns));
  if ((columns->sample != NULL) != (columns->exit != NULL))
    return EE_FAIL(EE_ERR_ARG, "%s: a long table needs columns for both sample and exit", path);
  EE_TRY(ee_text_open(path, &text));
  ee_status status = import(&text, columns, table);
  ee_text_close(&text);
  return status;
}
