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
  float   confidence, score;  // score NaN: there is none
  int32_t prediction, label;  // label -1: not known
} ee_exit_cell;

/** Cells in the order of the file. */
typedef struct ee_exit_cells {
  ee_exit_cell *cell;  // shape [n]
  int64_t       n, room;
} ee_exit_cells;

/** Columns of one exit; -1: there is none. */
typedef struct ee_cell_columns {
  int confidence, prediction, score, label;
} ee_cell_columns;

/** Read the present row's columns into @p cell.  n_classes as in ee_exits_columns.
 *  EE_ERR_FORMAT with file, line and column. */
ee_status ee_read_exit_cell(const ee_text_table *text, const ee_cell_columns *column, int n_classes,
                            ee_exit_cell *cell);

/** Append; EE_ERR_NOMEM. */
ee_status ee_keep_exit_cell(ee_exit_cells *cells, const ee_exit_cell *cell);

/** Read all rows of either form. */
ee_status ee_read_wide_cells(ee_text_table *text, const ee_exits_columns *columns,
                             ee_exit_cells *cells);
ee_status ee_read_long_cells(ee_text_table *text, const ee_exits_columns *columns,
                             ee_exit_cells *cells);
