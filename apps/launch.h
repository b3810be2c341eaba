/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "ee/status.h"

/**
 * @file launch.h
 * Starting as many ranks as there are devices, with MPI set up as jobs/mpi.env says.
 */

/** Keep argv[0], for systems that do not tell a program its path.  Borrowed. */
void ee_launch_remember(const char *argv0);

/** The path of @p name in the folder of this program, or else in @p folder as seen from there.
 *  @return EE_OK; EE_ERR_FILE if it is in neither. */
ee_status ee_launch_beside(const char *name, const char *folder, char *path, size_t size);

/** Put the settings of jobs/mpi.env into the environment where it does not have them yet.
 *  Call before MPI_Init. */
void ee_launch_settings(void);

/** Whether a launcher (mpirun, srun) has started this process as one of several ranks. */
bool ee_launched(void);

#define EE_LAUNCH_MOST 256  // ranks on one host; more is a cluster's job, or a mistake

/** Run `mpirun -n ranks PROGRAM args[0..n)`.
 *  @param[out] state  as waitpid() tells it
 *  @return EE_OK; EE_ERR_FILE if it cannot be run; EE_ERR_NOMEM */
ee_status ee_launch_ranks(int ranks, int n, char *const *args, int *state);

/** Run `mpirun -n devices PROGRAM argv[0..argc)`, which is a run, and say it if a signal ended one
 * of its processes.
 *  @param survives   the run goes on when a device's process dies
 *  @param trace      that the run writes; NULL: none
 *  @param[out] code  that it ended with by itself
 *  @return EE_OK; EE_ERR_FILE if it cannot be run; EE_ERR_PEER if a signal ended it; EE_ERR_USAGE
 * if there are more devices than EE_LAUNCH_MOST; EE_ERR_NOMEM */
ee_status ee_launch(int devices, bool survives, const char *trace, int argc, char **argv,
                    int *code);

/** Rank 0 at its end, or who speaks for it: tell @p code to a launcher that ee_launch() has
 * started, since mpirun itself ends with 0 where processes may die.  May be called in a signal
 * handler. */
void ee_launch_tell(int code);
