/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/status.h"

/**
 * @file reliability_file.h
 * Reliability diagrams of every exit before and after calibration, in HDF5, to be plotted.
 * Sealed like a model file; docs/formats.md has the layout.
 */

/** All arrays are borrowed.  The second dimension is 0 before and 1 after calibration. */
typedef struct ee_reliability_data {
  int            n_exits, n_bins;
  const int64_t *count;        // shape [n_exits, 2, n_bins], samples in each bin
  const double  *confidence;   // shape [n_exits, 2, n_bins], mean in the bin; 0 if it is empty
  const double  *accuracy;     // shape [n_exits, 2, n_bins]; 0 if the bin is empty
  const double  *temperature;  // shape [n_exits, 2]
  const double  *ece;          // shape [n_exits, 2]
  const char    *provenance;   // NULL: none
} ee_reliability_data;

/** Write @p data.  Replaces @p path only when whole.  EE_OK; EE_ERR_FILE with path and reason;
 *  EE_ERR_NOMEM. */
ee_status ee_reliability_save(const char *path, const ee_reliability_data *data);

typedef struct ee_reliability_file ee_reliability_file;

/**
 * Read a file: counts that are not negative, means and ECE in [0, 1], temperatures above 0.
 * @param[out] file  to be closed; NULL on error
 * @return EE_OK; EE_ERR_FILE, EE_ERR_FORMAT, EE_ERR_UNSUPPORTED with path and reason; EE_ERR_NOMEM
 */
ee_status ee_reliability_open(const char *path, ee_reliability_file **file);

/** What it holds; borrowed, lives until close. */
const ee_reliability_data *ee_reliability_file_data(const ee_reliability_file *file);

/** Free everything and set to NULL.  *file may be NULL. */
void ee_reliability_close(ee_reliability_file **file);
