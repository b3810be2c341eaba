/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/** @file output_path.h  Whether a result can be written where it shall go, before it is made. */

#define EE_FOLDER_BYTES 4096

/** The folder that @p path stands in, "." if it names none.
 *  @param[out] folder  room for it, which is returned; NULL is returned if it is too long */
const char *ee_folder_of(const char *path, char folder[EE_FOLDER_BYTES]);

/**
 * See whether a file can be put at @p path; nothing is written.  What happens to the folder
 * afterwards is found out by whoever writes.
 * @param path  NULL: there is nothing to write
 * @return EE_OK; EE_ERR_FILE if it is no file, or its folder is missing or cannot be written to
 */
ee_status ee_check_output(const char *path);
