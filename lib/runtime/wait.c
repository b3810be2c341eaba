/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting on the real clock: sleeps that grow, after each of which the device looks about. */
#include "ee/clock.h"
#include "ee/waiter.h"

void ee_waiter_wait(ee_waiter *w, int64_t now) {
  int64_t left = w->until - now;
  ee_clock_sleep(left > 0 && left < w->nap ? left : w->nap);
  w->nap = 2 * w->nap < w->longest_nap ? 2 * w->nap : w->longest_nap;
}

void ee_waiter_close(ee_waiter *waiter) {
  (void)waiter;  // has no timers
}
