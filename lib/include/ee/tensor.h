/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @file tensor.h
 * Shapes of float32 arrays.  Arrays are dense and row-major, the last dimension fastest:
 * shape [n, c, h, w] means that element (n, c, h, w) stands at ((n * C + c) * H + h) * W + w.
 */

#define EE_MAX_RANK 8  // most dimensions of an array

/** Dimensions of an array; dim[0] is the outermost.  rank 0 is a scalar of one element. */
typedef struct ee_shape {
  int     rank;
  int64_t dim[EE_MAX_RANK];
} ee_shape;

/** Product of all dimensions; 1 for a scalar; INT64_MAX if it does not fit. */
int64_t ee_shape_elements(const ee_shape *shape);

/** Product of the dimensions from @p from (inclusive) to @p to (exclusive), likewise. */
int64_t ee_shape_product(const ee_shape *shape, int from, int to);

bool ee_shape_equal(const ee_shape *a, const ee_shape *b);

/** Write "[2, 3, 4]" to @p text of @p size bytes, cut short if need be, and return @p text. */
const char *ee_shape_text(const ee_shape *shape, char *text, size_t size);
