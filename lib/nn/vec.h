/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/**
 * @file vec.h
 * One vector of floats.  The build compiles every vec_*.c several times and says
 * with EE_ISA what for: base (the compiler's own 128-bit vectors), avx2 or avx512.
 *
 * The build also allows contraction here: acc += w * x is one fused operation wherever the
 * processor has it, in every kernel alike.
 */

#define EE_JOIN_(a, b) a##_##b
#define EE_JOIN(a, b) EE_JOIN_(a, b)
#define EE_FOR_ISA(name) EE_JOIN(name, EE_ISA)  // the name's version for this kind of vector
#define EE_TEXT_(a) #a
#define EE_TEXT(a) EE_TEXT_(a)

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

typedef float   vec __attribute__((vector_size(4 * LANES)));
typedef float   loose_vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t mask_vec __attribute__((vector_size(4 * LANES)));

ALWAYS_INLINE vec load(const float *p) {
  return *(const loose_vec *)p;
}

ALWAYS_INLINE void store(float *p, vec x) {
  *(loose_vec *)p = x;
}

/* The first n < LANES floats, zeros behind them. */
#if defined(__AVX512F__)
#include <immintrin.h>
ALWAYS_INLINE vec load_part(const float *p, int64_t n) {
  return (vec)_mm512_maskz_loadu_ps((__mmask16)((1U << n) - 1U), p);
}

ALWAYS_INLINE void store_part(float *p, vec x, int64_t n) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1U << n) - 1U), (__m512)x);
}
#else
ALWAYS_INLINE vec load_part(const float *p, int64_t n) {
  vec x = {0};
  for (int64_t i = 0; i < n; i++) x[i] = p[i];
  return x;
}

ALWAYS_INLINE void store_part(float *p, vec x, int64_t n) {
  for (int64_t i = 0; i < n; i++) p[i] = x[i];
}
#endif

ALWAYS_INLINE vec splat(float x) {
  return x - (vec){0};
}

/* Lane by lane a where `first` holds (all bits set), else b. */
ALWAYS_INLINE vec choose(mask_vec first, vec a, vec b) {
  return (vec)((first & (mask_vec)a) | (~first & (mask_vec)b));
}

/* Keeps a vector that several operations read in its register, where the compiler would rather load
 * it again for each of them. */
#if defined(__AVX512F__)
#define KEEP(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define KEEP(x) __asm__("" : "+x"(x))
#elif defined(__aarch64__)
#define KEEP(x) __asm__("" : "+w"(x))
#else
#define KEEP(x) ((void)0)
#endif

/* Where x is not below low, x, and so where it is no number. */
#if defined(__AVX512F__)
#include <immintrin.h>
ALWAYS_INLINE vec at_least(vec x, vec low) {
  return (vec)_mm512_max_ps((__m512)low, (__m512)x);
}
ALWAYS_INLINE vec at_most(vec x, vec high) {
  return (vec)_mm512_min_ps((__m512)high, (__m512)x);
}
#elif defined(__AVX2__)
#include <immintrin.h>
ALWAYS_INLINE vec at_least(vec x, vec low) {
  return (vec)_mm256_max_ps((__m256)low, (__m256)x);
}
ALWAYS_INLINE vec at_most(vec x, vec high) {
  return (vec)_mm256_min_ps((__m256)high, (__m256)x);
}
#else
ALWAYS_INLINE vec at_least(vec x, vec low) {
  return choose(x < low, low, x);
}
ALWAYS_INLINE vec at_most(vec x, vec high) {
  return choose(x > high, high, x);
}
#endif

ALWAYS_INLINE vec between(vec x, float low, float high) {
  return at_most(at_least(x, splat(low)), splat(high));
}
