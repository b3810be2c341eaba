/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file data_file.h
 * Labelled samples in HDF5: `samples` [n, c, h, w] of uint8 or float32, `labels` int32 [n],
 * `class_names`, `attributes/NAME` float32 [n].  Sealed like a model file.
 */

typedef enum { EE_DATA_U8, EE_DATA_F32 } ee_data_type;

typedef struct ee_data_info {
  ee_data_type       type;
  int64_t            n;           // samples
  int64_t            dim[3];      // c, h, w of one sample
  int                n_classes;   // number of class names; 0: unnamed
  const char *const *class_name;  // shape [n_classes]
  bool               labelled;
  const char        *provenance;  // "" if none
  // Of a file that was opened; ee_data_create() takes the names as an argument.
  int                n_attributes;
  const char *const *attribute;  // shape [n_attributes], names
} ee_data_info;

typedef struct ee_data_writer ee_data_writer;

/** Start a file at @p path; @p info's n is ignored; attribute names are ended by NULL. */
ee_status ee_data_create(const char *path, const ee_data_info *info,
                         const char *const *attribute_name, ee_data_writer **writer);

/**
 * Append @p n samples.
 * @param samples    shape [n, c, h, w], uint8_t or float as the file's type says
 * @param labels     shape [n], in [0, n_classes) if there are class names; NULL if unlabelled
 * @param attribute  one array of shape [n] per attribute name; NULL if there are none
 */
ee_status ee_data_append(ee_data_writer *writer, int64_t n, const void *samples,
                         const int32_t *labels, const float *const *attribute);

/** Seal and close; without it (or with keep false) nothing is left at the path. */
ee_status ee_data_finish(ee_data_writer **writer, bool keep);

typedef struct ee_data_file ee_data_file;

ee_status ee_data_open(const char *path, ee_data_file **file);

/** Borrowed; lives until close. */
const ee_data_info *ee_data_file_info(const ee_data_file *file);

/** Read samples [@p first, @p first + @p n) as stored; shape [n, c, h, w]. */
ee_status ee_data_read(ee_data_file *file, int64_t first, int64_t n, void *samples);

/** Read labels; all -1 if unlabelled. */
ee_status ee_data_read_labels(ee_data_file *file, int64_t first, int64_t n, int32_t *labels);

/** Read attribute @p name; EE_ERR_ARG if the file has none of that name. */
ee_status ee_data_read_attribute(ee_data_file *file, const char *name, int64_t first, int64_t n,
                                 float *out);

void ee_data_close(ee_data_file **file);
