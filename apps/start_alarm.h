/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file start_alarm.h
 * Ranks that a launcher lets live when another dies would wait for it for ever until a lifeline
 * tells them of it: in MPI_Init, and while they connect.
 */

/** End this process with exit code 1, and a sentence if it is rank 0, unless ee_start_alarm_stop()
 * is called within a minute.  Uses SIGALRM. */
void ee_start_alarm(void);
void ee_start_alarm_stop(void);
