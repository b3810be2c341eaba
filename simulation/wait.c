/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting on the simulated clock: for the event itself.  MPI cannot wait for a time, so a device
 * that must also wake at one sends a message to itself, whose way takes until then.  It sends it
 * from where such messages are slow: its own host, or one of its hosts for timers, where none of
 * its other messages are in the way. */
#include <simgrid/actor.h>
#include <simgrid/host.h>
#include <stdio.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "ee/waiter.h"

#define ENVELOPE 16        // what the simulator adds to a message [byte]
#define LONGEST 16384      // of a timer's message; a later time takes several [byte]
#define SECOND 1000000000  // [ns]

static unsigned char told[LONGEST], heard[LONGEST];  // of this device alone: nobody reads them

/* This device's host for such timers, or NULL. */
static sg_host_t timer_host(const char *kind) {
  char name[64];
  snprintf(name, sizeof name, "%s-%s", sg_host_self_get_name(), kind);
  return sg_host_by_name(name);
}

/* A message to this device, from @p host to itself, that comes by the time in @p left ns, and not
 * long before.  None if that is sooner than the shortest one, or there is no such host. */
static bool start_timer(ee_waiter *w, sg_host_t host, int64_t ns_of_byte, int64_t now,
                        int64_t left) {
  int64_t bytes = left / ns_of_byte < LONGEST ? left / ns_of_byte : LONGEST;
  if (host == NULL || bytes <= ENVELOPE) return false;
  sg_host_t home = sg_host_self();
  if (host != home) sg_actor_set_host(sg_actor_self(), host);
  EE_MPI(MPI_Irecv(heard, LONGEST, MPI_BYTE, 0, 0, MPI_COMM_SELF, &w->timer));
  // Leaves at once, being short.
  EE_MPI(MPI_Send(told, (int)bytes - ENVELOPE, MPI_BYTE, 0, 0, MPI_COMM_SELF));
  if (host != home) sg_actor_set_host(sg_actor_self(), home);
  w->rings = now + bytes * ns_of_byte;
  return true;
}

/* Whether a timer rings by the time that counts.  There is one at most: where messages on a link
 * follow each other, a second would ring too late. */
static bool will_ring(ee_waiter *w, int64_t now) {
  if (w->timer != MPI_REQUEST_NULL) return w->rings <= w->until;
  int64_t left = w->until - now;
  if (start_timer(w, timer_host("late"), SECOND / EE_SIMULATED_LATE_RATE, now, left)) return true;
  return start_timer(w, w->timed ? sg_host_self() : timer_host("soon"),
                     SECOND / EE_SIMULATED_SELF_RATE, now, left);
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

/* Sleep for a nap, or less if only @p left ns are left. */
static void take_nap(ee_waiter *w, int64_t left) {
  int64_t nap     = left > 0 && left < w->nap ? left : w->nap;
  int64_t patient = (int64_t)((double)w->slept * EE_WAITER_PATIENCE);
  int64_t longest = patient > w->longest_nap ? patient : w->longest_nap;
  ee_clock_sleep(nap);
  w->slept += nap;
  w->nap = 2 * w->nap < longest ? 2 * w->nap : longest;
}

void ee_waiter_wait(ee_waiter *w, int64_t now) {
  int64_t left  = w->until - now;
  bool    event = w->n > 0 && !w->looks && left > 0;
  if (event && (w->until == INT64_MAX || will_ring(w, now))) {
    wait_for_any(w);
    return;
  }
  // Else all is by looking, or the time is so near that no timer fits in between.
  take_nap(w, left);
}

void ee_waiter_close(ee_waiter *waiter) {
  EE_MPI(MPI_Wait(&waiter->timer, MPI_STATUS_IGNORE));
}
