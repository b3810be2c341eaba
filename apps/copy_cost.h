/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/**
 * @file copy_cost.h
 * What messages between devices of one host cost each of them.
 */

/**
 * Measure it between two processes of this host, which mpirun starts as `profile --copies FILE`.
 * @param[out] seconds  of CPU time of each device, for one byte that crosses between them [s/byte]
 * @return EE_OK; EE_ERR_FILE if they cannot be started or did not come to an end; EE_ERR_NOMEM
 */
ee_status ee_copy_cost_measure(double *seconds);

/** As one of these two: rank 0 writes what was measured to the file at @p path.  Initializes MPI
 * and ends it.  @return EE_OK; EE_ERR_USAGE unless there are two ranks; EE_ERR_FILE; EE_ERR_NOMEM
 */
ee_status ee_copy_cost_as_rank(const char *path);
