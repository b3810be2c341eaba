/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/** @file same_file.h  Not writing over what is being read, nor two results to one place. */

/** EE_ERR_USAGE, naming both, if @p out is the same file as @p in, by whatever path.  Either may be
 *  NULL or not exist. */
ee_status ee_refuse_same_file(const char *in, const char *out);

/** EE_ERR_USAGE, naming both, if two results would be written to the same file, which need not
 *  exist yet.  Either may be NULL. */
ee_status ee_refuse_same_output(const char *one, const char *other);
