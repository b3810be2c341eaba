/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>

#include "ee/status.h"

/**
 * @file simulation_end.h
 * How a simulation ended, by what SimGrid logged: what it says itself is not for people, and it
 * takes a run that hangs for one that went well.
 */

/** A line of SimGrid's log, as its option --log wants it: time, priority and text. */
#define EE_SIMULATION_LOG_LINE "%r|%p|%m%n"

/**
 * Judge by @p log, which is read from its beginning, and by what waitpid() said.
 * @param state    of the process that simulated @p devices devices
 * @param[out] code  the program's exit code, if it ended by itself
 * @return EE_OK if it did, and has said what it had to say; EE_ERR_PEER if its ranks waited for
 * each other, or if the simulator or a signal ended it
 */
ee_status ee_simulation_end(FILE *log, int devices, int state, int *code);
