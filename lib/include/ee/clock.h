/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/**
 * @file clock.h
 * The only place that reads time.
 */

/** Nanoseconds of a clock that only goes forward; comparable between processes of one host. */
int64_t ee_clock_ns(void);

/** CPU time that this process has used so far [ns]. */
int64_t ee_clock_cpu_ns(void);

/** Seconds since 1970-01-01 UTC. */
double ee_clock_wall(void);

/** Sleep for about @p ns nanoseconds; returns early on a signal. */
void ee_clock_sleep(int64_t ns);
