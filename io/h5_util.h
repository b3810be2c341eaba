/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file h5_util.h
 * What every user of HDF5 here needs: element types, errors that name the file, attributes, and
 * the one way in which datasets are opened.
 *
 * HDF5 calls on an invalid identifier fail without harm, so calls follow each other and the last
 * one tells.  Names are absolute inside the file ("/graph/nodes").  Nothing here is collective.
 */

/** An open HDF5 file and the path that errors name. */
typedef struct ee_h5 {
  hid_t id;
  char *path;         // owned
  int  *write_error;  // owned; errno of the first write that failed, see h5_driver.h; may be NULL
} ee_h5;

/** Element types: stored little-endian, read and written in the host's order. */
typedef enum { EE_H5_U8, EE_H5_I32, EE_H5_I64, EE_H5_F32, EE_H5_F64, EE_H5_TEXT } ee_h5_kind;

#define EE_H5_MAX_RANK 8

/** Stop HDF5 from printing its error stack in this thread; we report with EE_FAIL. */
void ee_h5_quiet(void);

/** Record "PATH: cannot WHAT NAME (HDF5's reason)" and return @p status.
 *  To be called right after the call that failed. */
ee_status ee_h5_fail(const ee_h5 *h5, ee_status status, const char *what, const char *name);

/** EE_ERR_FILE with the reason if a write failed that HDF5 was not told of. */
ee_status ee_h5_check_written(const ee_h5 *h5);

/** Close an identifier of any kind; negative ones are left alone.  < 0 if closing failed. */
int ee_h5_release(hid_t id);

/** Close the file and forget it.  May be called on a zeroed or closed one.  < 0 on failure. */
int ee_h5_close(ee_h5 *h5);

/** Predefined types, not to be closed.  Not for EE_H5_TEXT. */
hid_t  ee_h5_file_type(ee_h5_kind kind);
hid_t  ee_h5_memory_type(ee_h5_kind kind);
size_t ee_h5_kind_bytes(ee_h5_kind kind);

/** A string type of @p bytes with its ending zero, UTF-8; to be released. */
hid_t ee_h5_text_type(size_t bytes);

/** Whether the file has an object @p name. */
bool ee_h5_exists(const ee_h5 *h5, const char *name);

/** Create dataset @p name with the groups that lead to it; negative on failure.
 *  @p properties may be H5P_DEFAULT; the modification time is never stored. */
hid_t ee_h5_new_dataset(const ee_h5 *h5, const char *name, hid_t type, hid_t space,
                        hid_t properties);

/**
 * Open dataset @p name for reading, after checking all that a hostile author could have done to
 * it: another type or rank, data in another file, filters, more elements than the file holds.
 * @param type  stored type expected; negative: any string type of fixed length
 * @param rank  dimensions expected
 * @param[out] dim  shape [rank]; their product times the element size is below the file's size
 * @param[out] set  to be released
 * @return EE_OK; EE_ERR_FORMAT with path, name and reason
 */
ee_status ee_h5_open_dataset(const ee_h5 *h5, const char *name, hid_t type, int rank, hsize_t *dim,
                             hid_t *set);

/** Whether dataset @p name is there, and its elements have a member @p member. */
bool ee_h5_has_member(const ee_h5 *h5, const char *name, const char *member);

/** Attributes of object @p object ("/" for the file). */
ee_status ee_h5_write_text_attribute(const ee_h5 *h5, const char *object, const char *name,
                                     const char *text);
ee_status ee_h5_write_int_attribute(const ee_h5 *h5, const char *object, const char *name,
                                    int64_t value);

/** Whether object @p object is there and has an attribute @p name. */
bool ee_h5_has_attribute(const ee_h5 *h5, const char *object, const char *name);

/** Read a text attribute that fits into @p size bytes; EE_ERR_FORMAT otherwise. */
ee_status ee_h5_read_text_attribute(const ee_h5 *h5, const char *object, const char *name,
                                    char *text, size_t size);

/** Read an integer attribute in [@p low, @p high]; EE_ERR_FORMAT otherwise. */
ee_status ee_h5_read_int_attribute(const ee_h5 *h5, const char *object, const char *name,
                                   int64_t low, int64_t high, int64_t *value);
