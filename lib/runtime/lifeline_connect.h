/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/status.h"

/**
 * Connect each rank with rank 0 by TCP over IPv4.  Collective.
 * @param[out] sockets  shape [ranks]: on rank 0 one for each other rank; elsewhere the first is
 * that to rank 0; -1 where there is none.  To be closed, also after an error
 * @return EE_OK; EE_ERR_PEER with the addresses that were tried: the same on every rank
 */
ee_status ee_lifeline_connect(MPI_Comm comm, int *sockets);
