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
