/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"

/**
 * @file h5_seal.h
 * Sealed HDF5 files: written beside their path, sealed, and moved there whole or not at all; read
 * only if the seal holds.  Not collective: one process writes.
 */

/**
 * Start a file that will stand at @p path with root attributes format, format_version and
 * created_by.  It grows at PATH.tmp-PID.
 * @param[out] h5  to be ended by ee_h5_commit() or ee_h5_discard(); zeroed on error
 * @return EE_OK; EE_ERR_FILE with path and reason; EE_ERR_NOMEM
 */
ee_status ee_h5_create_sealed(const char *path, const char *format, ee_h5 *h5);

/** Seal, bring to disk, move to the path and close; on error nothing of it is left. */
ee_status ee_h5_commit(ee_h5 *h5);

/** Close and remove; what stood at the path before still does. */
void ee_h5_discard(ee_h5 *h5);

/**
 * Check the seal of @p path, open it for reading and check its format and version.
 * @param format  the root attribute expected; NULL: any, and neither is checked
 * @param[out] h5  to be closed by ee_h5_close(); zeroed on error
 * @return EE_OK; EE_ERR_FILE, EE_ERR_FORMAT, EE_ERR_UNSUPPORTED with path and reason; EE_ERR_NOMEM
 */
ee_status ee_h5_open_sealed(const char *path, const char *format, ee_h5 *h5);
