/* SPDX-License-Identifier: Apache-2.0 */
/* One loop for each vector level, written once and compiled for each; in a file of its own, so that
 * no compiler sees who calls them and does once what is wanted many times. */
#include "peak_kernels.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define SUMS 12  // independent ones: two units of a latency of up to six, and 16 registers

/* x = x / 2 + 1 / 2 from any x goes to 1, and never near numbers that are slow. */
#define DEFINE_MULTIPLY_ADD(name, target, type, spread, multiply_add)            \
  target static double name(int64_t steps, float *result) {                      \
    type x[SUMS], half = spread(0.5F);                                           \
    for (int i = 0; i < SUMS; i++) x[i] = spread((float)i);                      \
    for (int64_t s = 0; s < steps; s++) {                                        \
      for (int i = 0; i < SUMS; i++) x[i] = multiply_add(x[i], half, half);      \
    }                                                                            \
    for (int i = 1; i < SUMS; i++) x[0] = multiply_add(x[i], half, x[0] * half); \
    *result = x[0][0];                                                           \
    return 2.0 * SUMS * (double)(sizeof(type) / sizeof(float)) * (double)steps;  \
  }

typedef float floats16 __attribute__((vector_size(16)));

static inline floats16 spread16(float x) {
  return (floats16){x, x, x, x};
}

#if defined(__aarch64__)
static inline floats16 multiply_add16(floats16 x, floats16 y, floats16 z) {
  return (floats16)vfmaq_f32((float32x4_t)z, (float32x4_t)x, (float32x4_t)y);
}
#else
static inline floats16 multiply_add16(floats16 x, floats16 y, floats16 z) {
  return x * y + z;
}
#endif

DEFINE_MULTIPLY_ADD(multiply_add_base, , floats16, spread16, multiply_add16)

#define LANES 8  // vectors in hand; EE_PEAK_READ_STEP bytes of the widest

#define DEFINE_READ(name, target, bytes_of_vector)                                   \
  target static uint64_t name(const void *memory, size_t bytes) {                    \
    typedef uint64_t words __attribute__((vector_size(bytes_of_vector)));            \
    const words     *x = memory, *end = x + bytes / sizeof *x;                       \
    words            seen[LANES] = {{0}};                                            \
    uint64_t         all         = 0;                                                \
    for (; x < end; x += LANES) {                                                    \
      for (int i = 0; i < LANES; i++) seen[i] |= x[i];                               \
    }                                                                                \
    for (int i = 1; i < LANES; i++) seen[0] |= seen[i];                              \
    for (size_t i = 0; i < sizeof(words) / sizeof(uint64_t); i++) all |= seen[0][i]; \
    return all;                                                                      \
  }

DEFINE_READ(read_base, , 16)

#if defined(__x86_64__) || defined(__i386__)
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
DEFINE_MULTIPLY_ADD(multiply_add_avx2, AVX2, __m256, _mm256_set1_ps, _mm256_fmadd_ps)
DEFINE_MULTIPLY_ADD(multiply_add_avx512, AVX512, __m512, _mm512_set1_ps, _mm512_fmadd_ps)
DEFINE_READ(read_avx2, AVX2, 32)
DEFINE_READ(read_avx512, AVX512, 64)
#else
#define multiply_add_avx2 multiply_add_base
#define multiply_add_avx512 multiply_add_base
#define read_avx2 read_base
#define read_avx512 read_base
#endif

double ee_peak_multiply_add(ee_cpu_level level, int64_t steps, float *result) {
  static double (*const of_level[])(int64_t, float *) = {[EE_CPU_BASE]   = multiply_add_base,
                                                         [EE_CPU_AVX2]   = multiply_add_avx2,
                                                         [EE_CPU_AVX512] = multiply_add_avx512};
  return of_level[level](steps, result);
}

uint64_t ee_peak_read(ee_cpu_level level, const void *memory, size_t bytes) {
  static uint64_t (*const of_level[])(const void *, size_t) = {
      [EE_CPU_BASE] = read_base, [EE_CPU_AVX2] = read_avx2, [EE_CPU_AVX512] = read_avx512};
  return of_level[level](memory, bytes);
}
