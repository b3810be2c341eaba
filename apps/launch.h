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

/** Become `mpirun -n devices PROGRAM run argv[1..]`.  Returns only if that fails: EE_ERR_FILE;
 *  EE_ERR_USAGE if there are more than EE_LAUNCH_MOST. */
ee_status ee_launch(int devices, int argc, char **argv);
