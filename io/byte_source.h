/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "ee/status.h"

/**
 * @file byte_source.h
 * Bytes of a plain or gzip-compressed file, from beginning to end.
 */
typedef struct ee_byte_source {
  gzFile      file;
  const char *path;   // borrowed
  int64_t     taken;  // bytes so far, unpacked
} ee_byte_source;

/** Open @p path.  EE_ERR_FILE; EE_ERR_UNSUPPORTED with a hint if it is packed with xz. */
ee_status ee_byte_source_open(const char *path, ee_byte_source *source);

/** Take up to @p n bytes; *got is less only at the end.
 *  @return EE_OK; EE_ERR_FORMAT naming the path if compressed data is cut short or damaged */
ee_status ee_byte_source_take(ee_byte_source *source, void *bytes, size_t n, size_t *got);

/** Close; may be called on a zeroed or closed one. */
void ee_byte_source_close(ee_byte_source *source);

/** What follows the last '/' of @p path. */
const char *ee_base_name(const char *path);
