/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/**
 * @file rng.h
 * Random numbers that depend on a seed and a stream only, equal on every platform.
 *
 * A generator is a plain value that is started at (seed, stream), for example stream = sample id,
 * so that a draw does not depend on the rank, the batch or the order in which samples are met.
 * The generator is xoshiro256** (Blackman and Vigna, 2021) seeded by splitmix64.
 */
typedef struct ee_rng {
  uint64_t s[4];
} ee_rng;

/** Start a generator at (@p seed, @p stream). */
ee_rng ee_rng_at(uint64_t seed, uint64_t stream);

/** 64 random bits. */
uint64_t ee_rng_bits(ee_rng *rng);

/** Uniform in [0, 1), a multiple of 2^-53. */
double ee_rng_uniform(ee_rng *rng);

/** Uniform integer in [0, n), n >= 1, without bias. */
uint64_t ee_rng_below(ee_rng *rng, uint64_t n);
