/* SPDX-License-Identifier: Apache-2.0 */
#include "peak.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ee/clock.h"
#include "peak_kernels.h"

#define STEPS 20000  // multiply-adds for 50 us or so, at most EE_PEAK_MOST_STEPS
#define BURSTS 2000
#define SMALLEST ((size_t)16 << 10)  // read [byte]
#define LARGEST ((size_t)256 << 20)
#define AT_LEAST ((size_t)16 << 20)  // bytes read in one measurement
#define READS 7

/* What kernels found goes here, so that no compiler leaves them out. */
static volatile uint64_t found;

static double best_of(ee_peak_loop loop) {
  double best = 0.0;
  for (int i = 0; i < BURSTS; i++) {
    float   result;
    int64_t begin   = ee_clock_ns();
    double  done    = loop(STEPS, &result);
    double  seconds = (double)(ee_clock_ns() - begin) * 1e-9;
    found |= (uint64_t)result;
    if (seconds > 0.0 && done / seconds > best) best = done / seconds;
  }
  return best;
}

double ee_peak_flops(ee_cpu_level level) {
  return best_of(ee_peak_multiply_add(level));
}

double ee_peak_int8(ee_cpu_level level) {
  return best_of(ee_peak_dot_product(level, ee_cpu_has_vnni(level)));
}

static double read_rate(ee_cpu_level level, const void *memory, size_t bytes) {
  size_t times = (AT_LEAST + bytes - 1) / bytes;
  double best  = 0.0;
  for (int i = 0; i < READS; i++) {
    int64_t begin = ee_clock_ns();
    for (size_t k = 0; k < times; k++) found |= ee_peak_read(level, memory, bytes);
    double seconds = (double)(ee_clock_ns() - begin) * 1e-9;
    double rate    = seconds > 0.0 ? (double)(times * bytes) / seconds : 0.0;
    if (rate > best) best = rate;
  }
  return best;
}

/* POSIX has no name for the sizes of caches; where the C library has none either they stay 0. */
static void ask_caches(size_t cache[EE_PEAK_CACHES]) {
  memset(cache, 0, EE_PEAK_CACHES * sizeof *cache);
#ifdef _SC_LEVEL1_DCACHE_SIZE
  const int name[EE_PEAK_CACHES] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE,
                                    _SC_LEVEL3_CACHE_SIZE};
  for (int i = 0; i < EE_PEAK_CACHES; i++) {
    long bytes = sysconf(name[i]);
    if (bytes > 0) cache[i] = (size_t)bytes;
  }
#endif
}

ee_status ee_peak_limits(ee_cpu_level level, ee_limits *limits) {
  *limits =
      (ee_limits){.level = level, .flops = ee_peak_flops(level), .int8_ops = ee_peak_int8(level)};
  ask_caches(limits->cache);
  void *memory = aligned_alloc(64, LARGEST);
  if (memory == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu bytes to be read", LARGEST);
  memset(memory, 1, LARGEST);
  for (size_t bytes = SMALLEST; bytes <= LARGEST; bytes *= 2) {
    limits->read[limits->n++] = (ee_read_rate){bytes, read_rate(level, memory, bytes)};
  }
  free(memory);
  return EE_OK;
}

/* Bytes that fit into cache @p i.  Of a last level that is shared, as a virtual machine tells it
 * for all of its host, a small part only is sure to be this core's. */
static size_t room_of(const ee_limits *limits, int i) {
  size_t room = limits->cache[i] / 4 * 3;
  if (i == 0 || limits->cache[i - 1] == 0) return room;
  size_t sure = 4 * limits->cache[i - 1];
  return i == EE_PEAK_CACHES - 1 && sure < room ? sure : room;
}

double ee_limits_rate(const ee_limits *limits, int i) {
  double rate = 0.0;
  if (i == EE_PEAK_CACHES) return limits->n > 0 ? limits->read[limits->n - 1].rate : 0.0;
  for (int k = 0; k < limits->n; k++) {
    if (limits->read[k].bytes <= room_of(limits, i)) rate = limits->read[k].rate;
  }
  return rate;
}

double ee_limits_rate_of(const ee_limits *limits, size_t bytes) {
  int k = 0;
  while (k + 1 < limits->n && limits->read[k].bytes < bytes) k++;
  return limits->read[k].rate;
}
