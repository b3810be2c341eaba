/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file model_file.h
 * A model in HDF5: the graph whole, the weights layer by layer.  docs/formats.md has the layout.
 * Files are sealed: a damaged one is refused, with its path, before HDF5 sees it.
 */

typedef struct ee_model_file ee_model_file;

/** Write @p model, whose constants must all be in memory.  Replaces @p path only when whole.
 *  EE_ERR_FORMAT if a constant is NaN, or a weight is infinite. */
ee_status ee_model_save(const ee_model *model, const char *path);

/** Read graph and all constants.  EE_ERR_FILE, EE_ERR_FORMAT with path and reason. */
ee_status ee_model_load(const char *path, ee_model **model);

/** Open for reading layer by layer; the graph is read, no constant is in memory. */
ee_status ee_model_file_open(const char *path, ee_model_file **file);

/** The graph; borrowed, lives until close. */
const ee_model *ee_model_file_model(const ee_model_file *file);

/** Read the blob of @p layer: layer[layer].weight_bytes, malloc()ed, the caller's; NULL if 0. */
ee_status ee_model_file_read_layer(ee_model_file *file, int layer, float **blob);

void ee_model_file_close(ee_model_file **file);
