/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of floats as whole numbers from -127 to 127 and a scale each. */
#include "int8.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define STEPS 127.0f
#define FLOAT_INFINITY 0x7f800000
#define NOT_A_NUMBER 0x7fc00000  // quiet
#define TO_WHOLE 12582912.0f     // 1.5 * 2^23: floats from there on are whole numbers

static size_t groups_of(size_t n, size_t group) {
  return n / group + (n % group != 0);
}

size_t ee_int8_bytes(size_t n, size_t group) {
  return groups_of(n, group) * sizeof(float) + (n + 3) / 4 * 4;
}

/* Bits without their sign order floats as they order integers, infinity and not-a-number last. */
static int32_t largest_bits(const float *x, size_t n) {
  int32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    int32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    bits &= INT32_MAX;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

static float float_of_bits(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* 0 of a group that becomes zeros. */
static float scale_of(const float *x, size_t n) {
  int32_t bits = largest_bits(x, n);
  if (bits >= FLOAT_INFINITY) return float_of_bits(NOT_A_NUMBER);
  float largest = float_of_bits(bits), scale = largest / STEPS;
  if (scale * STEPS > FLT_MAX) scale = nextafterf(scale, 0.0f);
  return largest >= STEPS * FLT_MIN ? scale : 0.0f;
}

static void write_group(const float *x, size_t n, float scale, int8_t *q) {
  if (!(scale > 0.0f)) {
    memset(q, 0, n);
    return;
  }
  for (size_t i = 0; i < n; i++) q[i] = (int8_t)(int32_t)(x[i] / scale + TO_WHOLE - TO_WHOLE);
}

void ee_int8_from_float(const float *from, size_t n, size_t group, unsigned char *to) {
  int8_t *q = (int8_t *)(to + groups_of(n, group) * sizeof(float));
  for (size_t at = 0; at < n; at += group) {
    size_t here  = n - at < group ? n - at : group;
    float  scale = scale_of(from + at, here);
    memcpy(to, &scale, sizeof scale);
    to += sizeof scale;
    write_group(from + at, here, scale, q + at);
  }
  memset(q + n, 0, (n + 3) / 4 * 4 - n);
}

void ee_int8_to_float(const unsigned char *from, size_t n, size_t group, float *to) {
  const int8_t *q = (const int8_t *)(from + groups_of(n, group) * sizeof(float));
  for (size_t at = 0; at < n; at += group) {
    size_t here = n - at < group ? n - at : group;
    float  scale;
    memcpy(&scale, from, sizeof scale);
    from += sizeof scale;
    for (size_t i = at; i < at + here; i++) to[i] = (float)q[i] * scale;
  }
}
