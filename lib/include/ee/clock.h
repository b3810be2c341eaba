/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/**
 * @file clock.h
 * The only place that reads time.
 */

/** Nanoseconds of a clock that only goes forward; comparable between processes of one host. */
int64_t ee_clock_ns(void);

/** CPU time that this process has used so far [ns]. */
int64_t ee_clock_cpu_ns(void);

/** CPU time that the calling thread has used so far on this host, also on the simulated clock [s].
 */
double ee_clock_effort(void);

/** Seconds since 1970-01-01 UTC. */
double ee_clock_wall(void);

/** Whether this is the simulated clock, on which only sleeping and messages take time.  It is one
 *  clock for all devices, and links are the simulated platform's. */
bool ee_clock_is_simulated(void);

/** When a run begins on the simulated clock [ns]: after everything that sets it up, so that changes
 *  of the platform can be given in advance. */
#define EE_SIMULATION_BEGINS ((int64_t)10000 * 1000000000)

/** How fast messages of a device to itself are on the simulated clock [byte/s], but for rank 0's,
 * which sends itself samples and answers: so slow that they can serve as timers.  For rank 0 such
 * messages go from a host for timers, "d0-soon", to itself; and every device d has a second one,
 * "d<d>-late", for times that are far away. */
#define EE_SIMULATED_SELF_RATE 100000
#define EE_SIMULATED_LATE_RATE 10

/** Sleep for about @p ns nanoseconds; returns early on a signal. */
void ee_clock_sleep(int64_t ns);

/** Sleep for *nap, >= 16, and make the next one a sixteenth longer, up to @p longest [ns].  On the
 *  simulated clock, where a link may hold back for days what is looked for, there is no longest. */
void ee_clock_nap(int64_t *nap, int64_t longest);
