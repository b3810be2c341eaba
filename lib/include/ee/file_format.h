/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

#include "ee/status.h"

/**
 * @file file_format.h
 * Telling files of ours apart.
 */

/**
 * What a sealed file of ours says that it is: "edgeexit-model", "edgeexit-data", "edgeexit-exits".
 * @param[out] format  @p size bytes
 * @return EE_OK; EE_ERR_FILE or EE_ERR_FORMAT with path and reason
 */
ee_status ee_file_format(const char *path, char *format, size_t size);
