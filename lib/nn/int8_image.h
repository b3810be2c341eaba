/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"
#include "ee/pixels.h"
#include "int8_kernels.h"

/**
 * @file int8_image.h
 * Inputs as numbers of a word's size: pixels side by side, their channels filled up to whole words,
 * with what stands for 0 around them where a window reaches beyond.
 */
typedef struct ee_int8_image {
  const ee_int8_kernels *kernels;
  ee_quant               quant;
  int64_t                height, width;   // of the image
  int64_t                pad_y, pad_x;    // rows above and pixels beside the input; may be negative
  int64_t                step_y, step_x;  // of the input between rows, pixels of the image
  int64_t                channels;
} ee_int8_image;

/** Bytes of a pixel and of an image. */
int64_t ee_int8_pixel_bytes(const ee_int8_kernels *kernels, int64_t channels);
int64_t ee_int8_image_bytes(const ee_int8_image *image);

/** Round @p n pixels of @p channels channels that stand @p step floats apart. */
void ee_int8_round_pixels(const ee_int8_kernels *kernels, const ee_quant *quant, const float *from,
                          int64_t step, int64_t n, int64_t channels, char *to);

/** Round a sample that lies at @p from as @p pixels say, into @p to of the image's bytes. */
void ee_int8_image_make(const ee_int8_image *image, const ee_pixels *pixels, const float *from,
                        char *to);
