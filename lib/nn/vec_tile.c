/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of convolutions and products: some vectors of output channels times some pixels, kept in
 * registers over the whole sum. */
#include "vec_tile.h"

#include "vec.h"

#define LINE_FLOATS 16  // of a cache line

/* The sum over one piece of a window's row. */
ALWAYS_INLINE void add_run(const float *restrict in, int64_t in_step, int64_t length,
                           const float *restrict weights, const float *ahead, const int vectors,
                           const int pixels, vec *sum) {
  const int lines = EE_SIMD_LINES_AHEAD(vectors, pixels);
  for (int64_t c = 0; c < length; c++, weights += vectors * LANES) {
    UNROLL for (int i = 0; i < lines; i++) {
      __builtin_prefetch(ahead + (c * lines + i) * LINE_FLOATS);
    }
    vec w[EE_SIMD_MAX_VECTORS];
    UNROLL for (int o = 0; o < vectors; o++) w[o] = *(const vec *)(weights + o * LANES);
    UNROLL for (int p = 0; p < pixels; p++) {
      vec x = splat(in[p * in_step + c]);
      UNROLL for (int o = 0; o < vectors; o++) sum[p * vectors + o] += w[o] * x;
    }
  }
}

ALWAYS_INLINE void begin(const ee_simd_tile *t, const int vectors, const int pixels, vec *sum) {
  UNROLL for (int p = 0; p < pixels; p++) {
    UNROLL for (int o = 0; o < vectors; o++) {
      sum[p * vectors + o] =
          load(t->go_on ? t->out + p * t->out_step + o * LANES : t->bias + o * LANES);
    }
  }
}

ALWAYS_INLINE void leave(const ee_simd_tile *t, const int vectors, const int pixels,
                         const vec *sum) {
  UNROLL for (int p = 0; p < pixels; p++) {
    UNROLL for (int o = 0; o < vectors; o++) {
      store(t->out + p * t->out_step + o * LANES, sum[p * vectors + o]);
    }
  }
}

ALWAYS_INLINE void finish(const ee_simd_tile *t, const int vectors, const int pixels,
                          const vec *sum) {
  if (t->residual == NULL) {
    UNROLL for (int p = 0; p < pixels; p++) {
      UNROLL for (int o = 0; o < vectors; o++) {
        store(t->out + p * t->out_step + o * LANES, between(sum[p * vectors + o], t->low, t->high));
      }
    }
    return;
  }
  UNROLL for (int p = 0; p < pixels; p++) {
    UNROLL for (int o = 0; o < vectors; o++) {
      vec x = sum[p * vectors + o] + load(t->residual + p * t->residual_step + o * LANES);
      store(t->out + p * t->out_step + o * LANES, between(x, t->low, t->high));
    }
  }
}

ALWAYS_INLINE void compute(const ee_simd_tile *t, const int vectors, const int pixels) {
  vec          sum[EE_SIMD_MAX_VECTORS * EE_SIMD_MAX_PIXELS];
  const float *weights = t->weights, *ahead = t->ahead;
  begin(t, vectors, pixels, sum);
  for (int64_t r = 0; r < t->rows; r++) {
    for (int64_t s = 0; s < t->runs; s++) {
      add_run(t->in + r * t->row_step + s * t->run_step, t->in_step, t->length, weights, ahead,
              vectors, pixels, sum);
      weights += t->length * vectors * LANES;
      ahead += t->length * EE_SIMD_LINES_AHEAD(vectors, pixels) * LINE_FLOATS;
    }
  }
  if (t->open) {
    leave(t, vectors, pixels, sum);
  } else {
    finish(t, vectors, pixels, sum);
  }
}

#define TILE(vectors, pixels)                                    \
  static void tile_##vectors##_##pixels(const ee_simd_tile *t) { \
    compute(t, vectors, pixels);                                 \
  }
EE_TILES(TILE)

#define ENTRY(vectors, pixels) [vectors][pixels] = tile_##vectors##_##pixels,
const ee_simd_tile_fn EE_FOR_ISA(ee_simd_tile)[EE_SIMD_MAX_VECTORS + 1][EE_SIMD_MAX_PIXELS + 1] = {
    EE_TILES(ENTRY)};
