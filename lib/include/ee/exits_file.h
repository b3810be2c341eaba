/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/model.h"

/**
 * @file exits_file.h
 * An exit table in HDF5: what every exit said of every sample, so that policies, calibration and
 * simulation need not run the network.  Sealed like a model file.
 *
 * `logits` float32 [n, n_exits, n_classes] (chunked), `labels` int32 [n] (-1: unlabelled), per exit
 * `temperature` [n_exits], `attach` [n_exits], `head_flops` [n_exits]; per layer `layer_flops`
 * [n_layers]; per cut `cut_bytes` [n_layers + 1].
 */

typedef struct ee_exits_info {
  int64_t       n;
  int           n_exits, n_classes, n_layers;
  const int    *attach;       // shape [n_exits]
  const float  *temperature;  // shape [n_exits]
  const double *head_flops;   // shape [n_exits]
  const double *layer_flops;  // shape [n_layers]
  const double *cut_bytes;    // shape [n_layers + 1]
  const char   *provenance;   // "" if none
} ee_exits_info;

typedef struct ee_exits_writer ee_exits_writer;
typedef struct ee_exits_file   ee_exits_file;

/** Start a table at @p path; shapes, costs and temperatures are @p model's. */
ee_status ee_exits_create(const char *path, const ee_model *model, const char *provenance,
                          ee_exits_writer **writer);

/** Append @p n samples; logits shape [n, n_exits, n_classes], labels shape [n] or NULL. */
ee_status ee_exits_append(ee_exits_writer *writer, int64_t n, const float *logits,
                          const int32_t *labels);

/** Seal and close; with keep false nothing is left at the path. */
ee_status ee_exits_finish(ee_exits_writer **writer, int keep);

/** Open for reading; EE_ERR_FILE, EE_ERR_FORMAT with path and reason. */
ee_status ee_exits_open(const char *path, ee_exits_file **file);

/** Borrowed; lives until close. */
const ee_exits_info *ee_exits_file_info(const ee_exits_file *file);

/** Read samples [@p first, @p first + @p n): logits shape [n, n_exits, n_classes], labels shape
 *  [n]; either may be NULL. */
ee_status ee_exits_read(ee_exits_file *file, int64_t first, int64_t n, float *logits,
                        int32_t *labels);

void ee_exits_close(ee_exits_file **file);
