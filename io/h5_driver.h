/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <hdf5.h>

/**
 * @file h5_driver.h
 * A file driver for files that are being written.
 *
 * HDF5 1.10 crashes at the end of a process in which a dataset could not be closed because the
 * disk was full.  This driver never tells HDF5 that a write failed: it keeps the first reason,
 * takes everything that follows without writing it, and the caller looks at the reason.
 */

/**
 * Make files that are created with @p access use the driver.  < 0 on failure.
 * @param error  gets errno of the first write that failed; 0 until then.  Borrowed until the file
 *               is closed
 */
herr_t ee_h5_set_driver(hid_t access, int *error);
