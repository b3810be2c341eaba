/* SPDX-License-Identifier: Apache-2.0 */
/* Naming what an idle device waits for; how it waits is the clock's: wait.c. */
#include "ee/waiter.h"

#include "ee/agree.h"

#define NAP_GROWTH 20  // the longest over the shortest

void ee_waiter_open(int64_t longest_nap, bool timed, ee_waiter *waiter) {
  *waiter = (ee_waiter){
      .until = INT64_MAX, .longest_nap = longest_nap, .timed = timed, .timer = MPI_REQUEST_NULL};
  ee_waiter_was_busy(waiter);
}

void ee_waiter_was_busy(ee_waiter *waiter) {
  waiter->nap   = waiter->longest_nap / NAP_GROWTH;
  waiter->slept = 0;
}

bool ee_waiter_done(MPI_Request *request) {
  int done = 1;  // not every MPI says so of MPI_REQUEST_NULL
  if (*request != MPI_REQUEST_NULL) EE_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
  return done;
}

void ee_waiter_begin(ee_waiter *waiter) {
  waiter->n     = 0;
  waiter->until = INT64_MAX;
  waiter->looks = false;
}

void ee_waiter_add(ee_waiter *waiter, MPI_Request *request, MPI_Status *status) {
  if (*request == MPI_REQUEST_NULL) return;
  if (waiter->n == EE_WAITER_MOST) {
    waiter->looks = true;
    return;
  }
  waiter->request[waiter->n]  = request;
  waiter->status[waiter->n++] = status;
}

void ee_waiter_until(ee_waiter *waiter, int64_t time) {
  if (time < waiter->until) waiter->until = time;
}

void ee_waiter_look_again(ee_waiter *waiter) {
  waiter->looks = true;
}
