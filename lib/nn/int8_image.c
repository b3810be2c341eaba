/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds inputs to 8 bits on their way into a node. */
#include "int8_image.h"

#include <string.h>

#define WORD_BYTES 4
#define FEW 16    // channels of a pixel that fill no vector
#define CHUNK 64  // pixels with few channels that are rounded together

static int64_t number_bytes(const ee_int8_kernels *k) {
  return WORD_BYTES / k->group;
}

int64_t ee_int8_pixel_bytes(const ee_int8_kernels *kernels, int64_t channels) {
  return (channels + kernels->group - 1) / kernels->group * WORD_BYTES;
}

int64_t ee_int8_image_bytes(const ee_int8_image *image) {
  return image->height * image->width * ee_int8_pixel_bytes(image->kernels, image->channels);
}

static void fill(const ee_int8_kernels *k, int zero, int64_t bytes, char *to) {
  if (k->group == WORD_BYTES) {
    memset(to, zero, (size_t)bytes);
    return;
  }
  int16_t *x = (int16_t *)(void *)to;
  for (int64_t i = 0; i < bytes / (int64_t)sizeof *x; i++) x[i] = (int16_t)zero;
}

/* Pixels whose channels stand side by side in memory, a few of each. */
static void round_few(const ee_int8_kernels *k, const ee_quant *quant, const float *from, int64_t n,
                      int64_t channels, char *to) {
  _Alignas(WORD_BYTES) char row[CHUNK * FEW * 2];
  int64_t used = channels * number_bytes(k), bytes = ee_int8_pixel_bytes(k, channels);
  for (int64_t first = 0; first < n; first += CHUNK) {
    int64_t pixels = n - first < CHUNK ? n - first : CHUNK;
    k->quantise(from + first * channels, pixels * channels, 1.0F / quant->scale, quant->zero, row);
    for (int64_t p = 0; p < pixels; p++) {
      memset(to + (first + p) * bytes, 0, (size_t)bytes);
      memcpy(to + (first + p) * bytes, row + p * used, (size_t)used);
    }
  }
}

void ee_int8_round_pixels(const ee_int8_kernels *kernels, const ee_quant *quant, const float *from,
                          int64_t step, int64_t n, int64_t channels, char *to) {
  int64_t used = channels * number_bytes(kernels), bytes = ee_int8_pixel_bytes(kernels, channels);
  float   inverse = 1.0F / quant->scale;
  if (step == channels && used == bytes) {
    kernels->quantise(from, n * channels, inverse, quant->zero, to);
  } else if (step == channels && channels < FEW) {
    round_few(kernels, quant, from, n, channels, to);
  } else {
    for (int64_t p = 0; p < n; p++, from += step, to += bytes) {
      kernels->quantise(from, channels, inverse, quant->zero, to);
      memset(to + used, 0, (size_t)(bytes - used));
    }
  }
}

/* Pixels [first, end) of a row of the image have one in the input. */
static void find_inside(const ee_int8_image *m, const ee_pixels *pixels, int64_t *first,
                        int64_t *end) {
  *first = m->pad_x > 0 ? (m->pad_x + m->step_x - 1) / m->step_x : 0;
  *end   = (pixels->width + m->pad_x + m->step_x - 1) / m->step_x;
  if (*end > m->width) *end = m->width;
  if (*end < *first) *end = *first = 0;
}

void ee_int8_image_make(const ee_int8_image *image, const ee_pixels *pixels, const float *from,
                        char *to) {
  const ee_int8_kernels *k    = image->kernels;
  int64_t                zero = image->quant.zero, first, end;
  int64_t pixel = ee_int8_pixel_bytes(k, image->channels), row = image->width * pixel;
  find_inside(image, pixels, &first, &end);
  for (int64_t y = 0; y < image->height; y++, to += row) {
    int64_t at = y * image->step_y - image->pad_y;
    if (at < 0 || at >= pixels->height || first == end) {
      fill(k, (int)zero, row, to);
      continue;
    }
    int64_t x = first * image->step_x - image->pad_x;
    fill(k, (int)zero, first * pixel, to);
    ee_int8_round_pixels(
        k, &image->quant, from + pixels->lead + at * pixels->row + x * pixels->pixel,
        image->step_x * pixels->pixel, end - first, image->channels, to + first * pixel);
    fill(k, (int)zero, row - end * pixel, to + end * pixel);
  }
}
