/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/tensor.h"

/**
 * @file pixels.h
 * The second form of an activation: pixel by pixel, all channels of a pixel side by side.
 *
 * Dense, element (c, y, x) of a sample of shape [1, C, H, W] stands at (c H + y) W + x.  As pixels
 * it stands at lead + y row + x pixel + c, so that a vector holds neighbouring channels.  Zeros
 * stand in front of every row and behind the last one, as many as the convolutions that read the
 * value want beside it: the zeros behind a row are those in front of the next.
 *
 *   0 0 | row 0 | 0 0 | row 1 | 0 0
 *   lead          row - W pixel
 */

/** How a sample lies.  All sizes in floats. */
typedef struct ee_pixels {
  int64_t channels, height, width;  // a value of rank 3, [1, C, W], has height 1
  int64_t pixel;                    // from a pixel to the next, at least channels
  int64_t row;                      // from a row to the next, at least width * pixel
  int64_t lead;                     // zeros in front of row 0
  int64_t sample;                   // of a whole sample; 0: the value has no such form
} ee_pixels;

/** Lay out a value of shape @p shape (rank 3 or 4) with @p pixel floats from a pixel to the next
 *  and @p zeros pixels of zeros beside every row.  sample is 0 for any other rank. */
ee_pixels ee_pixels_of(const ee_shape *shape, int64_t pixel, int64_t zeros);

/** Copy @p n dense samples into the form @p p, zeros and unused channels included.
 *  @param dense  shape [n, C, H, W]
 *  @param[out] to  shape [n, sample]; overlaps nothing */
void ee_pixels_from_dense(const ee_pixels *p, const float *dense, int64_t n, float *to);

/** Copy @p n samples back.
 *  @param from  shape [n, sample]
 *  @param[out] dense  shape [n, C, H, W]; overlaps nothing */
void ee_pixels_to_dense(const ee_pixels *p, const float *from, int64_t n, float *dense);

/** Write the zeros beside the rows of @p n samples. */
void ee_pixels_clear_sides(const ee_pixels *p, float *x, int64_t n);
