/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/**
 * @file result_file.h
 * Arrays of results in HDF5, sealed like a model file: what `edgeexit policy -o` writes.
 * docs/formats.md has the layout.  Nothing here is collective.
 */
typedef struct ee_result_file ee_result_file;

/** Start a file: from which exit table, for which policy, over which swept key ("" if none). */
ee_status ee_result_create(const char *path, const char *exits, const char *policy,
                           const char *sweep, ee_result_file **file);

/** Add a float64 array of shape [@p n], or [@p n, @p m] if m > 0; slashes in the name are groups.
 */
ee_status ee_result_add(ee_result_file *file, const char *name, int n, int m, const double *x);

/** Seal and close; with keep false nothing is left at the path. */
ee_status ee_result_finish(ee_result_file **file, int keep);

/** One array of a result. */
typedef struct ee_result_array {
  const char *name;  // with slashes for groups, as it was added
  int         n, m;  // shape [n], if m is 0, or [n, m]
  double     *x;
} ee_result_array;

/** A whole result in memory. */
typedef struct ee_result {
  char            *exits, *policy, *sweep;  // as ee_result_create() was told
  int              n_arrays;
  ee_result_array *array;  // shape [n_arrays], by name
  char           **name;   // of the file's datasets; the arrays' names point into these
  int              n_names;
} ee_result;

/**
 * Read a file.
 * @param[out] result  to be ended by ee_result_free(); NULL on error
 * @return EE_OK; EE_ERR_FILE, EE_ERR_FORMAT, EE_ERR_UNSUPPORTED with path and reason; EE_ERR_NOMEM
 */
ee_status ee_result_load(const char *path, ee_result **result);

/** Free everything and set to NULL.  *result may be NULL. */
void ee_result_free(ee_result **result);
