/* SPDX-License-Identifier: Apache-2.0 */
/* The pixel form of an activation, and the ways from and to the dense one. */
#include "ee/pixels.h"

#include <string.h>

#define BLOCK 16  // pixels and channels that are turned at once, so that both sides stay in cache

ee_pixels ee_pixels_of(const ee_shape *shape, int64_t pixel, int64_t zeros) {
  if (shape->rank != 3 && shape->rank != 4) return (ee_pixels){0};
  ee_pixels p = {.channels = shape->dim[1],
                 .height   = shape->rank == 4 ? shape->dim[2] : 1,
                 .width    = shape->dim[shape->rank - 1],
                 .pixel    = pixel};
  p.lead      = zeros * pixel;
  p.row       = (p.width + zeros) * pixel;
  p.sample    = p.lead + p.height * p.row;
  return p;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* A row of pixels of a few channels, as many as the loop knows, with nothing between them. */
static inline void turn_few(const float *restrict dense, int64_t plane, int64_t width,
                            const int channels, float *restrict to) {
  for (int64_t x = 0; x < width; x++) {
    for (int c = 0; c < channels; c++) to[x * channels + c] = dense[c * plane + x];
  }
}

/* One row of pixels from rows of channels, @p plane floats apart. */
static void turn_row(const ee_pixels *p, const float *restrict dense, int64_t plane,
                     float *restrict to) {
  if (p->channels == 3 && p->pixel == 3) {  // a picture in colours
    turn_few(dense, plane, p->width, 3, to);
    return;
  }
  for (int64_t c0 = 0; c0 < p->channels; c0 += BLOCK) {
    int64_t c1 = least(c0 + BLOCK, p->channels);
    for (int64_t x0 = 0; x0 < p->width; x0 += BLOCK) {
      int64_t x1 = least(x0 + BLOCK, p->width);
      for (int64_t x = x0; x < x1; x++) {
        for (int64_t c = c0; c < c1; c++) to[x * p->pixel + c] = dense[c * plane + x];
      }
    }
  }
}

static void turn_row_back(const ee_pixels *p, const float *restrict from, int64_t plane,
                          float *restrict dense) {
  for (int64_t c0 = 0; c0 < p->channels; c0 += BLOCK) {
    int64_t c1 = least(c0 + BLOCK, p->channels);
    for (int64_t x0 = 0; x0 < p->width; x0 += BLOCK) {
      int64_t x1 = least(x0 + BLOCK, p->width);
      for (int64_t c = c0; c < c1; c++) {
        for (int64_t x = x0; x < x1; x++) dense[c * plane + x] = from[x * p->pixel + c];
      }
    }
  }
}

static void clear_unused_channels(const ee_pixels *p, float *row) {
  size_t bytes = (size_t)(p->pixel - p->channels) * sizeof *row;
  if (bytes == 0) return;
  for (int64_t x = 0; x < p->width; x++) memset(row + x * p->pixel + p->channels, 0, bytes);
}

void ee_pixels_from_dense(const ee_pixels *p, const float *dense, int64_t n, float *to) {
  int64_t plane = p->height * p->width;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t y = 0; y < p->height; y++) {
      float *row = to + i * p->sample + p->lead + y * p->row;
      turn_row(p, dense + i * p->channels * plane + y * p->width, plane, row);
      clear_unused_channels(p, row);
    }
  }
  ee_pixels_clear_sides(p, to, n);
}

void ee_pixels_to_dense(const ee_pixels *p, const float *from, int64_t n, float *dense) {
  int64_t plane = p->height * p->width;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t y = 0; y < p->height; y++) {
      turn_row_back(p, from + i * p->sample + p->lead + y * p->row, plane,
                    dense + i * p->channels * plane + y * p->width);
    }
  }
}

void ee_pixels_clear_sides(const ee_pixels *p, float *x, int64_t n) {
  size_t gap = (size_t)(p->row - p->width * p->pixel) * sizeof *x;
  if (gap == 0) return;
  for (int64_t i = 0; i < n; i++) {
    float *row = x + i * p->sample + p->lead;
    memset(x + i * p->sample, 0, (size_t)p->lead * sizeof *x);
    for (int64_t y = 0; y < p->height; y++, row += p->row) {
      memset(row + p->width * p->pixel, 0, gap);
    }
  }
}
