/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>
#include <stddef.h>

#include "ee/cpu.h"
#include "ee/status.h"

/**
 * @file peak.h
 * What this core can do at most, measured: multiply-adds in registers, and reading from each level
 * of memory.  The best of many short measurements, for other work on the machine only slows down.
 */

/** Operations per second in float32 with vectors of @p level [FLOP/s]; takes about 0.1 s. */
double ee_peak_flops(ee_cpu_level level);

/** The same of products of 8 bits, by the instruction that the backend `int8` takes with vectors of
 *  @p level [operations/s]. */
double ee_peak_int8(ee_cpu_level level);

#define EE_PEAK_SIZES 24  // at most, of memory that is read
#define EE_PEAK_CACHES 3  // first to third level

typedef struct ee_read_rate {
  size_t bytes;  // read over and over [byte]
  double rate;   // [byte/s]
} ee_read_rate;

/** Limits of one core. */
typedef struct ee_limits {
  ee_cpu_level level;
  double       flops;     // in float32 [FLOP/s]
  double       int8_ops;  // in 8 bits [operations/s]
  int          n;
  ee_read_rate read[EE_PEAK_SIZES];    // by size, each twice the one before
  size_t       cache[EE_PEAK_CACHES];  // sizes as the system tells them; 0: it does not [byte]
} ee_limits;

/** Measure; takes about half a second.  EE_OK; EE_ERR_NOMEM. */
ee_status ee_peak_limits(ee_cpu_level level, ee_limits *limits);

/** Rate of what fits into cache @p i with room to spare, or of memory if @p i is EE_PEAK_CACHES; 0
 *  if it is not known [byte/s]. */
double ee_limits_rate(const ee_limits *limits, int i);

/** Rate of reading as many bytes over and over: that of the next larger size measured [byte/s]. */
double ee_limits_rate_of(const ee_limits *limits, size_t bytes);

void ee_limits_print(const ee_limits *limits);

/** Add to the JSON object @p to. */
void ee_limits_add(const ee_limits *limits, cJSON *to);
