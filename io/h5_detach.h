/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"

/**
 * @file h5_detach.h
 * Ending a file that can no longer be written, for example on a full disk.
 */

/**
 * Leave the file on disk as it is: from here on HDF5 writes to nowhere.
 * Without it HDF5 1.10 tries the failed write again in closing, and crashes when the program ends.
 * The file is then closed as usual.  Not collective.
 */
void ee_h5_detach(const ee_h5 *h5);

/** Bring everything to the file, or detach from it and return EE_ERR_FILE with path and reason. */
ee_status ee_h5_flush_or_detach(const ee_h5 *h5);
