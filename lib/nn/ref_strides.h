/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/tensor.h"

/**
 * @file ref_strides.h
 * Walking an array in the order of another one: strides, broadcasting, merging of dimensions.
 */

/** Dimensions to walk, outermost first, and how far a step in each moves in two arrays. */
typedef struct ee_walk {
  int     rank;
  int64_t dim[EE_MAX_RANK];
  int64_t a[EE_MAX_RANK], b[EE_MAX_RANK];
} ee_walk;

/** Distance between neighbours in each dimension of @p shape; @p stride has shape [rank]. */
void ee_strides(const ee_shape *shape, int64_t *stride);

/** The same for @p in seen as an array of shape @p out by numpy's broadcasting; 0 along a
 *  dimension that is repeated.  @p stride has shape [out->rank]. */
void ee_broadcast_strides(const ee_shape *in, const ee_shape *out, int64_t *stride);

/** Drop dimensions of 1 and merge neighbours that can be walked as one; keeps at least one. */
void ee_walk_merge(ee_walk *walk);

/** Offset of the @p r-th step of a row-major walk over @p rank dimensions. */
static inline int64_t ee_walk_offset(int rank, const int64_t *dim, const int64_t *stride,
                                     int64_t r) {
  int64_t offset = 0;
  for (int i = rank - 1; i >= 0 && r > 0; i--) {
    offset += r % dim[i] * stride[i];
    r /= dim[i];
  }
  return offset;
}
