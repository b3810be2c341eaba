/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/import.h"
#include "text_table.h"

/**
 * @file import_exits.h
 * What both forms of exit tables in text share: one cell, and rows that become a table.
 */

#define EE_MAX_IMPORTED_CLASSES (1 << 24)

/** What one exit said of one sample, and where that stands. */
typedef struct ee_exit_cell {
  int64_t sample, exit;  // as the file numbers them; in the wide form counted from 0
  int64_t line;
  int64_t at;  // number of the cell in the order of the file, by which its probabilities are found
  float   confidence, score;  // score NaN: there is none
  int32_t prediction, label;  // label -1: not known
} ee_exit_cell;

/** Cells in the order of the file. */
typedef struct ee_exit_cells {
  ee_exit_cell *cell;  // shape [n]
  int64_t       n, room;
  float        *probability;  // shape [cell's `at`, n_classes]; NULL: not known
} ee_exit_cells;

/** Columns of one exit; -1: there is none. */
typedef struct ee_cell_columns {
  int  confidence, prediction, score, label;
  int *probability;  // shape [n_classes], borrowed; NULL: there are none
} ee_cell_columns;

/** Read the present row's columns into @p cell, its probabilities into @p probability, shape
 *  [n_classes], if there are any.  n_classes as in ee_exits_columns.
 *  EE_ERR_FORMAT with file, line and column. */
ee_status ee_read_exit_cell(const ee_text_table *text, const ee_cell_columns *column, int n_classes,
                            ee_exit_cell *cell, float *probability);

/** How many names there are in @p list, with commas between. */
int ee_count_names(const char *list);

/**
 * The columns of probabilities.
 * @param per_exit     whether each exit has its own (wide), or all the same (long)
 * @param[out] column  malloc()ed, the caller's: shape [n_exits, n_classes], or [n_classes] unless
 *                     per_exit; NULL on error or if there are none
 * @param[out] n_exits how many there are if per_exit; otherwise it is left as it was
 */
ee_status ee_find_probabilities(const ee_text_table *text, const ee_exits_columns *columns,
                                bool per_exit, int **column, int *n_exits);

/** Read one cell's probabilities, and prediction and confidence from them. */
ee_status ee_read_probabilities(const ee_text_table *text, const int *column, int n_classes,
                                ee_exit_cell *cell, float *probability);

/** Append; EE_ERR_NOMEM. */
ee_status ee_keep_exit_cell(ee_exit_cells *cells, const ee_exit_cell *cell);

/** Make room for the probabilities of one more cell, which are to stand at *probability. */
ee_status ee_next_probabilities(ee_exit_cells *cells, int n_classes, float **probability);

/** Read all rows of either form. */
ee_status ee_read_wide_cells(ee_text_table *text, const ee_exits_columns *columns,
                             ee_exit_cells *cells);
ee_status ee_read_long_cells(ee_text_table *text, const ee_exits_columns *columns,
                             ee_exit_cells *cells);
