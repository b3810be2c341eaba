/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file data_format.h
 * What writer and reader of data files agree on: names, limits and what a label may be.
 */

#define EE_DATA_FORMAT "edgeexit-data"
#define EE_DATA_SAMPLES "/samples"
#define EE_DATA_LABELS "/labels"
#define EE_DATA_CLASS_NAMES "/class_names"
#define EE_DATA_PROVENANCE "/provenance"
#define EE_DATA_ATTRIBUTES "/attributes/"

#define EE_DATA_MAX_CLASSES 65536
#define EE_DATA_MAX_DIM ((int64_t)1 << 40)
#define EE_DATA_MAX_NAME 64                                               // of an attribute [byte]
#define EE_DATA_SET_BYTES (sizeof EE_DATA_ATTRIBUTES + EE_DATA_MAX_NAME)  // name of its dataset

/** Write the name of attribute @p name's dataset to @p set, shape [EE_DATA_SET_BYTES]; false if
 *  it is no name: letters, digits, '_', '-' and '.', not beginning with '.'. */
bool ee_data_attribute_set(const char *name, char *set);

/**
 * Check that labels are -1 or a class; any that is not negative if there are no class names.
 * @param status  to return if one is not, with path, index (from @p first) and value
 */
ee_status ee_data_check_labels(ee_status status, const char *path, int n_classes, int64_t first,
                               int64_t n, const int32_t *label);
