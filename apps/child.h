/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/status.h"

/** @file child.h  Running another program, and staying to tell how it ended. */

/**
 * Run @p args[0] (searched for in PATH if it has no slash) with @p args, ended by NULL, and wait
 * for its end, in a process group of its own and with nothing to read.  Signals that ask to end,
 * stop or go on are passed on to it, once also if they come to this process and to its group; only
 * the program ends by them.  If this process is killed the program gets SIGTERM, where the system
 * can do so.  A program that cannot be started says so on stderr, and ends with code 1.
 * @param[out] state  as waitpid() tells it
 * @return EE_OK; EE_ERR_FILE if there can be no process
 */
ee_status ee_child_run(char *const *args, int *state);

/** Whether the last program was passed a signal that asks to end. */
bool ee_child_was_asked_to_end(void);
