/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

#include "ee/status.h"

/**
 * @file onnx_names.h
 * A map from names to indices.  Zeroed is empty; keys are borrowed.
 */
typedef struct onnx_names {
  const char **key;    // shape [space], NULL where free
  int         *index;  // shape [space]
  size_t       space;  // a power of two, or 0
  size_t       used;
} onnx_names;

/** Let @p key mean @p index, whatever it meant before. */
ee_status ee_onnx_names_put(onnx_names *names, const char *key, int index);

/** Index of @p key; -1 if there is none. */
int ee_onnx_names_get(const onnx_names *names, const char *key);

void ee_onnx_names_free(onnx_names *names);
