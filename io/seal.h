/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file seal.h
 * The seal: 512 bytes in front of a file's HDF5 part that tell whether the file is whole.
 * HDF5 may crash on a damaged file, so the seal is checked before HDF5 sees one.
 * docs/formats.md has the layout.  Nothing here knows HDF5.
 */

#define EE_SEAL_BYTES 512

/**
 * CRC-64/XZ of @p n bytes (polynomial 0x42f0e1eba9ea3693 of ECMA-182, reflected, complemented).
 * @param crc  0 to begin with, or the result for the bytes before these
 */
uint64_t ee_crc64(uint64_t crc, const void *bytes, size_t n);

/**
 * Write the seal of the file @p path over its first 512 bytes, and bring it to disk.
 * Not collective.
 * @param shown  path that errors name
 * @return EE_OK; EE_ERR_FILE
 */
ee_status ee_seal_stamp(const char *path, const char *shown);

/**
 * Check that the file @p path carries a seal and is what the seal says.  Not collective.
 * @return EE_OK; EE_ERR_FILE if it cannot be read; EE_ERR_FORMAT with path and reason if it is not
 *         sealed, cut short, longer or changed; EE_ERR_UNSUPPORTED if its seal is of a later kind
 */
ee_status ee_seal_check(const char *path);
