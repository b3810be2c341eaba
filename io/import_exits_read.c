/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of an exit table in text: wide, a row per sample, or long, a row per sample and exit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import_exits.h"

#define MAX_NUMBER ((int64_t)1 << 52)  // of a sample or an exit; doubles are exact up to here
#define ROUNDING 1e-5                  // a confidence this far above 1 counts as 1

/* A number from 0 to 1 that is a @p what. */
static ee_status read_share(const ee_text_table *text, int column, const char *what, float *share) {
  double x;
  EE_TRY(ee_text_number(text, column, &x));
  if (!(x >= 0.0 && x <= 1.0 + ROUNDING))
    return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: column '%s' is %s, expected a %s from 0 to 1",
                   text->path, (long long)text->line, text->name[column], text->field[column],
                   what);
  *share = x < 1.0 ? (float)x : 1.0f;
  return EE_OK;
}

ee_status ee_read_exit_cell(const ee_text_table *text, const ee_cell_columns *column, int n_classes,
                            ee_exit_cell *cell, float *probability) {
  int64_t most = n_classes > 0 ? n_classes - 1 : EE_MAX_IMPORTED_CLASSES - 1, class = -1;
  cell->score = NAN;
  if (column->confidence >= 0)
    EE_TRY(read_share(text, column->confidence, "confidence", &cell->confidence));
  if (column->score >= 0 && *text->field[column->score] != '\0')
    EE_TRY(read_share(text, column->score, "score", &cell->score));
  if (column->probability != NULL) {
    EE_TRY(ee_read_probabilities(text, column->probability, n_classes, cell, probability));
  } else {
    EE_TRY(ee_text_integer(text, column->prediction, 0, most, &class));
    cell->prediction = (int32_t) class;
  }
  class = -1;
  if (column->label >= 0 && *text->field[column->label] != '\0')
    EE_TRY(ee_text_integer(text, column->label, -1, most, &class));
  cell->label = (int32_t) class;
  cell->line  = text->line;
  return EE_OK;
}

ee_status ee_keep_exit_cell(ee_exit_cells *cells, const ee_exit_cell *cell) {
  if (cells->n == cells->room) {
    int64_t       room = cells->room > 0 ? 2 * cells->room : 4096;
    ee_exit_cell *more = realloc(cells->cell, (size_t)room * sizeof *more);
    if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld cells", (long long)room);
    cells->cell = more;
    cells->room = room;
  }
  cells->cell[cells->n]    = *cell;
  cells->cell[cells->n].at = cells->n;
  cells->n++;
  return EE_OK;
}

/* Read one exit's columns of the present row and keep them. */
static ee_status take_cell(const ee_text_table *text, const ee_cell_columns *column, int n_classes,
                           ee_exit_cell *cell, ee_exit_cells *cells) {
  float *probability = NULL;
  if (column->probability != NULL) EE_TRY(ee_next_probabilities(cells, n_classes, &probability));
  EE_TRY(ee_read_exit_cell(text, column, n_classes, cell, probability));
  return ee_keep_exit_cell(cells, cell);
}

/* Take the next name of the list @p *rest, with commas between; at its end, NULL, -1. */
static ee_status next_column(const ee_text_table *text, const char **rest, int *column) {
  const char *name = *rest;
  *column          = -1;
  if (name == NULL) return EE_OK;
  size_t length = strcspn(name, ",");
  *rest         = name[length] == ',' ? name + length + 1 : NULL;
  return ee_text_column(text, name, length, column);
}

static ee_status find_column(const ee_text_table *text, const char *name, int *column) {
  *column = -1;
  return name != NULL ? ee_text_column(text, name, strlen(name), column) : EE_OK;
}

/* The columns of every exit in the wide form.  @param[out] column  shape [n_exits] */
static ee_status find_columns(const ee_text_table *text, const ee_exits_columns *columns,
                              int n_exits, ee_cell_columns *column) {
  const char *prediction = columns->prediction, *confidence = columns->confidence;
  const char *score = columns->score;
  int         label;
  EE_TRY(find_column(text, columns->label, &label));
  for (int e = 0; e < n_exits; e++) {
    EE_TRY(next_column(text, &prediction, &column[e].prediction));
    EE_TRY(next_column(text, &confidence, &column[e].confidence));
    EE_TRY(next_column(text, &score, &column[e].score));
    column[e].label = label;
  }
  return EE_OK;
}

