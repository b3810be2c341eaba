/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <signal.h>

/**
 * @file interrupt.h
 * Ctrl-C and SIGTERM, which mpirun sends to its ranks when it is interrupted: the run ends early
 * and in order.  mpirun kills what is there a second later, so there is no time to answer more.
 */

/** From now on the first of these signals sets the flag, and the next ends the process.  SIGTERM
 *  also says which ranks have died (dead_rank.h). */
void ee_interrupt_watch(void);

/** Not 0 once it came. */
const volatile sig_atomic_t *ee_interrupt_flag(void);
