/* SPDX-License-Identifier: Apache-2.0 */
/* Halves against their definition: sign, 5 bits of exponent, 10 of fraction. */
#include "half.h"

#include <float.h>
#include <math.h>

#include "ee/rng.h"
#include "ee_test.h"

/* The value of a half by the definition. */
static double by_definition(unsigned half) {
  int    exponent = (int)(half >> 10 & 31u);
  double fraction = (double)(half & 1023u) / 1024.0;
  double size     = exponent == 0 ? ldexp(fraction, -14) : ldexp(1.0 + fraction, exponent - 15);
  return half & 0x8000u ? -size : size;
}

static uint16_t half_of_float(float x) {
  uint16_t half;
  ee_half_from_float(&x, 1, &half);
  return half;
}

static void every_finite_half_has_its_float_and_comes_back(void) {
  for (unsigned h = 0; h < 65536; h++) {
    uint16_t half = (uint16_t)h;
    float    x;
    if ((h & 0x7c00u) == 0x7c00u) continue;
    ee_half_to_float(&half, 1, &x);
    CU_ASSERT_EQUAL_FATAL((double)x, by_definition(h));
    CU_ASSERT_EQUAL_FATAL(half_of_float(x), half);
  }
}

/* Midpoints, their neighbours, and floats between: no other finite half is nearer, and of two
 * equally near ones the even one is taken. */
static void every_float_has_the_nearest_half(void) {
  ee_rng rng = ee_rng_at(4, 4);
  for (unsigned h = 0; h + 1 < 0x7c00u; h++) {
    double below = by_definition(h), above = by_definition(h + 1), middle = (below + above) / 2;
    float  drawn = (float)(below + (above - below) * ee_rng_uniform(&rng));
    float x[] = {(float)middle, nextafterf((float)middle, 0.0f), nextafterf((float)middle, FLT_MAX),
                 drawn};
    for (int i = 0; i < 4; i++) {
      double down = (double)x[i] - below, up = above - (double)x[i];
      if (down < 0.0 || up < 0.0) continue;
      unsigned nearest = down < up ? h : up < down ? h + 1 : h + h % 2;
      CU_ASSERT_EQUAL_FATAL(half_of_float(x[i]), nearest);
      CU_ASSERT_EQUAL_FATAL(half_of_float(-x[i]), nearest | 0x8000u);
    }
  }
}

static void what_is_too_large_becomes_the_largest(void) {
  CU_ASSERT_EQUAL(half_of_float(65519.0f), 0x7bff);
  CU_ASSERT_EQUAL(half_of_float(65520.0f), 0x7bff);
  CU_ASSERT_EQUAL(half_of_float(FLT_MAX), 0x7bff);
  CU_ASSERT_EQUAL(half_of_float(-INFINITY), 0xfbff);
  float    x;
  uint16_t half = half_of_float(NAN);
  ee_half_to_float(&half, 1, &x);
  CU_ASSERT_TRUE(isnan(x));
  half = 0x7c00;
  ee_half_to_float(&half, 1, &x);
  CU_ASSERT_TRUE(isinf(x));
  CU_ASSERT_EQUAL(half_of_float(FLT_MIN), 0);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_finite_half_has_its_float_and_comes_back),
    EE_FACT(every_float_has_the_nearest_half),
    EE_FACT(what_is_too_large_becomes_the_largest),
    {NULL, NULL},
};
