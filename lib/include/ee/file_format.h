/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "ee/status.h"

/**
 * @file file_format.h
 * Telling files of ours apart.
 */

/**
 * What a sealed file of ours says that it is: "edgeexit-model", "edgeexit-data", "edgeexit-exits",
 * "edgeexit-result" or "edgeexit-reliability".
 * @param[out] format  @p size bytes
 * @return EE_OK; EE_ERR_FILE or EE_ERR_FORMAT with path and reason
 */
ee_status ee_file_format(const char *path, char *format, size_t size);

/** Whether @p path begins as HDF5 files without a seal do, as traces.  HDF5 does not see it.  A
 * file that cannot be read does not. */
bool ee_file_is_unsealed(const char *path);
