/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated clock: SimGrid's, which goes on only where somebody sleeps or a message travels. */
#include "ee/clock.h"

#include <math.h>
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <time.h>

int64_t ee_clock_ns(void) {
  return (int64_t)(simgrid_get_clock() * 1e9 + 0.5);
}

/* Computing is not simulated, so it takes no time. */
int64_t ee_clock_cpu_ns(void) {
  return 0;
}

double ee_clock_effort(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double ee_clock_wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool ee_clock_is_simulated(void) {
  return true;
}

/* At least for as long as the simulator's clock, seconds in a double, can tell: after months that
 * is more than a nanosecond, and a device would wait for the next one for ever. */
void ee_clock_sleep(int64_t ns) {
  double now = simgrid_get_clock(), least = 2.0 * (nextafter(now, INFINITY) - now);
  if (ns > 0) sg_actor_sleep_for(fmax((double)ns * 1e-9, least));
}
