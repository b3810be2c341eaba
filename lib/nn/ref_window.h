/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file ref_window.h
 * Sliding windows over one to three spatial dimensions, all seen as three: depth, height, width.
 */

/** One dimension of a sliding window: output o and tap k meet input o stride + k dilation - pad. */
typedef struct ee_slide {
  int64_t in, out;  // positions
  int64_t kernel;   // taps
  int64_t stride, dilation;
  int64_t pad;         // before
  int64_t padded_end;  // first input position behind the padding: in + pad after
} ee_slide;

/** Half-open range. */
typedef struct ee_range {
  int64_t begin, end;
} ee_range;

/** Depth, height and width of @p window over arrays [n, c, spatial...]; missing ones are 1. */
void ee_slides(const ee_window *window, const ee_shape *in, const ee_shape *out, ee_slide slide[3]);

/** Outputs whose tap @p k lies inside the input. */
ee_range ee_slide_outputs(const ee_slide *slide, int64_t k);

/** Taps of output @p o that lie in [@p low, @p high) of the input's positions. */
ee_range ee_slide_taps(const ee_slide *slide, int64_t o, int64_t low, int64_t high);

/** Input position of output @p o and tap @p k. */
static inline int64_t ee_slide_position(const ee_slide *slide, int64_t o, int64_t k) {
  return o * slide->stride + k * slide->dilation - slide->pad;
}
