/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/clock.h"
#include "ee/waiter.h"
#include "ee_test.h"

/* As on the simulated clock: wait until one of the requests is complete, which is then seen nowhere
 * else. */
static inline void wait_for_event(ee_waiter *w) {
  MPI_Request all[EE_WAITER_MOST];
  MPI_Status  status;
  int         which, done = 0;
  for (int i = 0; i < w->n; i++) all[i] = *w->request[i];
  for (;;) {  // ranks may outnumber cores, and MPI_Waitany spins
    MPI_Testany(w->n, all, &which, &done, &status);
    if (done) break;
    ee_clock_sleep(20000);
  }
  CU_ASSERT_NOT_EQUAL_FATAL(which, MPI_UNDEFINED);
  *w->request[which] = MPI_REQUEST_NULL;
  if (w->status[which] != NULL) *w->status[which] = status;
}
