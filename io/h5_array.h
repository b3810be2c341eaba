/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"

/**
 * @file h5_array.h
 * Numeric arrays: whole ones, and ones that are written and read by rows (the first dimension).
 */

/** Write a contiguous array.  @p dim has shape [rank]; rank 0 is a scalar. */
ee_status ee_h5_write_array(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                            const hsize_t *dim, const void *data);

/** Read an array whose kind and shape must be these; EE_ERR_FORMAT otherwise. */
ee_status ee_h5_read_array(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                           const hsize_t *dim, void *data);

/** Read a vector of unknown length up to @p limit.  *data is malloc()ed, the caller's. */
ee_status ee_h5_read_vector(const ee_h5 *h5, const char *name, ee_h5_kind kind, int64_t limit,
                            void **data, int64_t *n);

/** An open array whose rows come and go in blocks. */
typedef struct ee_h5_rows {
  const ee_h5 *h5;  // borrowed
  char         name[128];
  ee_h5_kind   kind;
  hid_t        set;
  int          rank;
  hsize_t      dim[EE_H5_MAX_RANK];  // dim[0] rows
} ee_h5_rows;

/** Create an array without rows, in chunks of about @p chunk_bytes.  dim[0] is ignored.
 *  @return EE_OK; EE_ERR_ARG if a row is too large for HDF5; EE_ERR_FILE */
ee_status ee_h5_rows_create(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                            const hsize_t *dim, size_t chunk_bytes, ee_h5_rows *rows);

/** Write @p n rows behind the last one. */
ee_status ee_h5_rows_append(ee_h5_rows *rows, int64_t n, const void *data);

/** Open an array of known kind and rank for reading; its shape is in rows->dim. */
ee_status ee_h5_rows_open(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                          ee_h5_rows *rows);

/** EE_ERR_ARG unless rows [@p first, @p first + @p n) are all there. */
ee_status ee_h5_rows_check(const ee_h5_rows *rows, int64_t first, int64_t n);

/** Read rows [@p first, @p first + @p n); EE_ERR_ARG if they are not all there. */
ee_status ee_h5_rows_read(const ee_h5_rows *rows, int64_t first, int64_t n, void *data);

/** Close; may be called on a zeroed or closed one.  < 0 on failure. */
int ee_h5_rows_close(ee_h5_rows *rows);