static ee_status read_wide_row(const ee_text_table *text, int n_exits,
                               const ee_cell_columns *column, int n_classes, int64_t sample,
                               ee_exit_cells *cells) {
  for (int e = 0; e < n_exits; e++) {
    ee_exit_cell cell = {.sample = sample, .exit = e};
    EE_TRY(take_cell(text, &column[e], n_classes, &cell, cells));
  }
  return EE_OK;
}

static ee_status read_wide(ee_text_table *text, const ee_exits_columns *columns, int n_exits,
                           ee_cell_columns *column, ee_exit_cells *cells) {
  EE_TRY(find_columns(text, columns, n_exits, column));
  for (int64_t sample = 0;; sample++) {
    bool more;
    EE_TRY(ee_text_row(text, &more));
    if (!more) return EE_OK;
    EE_TRY(read_wide_row(text, n_exits, column, columns->n_classes, sample, cells));
  }
}

/* Names of each list, which must fit together. */
static ee_status check_lists(const ee_text_table *text, const ee_exits_columns *columns,
                             int n_exits) {
  if (columns->confidence != NULL && ee_count_names(columns->confidence) != n_exits)
    return EE_FAIL(EE_ERR_ARG,
                   "%s: %d columns of confidences and %d of predictions are named, "
                   "expected one each for every exit",
                   text->path, ee_count_names(columns->confidence), n_exits);
  int n_scores = columns->score != NULL ? ee_count_names(columns->score) : n_exits;
  if (n_scores != n_exits && n_scores != n_exits - 1)
    return EE_FAIL(EE_ERR_ARG,
                   "%s: %d columns of scores and %d of predictions are named, expected one score "
                   "for every exit, or for every one but the last",
                   text->path, n_scores, n_exits);
  return EE_OK;
}

static ee_status take_wide(ee_text_table *text, const ee_exits_columns *columns, int n_exits,
                           int *probability, ee_exit_cells *cells) {
  EE_TRY(check_lists(text, columns, n_exits));
  ee_cell_columns *column = calloc((size_t)n_exits, sizeof *column);
  if (column == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", n_exits);
  for (int e = 0; e < n_exits && probability != NULL; e++)
    column[e].probability = probability + (size_t)e * (size_t)columns->n_classes;
  ee_status status = read_wide(text, columns, n_exits, column, cells);
  free(column);
  return status;
}

ee_status ee_read_wide_cells(ee_text_table *text, const ee_exits_columns *columns,
                             ee_exit_cells *cells) {
  int *probability, n_exits = columns->prediction != NULL ? ee_count_names(columns->prediction) : 0;
  EE_TRY(ee_find_probabilities(text, columns, true, &probability, &n_exits));
  ee_status status = take_wide(text, columns, n_exits, probability, cells);
  free(probability);
  return status;
}

/* The columns that all rows have alike; probabilities are found already. */
static ee_status find_long(const ee_text_table *text, const ee_exits_columns *columns,
                           ee_cell_columns *column) {
  EE_TRY(find_column(text, columns->prediction, &column->prediction));
  EE_TRY(find_column(text, columns->confidence, &column->confidence));
  EE_TRY(find_column(text, columns->score, &column->score));
  return find_column(text, columns->label, &column->label);
}

static ee_status take_long(ee_text_table *text, const ee_exits_columns *columns,
                           ee_cell_columns *column, ee_exit_cells *cells) {
  int sample, exit;
  EE_TRY(ee_text_column(text, columns->sample, strlen(columns->sample), &sample));
  EE_TRY(ee_text_column(text, columns->exit, strlen(columns->exit), &exit));
  EE_TRY(find_long(text, columns, column));
  for (;;) {
    ee_exit_cell cell = {0};
    bool         more;
    EE_TRY(ee_text_row(text, &more));
    if (!more) return EE_OK;
    EE_TRY(ee_text_integer(text, sample, -MAX_NUMBER, MAX_NUMBER, &cell.sample));
    EE_TRY(ee_text_integer(text, exit, -MAX_NUMBER, MAX_NUMBER, &cell.exit));
    EE_TRY(take_cell(text, column, columns->n_classes, &cell, cells));
  }
}

ee_status ee_read_long_cells(ee_text_table *text, const ee_exits_columns *columns,
                             ee_exit_cells *cells) {
  ee_cell_columns column;
  EE_TRY(ee_find_probabilities(text, columns, false, &column.probability, NULL));
  ee_status status = take_long(text, columns, &column, cells);
  free(column.probability);
  return status;
}
