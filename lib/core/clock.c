/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t ee_clock_ns(void) {
  return read_ns(CLOCK_MONOTONIC);
}

int64_t ee_clock_cpu_ns(void) {
  return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

double ee_clock_effort(void) {
  return (double)read_ns(CLOCK_THREAD_CPUTIME_ID) * 1e-9;
}

double ee_clock_wall(void) {
  return (double)read_ns(CLOCK_REALTIME) * 1e-9;
}

bool ee_clock_is_simulated(void) {
  return false;
}

void ee_clock_sleep(int64_t ns) {
  if (ns <= 0) return;
  struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
  nanosleep(&t, NULL);
}
