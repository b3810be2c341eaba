/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a row into tiles. */
#include "simd_sweep.h"

#include <stddef.h>

#define LINE_FLOATS 16  // of a cache line

/* What a tile of that many vectors and pixels shall fetch; what it reads anyway if there is
 * nothing. */
static const float *fetch_ahead(ee_simd_fetch *fetch, const ee_simd_tile *t, int vectors,
                                int64_t pixels) {
  if (fetch == NULL || fetch->unread <= 0) return t->weights;
  const float *ahead = fetch->next;
  int64_t      lines = t->rows * t->runs * t->length * EE_SIMD_LINES_AHEAD(vectors, pixels);
  fetch->next += lines * LINE_FLOATS;
  fetch->unread -= lines * LINE_FLOATS;
  return ahead;
}

void ee_simd_sweep(ee_simd_tile t, int vectors, int64_t n, ee_simd_fetch *fetch) {
  const ee_simd_kernels *kernels = ee_simd_kernels_get();
  int64_t                most = kernels->max_pixels[vectors], tiles = (n + most - 1) / most;
  for (int64_t i = 0, done = 0; i < tiles; i++) {
    int64_t pixels = (n - done + tiles - i - 1) / (tiles - i);
    t.ahead        = fetch_ahead(fetch, &t, vectors, pixels);
    kernels->tile[vectors][pixels](&t);
    t.in += pixels * t.in_step;
    t.out += pixels * t.out_step;
    if (t.residual != NULL) t.residual += pixels * t.residual_step;
    done += pixels;
  }
}
