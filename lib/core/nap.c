/* SPDX-License-Identifier: Apache-2.0 */
/* Naps of who looks again and again for what it cannot wait for. */
#include "ee/clock.h"

#define GROWTH 16  // a nap is longer than the one before by this part

void ee_clock_nap(int64_t *nap, int64_t longest) {
  int64_t next = *nap + *nap / GROWTH;
  ee_clock_sleep(*nap);
  *nap = next < longest || ee_clock_is_simulated() ? next : longest;
}
