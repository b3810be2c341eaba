/* SPDX-License-Identifier: Apache-2.0 */
#include "half.h"

#include <string.h>

#define LARGEST 0x7bffu       // 65504
#define NOT_A_NUMBER 0x7e00u  // quiet
#define FLOAT_INFINITY 0x7f800000u
#define LEAST_OVERFLOW 0x477ff000u  // 65520, halfway from 65504 to the next power of two
#define LEAST_NORMAL 0x38800000u    // 2^-14
#define SUBNORMAL_UNIT 0x33800000u  // 2^-24, the distance of subnormal halves

static float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static uint16_t half_of(float x) {
  uint32_t bits = bits_of_float(x), sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
  if (size > FLOAT_INFINITY) return (uint16_t)(sign | NOT_A_NUMBER);
  if (size >= LEAST_OVERFLOW) return (uint16_t)(sign | LARGEST);
  if (size < LEAST_NORMAL) {  // adding 2^23 units rounds to a whole number of them
    float units = float_of_bits(size) / float_of_bits(SUBNORMAL_UNIT) + 8388608.0f;
    return (uint16_t)(sign | (bits_of_float(units) & 0x7ffu));
  }
  size += 0xfffu + (size >> 13 & 1u);                               // nearest, ties to even
  return (uint16_t)(sign | ((size >> 13) - ((127u - 15u) << 10)));  // the exponent's other bias
}

static float float_of(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16, size = half & 0x7fffu;
  if (size >= 0x7c00u) return float_of_bits(sign | FLOAT_INFINITY | (size & 0x3ffu) << 13);
  if (size >= 0x400u) return float_of_bits(sign | ((size << 13) + ((127u - 15u) << 23)));
  float x = (float)size * float_of_bits(SUBNORMAL_UNIT);
  return sign != 0 ? -x : x;
}

void ee_half_from_float(const float *from, size_t n, uint16_t *to) {
  for (size_t i = 0; i < n; i++) to[i] = half_of(from[i]);
}

void ee_half_to_float(const uint16_t *from, size_t n, float *to) {
  for (size_t i = 0; i < n; i++) to[i] = float_of(from[i]);
}
