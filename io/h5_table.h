/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"

/**
 * @file h5_table.h
 * Tables: datasets of a compound type, one C struct per row.
 */

/** One member of the struct. */
typedef struct ee_h5_column {
  const char *name;
  ee_h5_kind  kind;
  size_t      offset;  // in the struct [byte]
  size_t      count;   // elements; bytes of an EE_H5_TEXT, with its ending zero
} ee_h5_column;

/** What a table is made of. */
typedef struct ee_h5_layout {
  const ee_h5_column *column;  // shape [n_columns]
  int                 n_columns;
  size_t              row_bytes;  // of the struct
} ee_h5_layout;

/** Write @p n rows. */
ee_status ee_h5_write_table(const ee_h5 *h5, const char *name, const ee_h5_layout *layout, int n,
                            const void *rows);

/**
 * Read a table that must have exactly this layout and up to @p limit rows.  Texts end with zero.
 * @param[out] rows  malloc()ed, the caller's; padding is zero
 */
ee_status ee_h5_read_table(const ee_h5 *h5, const char *name, const ee_h5_layout *layout, int limit,
                           void **rows, int *n);
