/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/** @file regular_file.h  Opening what is to be read from its beginning to its end. */

/**
 * Open the file @p path for reading.  Waits for nobody: a pipe that no one writes to is refused.
 * Not collective.
 * @param[out] fd  the caller closes it; -1 on error
 * @return EE_OK; EE_ERR_FILE with path and reason if it cannot be opened or is no regular file
 */
ee_status ee_regular_file_open(const char *path, int *fd);
