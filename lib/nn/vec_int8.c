/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of 8-bit products, some vectors of output channels times some pixels, whose sums stay in
 * registers; and the way of floats into 8 bits.  Compiled without contraction: the bits are those
 * of single operations, on every processor. */
#include "int8_kernels.h"
#include "vec.h"
#include "vec_tile.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef int32_t loose_ivec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* Numbers in a word, and the sums in registers that leave room for weights and inputs. */
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define GROUP 4
typedef uint8_t number;
#else
#define GROUP 2
typedef int16_t number;
#endif

// clang-format off
#if LANES == 16
#define MAX_PIXELS {0, 14, 14, 9, 6}
#elif GROUP == 4
#define MAX_PIXELS {0, 6, 6, 4, 2}
#else
#define MAX_PIXELS {0, 6, 6, 3, 2}
#endif
// clang-format on

/* sum + the products of the numbers in the words of x and w. */
ALWAYS_INLINE ivec multiply_add(ivec sum, ivec x, ivec w) {
#if defined(__AVX512VNNI__)
  return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
#elif defined(__AVXVNNI__)
  return (ivec)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x, (__m256i)w);
#elif defined(__AVX512BW__)
  return sum + (ivec)_mm512_madd_epi16((__m512i)x, (__m512i)w);
#elif defined(__AVX2__)
  return sum + (ivec)_mm256_madd_epi16((__m256i)x, (__m256i)w);
#elif defined(__SSE2__)
  return sum + (ivec)_mm_madd_epi16((__m128i)x, (__m128i)w);
#else
  typedef int16_t pairs __attribute__((vector_size(4 * LANES)));
  pairs           a = (pairs)x, b = (pairs)w;
  for (int i = 0; i < LANES; i++) sum[i] += a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return sum;
#endif
}

ALWAYS_INLINE ivec splat_word(const char *p) {
  int32_t word;
  memcpy(&word, p, sizeof word);
  return word - (ivec){0};
}

/* The sum over one piece of a window's row. */
ALWAYS_INLINE void add_words(const char *restrict in, int64_t in_step, int64_t words,
                             const char *restrict weights, const int vectors, const int pixels,
                             ivec *sum) {
  for (int64_t k = 0; k < words; k++, weights += vectors * (int)sizeof(ivec)) {
    ivec w[EE_SIMD_MAX_VECTORS];
    UNROLL for (int o = 0; o < vectors; o++) w[o] = ((const ivec *)(const void *)weights)[o];
    UNROLL for (int p = 0; p < pixels; p++) {
      ivec x = splat_word(in + p * in_step + 4 * k);
      UNROLL for (int o = 0; o < vectors; o++) {
        sum[p * vectors + o] = multiply_add(sum[p * vectors + o], x, w[o]);
      }
    }
  }
}

ALWAYS_INLINE void finish_whole(const ee_int8_tile *t, const int vectors, const int pixels,
                                const ivec *sum) {
  UNROLL for (int o = 0; o < vectors; o++) {
    vec factor = load(t->factor + o * LANES), bias = load(t->bias + o * LANES);
    UNROLL for (int p = 0; p < pixels; p++) {
      vec y = __builtin_convertvector(sum[p * vectors + o], vec) * factor + bias;
      if (t->residual != NULL) y += load(t->residual + p * t->residual_step + o * LANES);
      store(t->out + p * t->out_step + o * LANES, between(y, t->low, t->high));
    }
  }
}

/* The same where the last vector reaches beyond the outputs. */
static __attribute__((noinline)) void finish_part(const ee_int8_tile *t, int width, int pixels,
                                                  const int32_t *sum) {
  for (int p = 0; p < pixels; p++) {
    for (int64_t o = 0; o < t->outputs; o++) {
      float y = (float)sum[p * width + o] * t->factor[o] + t->bias[o];
      if (t->residual != NULL) y += t->residual[p * t->residual_step + o];
      y                           = y < t->low ? t->low : y;
      t->out[p * t->out_step + o] = y > t->high ? t->high : y;
    }
  }
}

ALWAYS_INLINE void compute(const ee_int8_tile *t, const int vectors, const int pixels) {
  ivec        sum[EE_SIMD_MAX_VECTORS * EE_SIMD_MAX_PIXELS];
  const char *weights = t->weights;
  UNROLL for (int p = 0; p < pixels; p++) {
    UNROLL for (int o = 0; o < vectors; o++) {
      sum[p * vectors + o] = *(const loose_ivec *)(t->begin + o * LANES);
    }
  }
  for (int64_t r = 0; r < t->rows; r++) {
    for (int64_t s = 0; s < t->runs; s++) {
      add_words(t->in + r * t->row_step + s * t->run_step, t->in_step, t->words, weights, vectors,
                pixels, sum);
      weights += t->words * vectors * (int64_t)sizeof(ivec);
    }
  }
  if (t->outputs == vectors * LANES) {
    finish_whole(t, vectors, pixels, sum);
  } else {
    int32_t part[EE_SIMD_MAX_VECTORS * EE_SIMD_MAX_PIXELS * LANES];
    UNROLL for (int i = 0; i < vectors * pixels; i++) * (loose_ivec *)(part + i * LANES) = sum[i];
    finish_part(t, vectors * LANES, pixels, part);
  }
}

#define TILE(vectors, pixels)                                    \
  static void tile_##vectors##_##pixels(const ee_int8_tile *t) { \
    compute(t, vectors, pixels);                                 \
  }
EE_TILES(TILE)

#define ENTRY(vectors, pixels) [vectors][pixels] = tile_##vectors##_##pixels,
static const ee_int8_tile_fn tiles[EE_SIMD_MAX_VECTORS + 1][EE_SIMD_MAX_PIXELS + 1] = {
    EE_TILES(ENTRY)};

/* Adding this leaves a small number, rounded, in the lowest bits. */
#define MAGIC 12582912.0F  // 1.5 2^23
#define MAGIC_BITS 0x4B400000

typedef number narrow __attribute__((vector_size(sizeof(number) * LANES)));
typedef number loose_narrow
    __attribute__((vector_size(sizeof(number) * LANES), aligned(sizeof(number)), may_alias));

/* a where it is above b; b also where a is no number. */
ALWAYS_INLINE vec above(vec a, vec b) {
  return choose(a > b, a, b);
}

static int quantise_one(float x, float inverse, int zero) {
  float low = (float)-zero, high = (float)(255 - zero), y = x * inverse;
  y = y > low ? y : low;
  y = y < high ? y : high;
  return (int)(y + MAGIC - MAGIC) + zero;
}

static void quantise(const float *x, int64_t n, float inverse, int zero, void *to) {
  number *q   = to;
  vec     low = splat((float)-zero), high = splat((float)(255 - zero));
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    vec y = above(load(x + i) * inverse, low);
    y     = at_most(y, high);
    *(loose_narrow *)(q + i) =
        __builtin_convertvector((ivec)(y + MAGIC) - MAGIC_BITS + zero, narrow);
  }
  for (; i < n; i++) q[i] = (number)quantise_one(x[i], inverse, zero);
}

const ee_int8_kernels EE_FOR_ISA(ee_int8_kernels) = {.name       = EE_TEXT(EE_ISA),
                                                     .lanes      = LANES,
                                                     .group      = GROUP,
                                                     .max_pixels = MAX_PIXELS,
                                                     .tile       = tiles,
                                                     .quantise   = quantise};
