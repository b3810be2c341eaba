/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/rng.h"

static uint64_t splitmix64(uint64_t *x) {
  uint64_t z = (*x += 0x9e3779b97f4a7c15u);
  z          = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z          = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

ee_rng ee_rng_at(uint64_t seed, uint64_t stream) {
  ee_rng   rng;
  uint64_t x = stream;
  x          = seed ^ splitmix64(&x);  // mixed first, so that neighbouring streams share nothing
  for (int i = 0; i < 4; i++) rng.s[i] = splitmix64(&x);
  return rng;
}

uint64_t ee_rng_bits(ee_rng *rng) {
  uint64_t *s      = rng->s;
  uint64_t  result = rotate_left(s[1] * 5, 7) * 9;
  uint64_t  t      = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left(s[3], 45);
  return result;
}

double ee_rng_uniform(ee_rng *rng) {
  return (double)(ee_rng_bits(rng) >> 11) * 0x1.0p-53;
}

uint64_t ee_rng_below(ee_rng *rng, uint64_t n) {
  uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  uint64_t x     = ee_rng_bits(rng);
  while (x >= limit) x = ee_rng_bits(rng);
  return x % n;
}
