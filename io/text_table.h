/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file text_table.h
 * A table in text with a header line: fields apart by tabs if the header has one, else by commas;
 * fields in double quotes may hold either, line ends, and quotes written twice.  Errors name file,
 * line and column.
 */
typedef struct ee_text_table {
  const char *path;  // borrowed
  char       *text, *end, *next;
  char        delimiter;
  int         n_columns;
  char      **name;   // shape [n_columns]
  char      **field;  // shape [n_columns], of the present row
  int64_t     line;   // where the present row begins, from 1
  int64_t     next_line;
} ee_text_table;

/** Read the text file @p path, plain or gzip, whole: *text has @p *n bytes and a zero behind them,
 *  malloc()ed, the caller's; NULL on error.
 *  @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT if it is damaged or holds a zero byte; EE_ERR_NOMEM */
ee_status ee_text_read(const char *path, char **text, size_t *n);

/** Read the file @p path, plain or gzip, and its header.  To be closed if EE_OK.
 *  @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT; EE_ERR_NOMEM */
ee_status ee_text_open(const char *path, ee_text_table *table);

/** Index of the column named by the first @p length characters of @p name; EE_ERR_ARG, naming the
 *  columns that there are, if there is none or there are two. */
ee_status ee_text_column(const ee_text_table *table, const char *name, size_t length, int *column);

/** Step to the next row that is not empty; *more is false at the end.  EE_ERR_FORMAT if it has
 *  fewer or more fields than the header, or quotes are wrong. */
ee_status ee_text_row(ee_text_table *table, bool *more);

/** The present row's finite number; EE_ERR_FORMAT otherwise. */
ee_status ee_text_number(const ee_text_table *table, int column, double *x);

/** The present row's whole number in [@p low, @p high]; "3.0" is one.  EE_ERR_FORMAT otherwise. */
ee_status ee_text_integer(const ee_text_table *table, int column, int64_t low, int64_t high,
                          int64_t *x);

/** Close; may be called on a zeroed or closed one. */
void ee_text_close(ee_text_table *table);
