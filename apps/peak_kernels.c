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

/* Each step adds one to the first number of every word, by a product with it or a sum.  The sums
 * begin apart, so that no compiler sees one in all of them. */
#define DEFINE_DOT_PRODUCT(name, target, bytes_of_vector, group, count)    \
  target static double name(int64_t steps, float *result) {                \
    typedef int32_t words __attribute__((vector_size(bytes_of_vector)));   \
    words           x[SUMS], one = (words){0} + 1;                         \
    for (int i = 0; i < SUMS; i++) x[i] = (words){0} + i;                  \
    for (int64_t s = 0; s < steps; s++) {                                  \
      for (int i = 0; i < SUMS; i++) x[i] = (words)count(x[i], one);       \
    }                                                                      \
    for (int i = 1; i < SUMS; i++) x[0] += x[i];                           \
    *result = (float)((x[0][0] - SUMS * (SUMS - 1) / 2) / SUMS);           \
    return 2.0 * SUMS * (group) * (bytes_of_vector) / 4.0 * (double)steps; \
  }

#if defined(__SSE2__)
#define COUNT_BASE(x, one) (words) _mm_madd_epi16((__m128i)(x), (__m128i)(one)) + (one)
#else
typedef int32_t words16 __attribute__((vector_size(16)));

static inline words16 count_base(words16 x, words16 one) {
  typedef int16_t pairs __attribute__((vector_size(16)));
  pairs           a = (pairs)x, b = (pairs)one;
  for (int i = 0; i < 4; i++) one[i] += a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return one;
}
#define COUNT_BASE(x, one) count_base(x, one)
#endif

DEFINE_DOT_PRODUCT(dot_product_base, , 16, 2, COUNT_BASE)

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

#define AVXVNNI __attribute__((target("avx2,avxvnni")))
#define AVX512VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define COUNT_AVX2(x, one) (words) _mm256_madd_epi16((__m256i)(x), (__m256i)(one)) + (one)
#define COUNT_AVX512(x, one) (words) _mm512_madd_epi16((__m512i)(x), (__m512i)(one)) + (one)
#define COUNT_AVXVNNI(x, one) _mm256_dpbusd_avx_epi32((__m256i)(x), (__m256i)(one), (__m256i)(one))
#define COUNT_AVX512VNNI(x, one) _mm512_dpbusd_epi32((__m512i)(x), (__m512i)(one), (__m512i)(one))
DEFINE_DOT_PRODUCT(dot_product_avx2, AVX2, 32, 2, COUNT_AVX2)
DEFINE_DOT_PRODUCT(dot_product_avx512, AVX512, 64, 2, COUNT_AVX512)
DEFINE_DOT_PRODUCT(dot_product_avxvnni, AVXVNNI, 32, 4, COUNT_AVXVNNI)
DEFINE_DOT_PRODUCT(dot_product_avx512vnni, AVX512VNNI, 64, 4, COUNT_AVX512VNNI)

DEFINE_READ(read_avx2, AVX2, 32)
DEFINE_READ(read_avx512, AVX512, 64)
#else
#define multiply_add_avx2 multiply_add_base
#define multiply_add_avx512 multiply_add_base
#define dot_product_avx2 dot_product_base
#define dot_product_avx512 dot_product_base
#define dot_product_avxvnni dot_product_base
#define dot_product_avx512vnni dot_product_base
#define read_avx2 read_base
#define read_avx512 read_base
#endif

ee_peak_loop ee_peak_multiply_add(ee_cpu_level level) {
  static const ee_peak_loop of_level[] = {[EE_CPU_BASE]   = multiply_add_base,
                                          [EE_CPU_AVX2]   = multiply_add_avx2,
                                          [EE_CPU_AVX512] = multiply_add_avx512};
  return of_level[level];
}

ee_peak_loop ee_peak_dot_product(ee_cpu_level level, bool vnni) {
  static const ee_peak_loop of_level[][2] = {
      [EE_CPU_BASE]   = {dot_product_base, dot_product_base},
      [EE_CPU_AVX2]   = {dot_product_avx2, dot_product_avxvnni},
      [EE_CPU_AVX512] = {dot_product_avx512, dot_product_avx512vnni}};
  return of_level[level][vnni];
}

uint64_t ee_peak_read(ee_cpu_level level, const void *memory, size_t bytes) {
  static uint64_t (*const of_level[])(const void *, size_t) = {
      [EE_CPU_BASE] = read_base, [EE_CPU_AVX2] = read_avx2, [EE_CPU_AVX512] = read_avx512};
  return of_level[level](memory, bytes);
}
