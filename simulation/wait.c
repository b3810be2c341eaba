/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting on the simulated clock: for the event itself.  MPI cannot wait for a time, so a device
 * that must also wake at one sends a message to itself, whose way takes until then. */

#include "ee/agree.h"
#include "ee/clock.h"
#include "ee/waiter.h"

#define RATE EE_SIMULATED_SELF_RATE
#define ENVELOPE 16        // what the simulator adds to a message [byte]
#define LONGEST 16384      // of a timer's message; a later time takes several [byte]
#define SECOND 1000000000  // [ns]

static unsigned char told[LONGEST], heard[LONGEST];  // of this device alone: nobody reads them

/* A message to this device that comes by the time in @p left ns, and not long before.  None if that
 * is sooner than the shortest one. */
static bool start_timer(ee_waiter *w, int64_t now, int64_t left) {
  int64_t bytes = left < (int64_t)LONGEST * (SECOND / RATE) ? left / (SECOND / RATE) : LONGEST;
  if (bytes <= ENVELOPE) return false;
  EE_MPI(MPI_Irecv(heard, LONGEST, MPI_BYTE, 0, 0, MPI_COMM_SELF, &w->timer));
  // Leaves at once, being short.
  EE_MPI(MPI_Send(told, (int)bytes - ENVELOPE, MPI_BYTE, 0, 0, MPI_COMM_SELF));
  w->rings = now + bytes * (SECOND / RATE);
  return true;
}

/* Whether a timer rings by the time that counts.  There is one at most: where messages on a link
 * follow each other, a second would ring too late. */
static bool will_ring(ee_waiter *w, int64_t now) {
  if (w->timer != MPI_REQUEST_NULL) return w->rings <= w->until;
  return start_timer(w, now, w->until - now);
}

static void wait_for_any(ee_waiter *w) {
  MPI_Request all[EE_WAITER_MOST + 1];
  MPI_Status  status;
  int         n = w->n, which;
  for (int i = 0; i < n; i++) all[i] = *w->request[i];
  all[n] = w->timer;
  EE_MPI(MPI_Waitany(n + 1, all, &which, &status));
  if (which == MPI_UNDEFINED) return;
  if (which == n) {
    w->timer = MPI_REQUEST_NULL;
    return;
  }
  *w->request[which] = MPI_REQUEST_NULL;
  if (w->status[which] != NULL) *w->status[which] = status;
}

void ee_waiter_wait(ee_waiter *w, int64_t now) {
  int64_t left  = w->until - now;
  bool    event = w->n > 0 && !w->looks && left > 0;
  if (event && (w->until == INT64_MAX || (w->timed && will_ring(w, now)))) {
    wait_for_any(w);
    return;
  }
  // Else all is by looking, or the time is so near that no timer fits in between.
  ee_clock_sleep(left > 0 && left < w->nap ? left : w->nap);
  w->nap = 2 * w->nap < w->longest_nap ? 2 * w->nap : w->longest_nap;
}

void ee_waiter_close(ee_waiter *waiter) {
  EE_MPI(MPI_Wait(&waiter->timer, MPI_STATUS_IGNORE));
}
