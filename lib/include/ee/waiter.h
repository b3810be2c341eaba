/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * @file waiter.h
 * What an idle device waits for: until a message has come or gone, or until a time.
 *
 * Each part of a device names its requests and its next time anew before every wait.  How to wait
 * depends on the clock.  On the real one it is a short sleep, since a rank that spins inside MPI
 * would take a core from another.  On the simulated one the device sleeps until the event itself:
 * looking about costs an event each time, and there may be thousands of devices.  Where it must
 * look all the same, its naps grow with the time for which nothing was done: a link may hold a
 * message back for days.
 */

#define EE_WAITER_MOST 48                  // requests
#define EE_WAITER_PATIENCE (1.0 / 1024.0)  // of a wait, that a nap on the simulated clock may take

typedef struct ee_waiter {
  int          n;
  MPI_Request *request[EE_WAITER_MOST];
  MPI_Status  *status[EE_WAITER_MOST];  // where to say how it was completed; NULL: nobody asks
  int64_t      until;                   // wait no longer [ns]; INT64_MAX: no such time
  bool         looks;                   // for something that is no request: look again soon
  int64_t      nap, longest_nap;        // length of the next sleep, and the most [ns]
  int64_t      slept;                   // in naps since something was done [ns]
  bool         timed;                   // may send itself messages, on the simulated clock
  MPI_Request  timer;  // on the simulated clock; MPI_REQUEST_NULL: none is under way
  int64_t      rings;  // when it is through [ns]
} ee_waiter;

/** Naps are at most @p longest_nap [ns], or on the simulated clock EE_WAITER_PATIENCE of the time
 * for which nothing was done, if that is longer.  @p timed  this device sends itself no other
 * messages, so that on the simulated clock one can wake it; else one that goes elsewhere does
 * (clock.h). */
void ee_waiter_open(int64_t longest_nap, bool timed, ee_waiter *waiter);

/** After something was done: naps are short again. */
void ee_waiter_was_busy(ee_waiter *waiter);

/** Test a request whose status does not matter; MPI_REQUEST_NULL is done. */
bool ee_waiter_done(MPI_Request *request);

/** Forget what was named for the last wait. */
void ee_waiter_begin(ee_waiter *waiter);

/**
 * Wait for @p request, if it is under way.  Waiting may complete it: then it is MPI_REQUEST_NULL,
 * which ee_waiter_done() takes for done.
 * @param status  where to say how, for a receive whose sender or length matters; else NULL
 */
void ee_waiter_add(ee_waiter *waiter, MPI_Request *request, MPI_Status *status);

/** Wait no longer than until @p time, which is still to come [ns]. */
void ee_waiter_until(ee_waiter *waiter, int64_t time);

/** What is waited for is no request: look again after a nap. */
void ee_waiter_look_again(ee_waiter *waiter);

/** Wait.  May return early.  @p now on the clock of the times that were named [ns]. */
void ee_waiter_wait(ee_waiter *waiter, int64_t now);

/** Wait for a timer that nobody waits for any more. */
void ee_waiter_close(ee_waiter *waiter);
