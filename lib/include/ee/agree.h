/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/status.h"

/**
 * @file agree.h
 * Making a fault on one rank the same error on all, and checking MPI calls.
 */

/**
 * Agree on one status and one sentence.  Collective over @p comm.
 *
 * Do first everything that can fail on one rank alone, then agree, then communicate.
 *
 * @param[in] status  what happened on this rank
 * @param[in] key     a value that must be the same on every rank
 * @return the worst status of all ranks, whose sentence ee_status_message() then gives on every
 *         rank (it names the rank if only some ranks failed); EE_ERR_MISMATCH if all are EE_OK
 *         but the keys differ
 */
ee_status ee_agree(MPI_Comm comm, ee_status status, int key);

/** Report a failed MPI call and end the job.  Used through EE_MPI. */
_Noreturn void ee_mpi_abort(int code, const char *call, const char *file, int line);

/** Run an MPI call.  One that fails leaves the ranks out of step, so it ends the job. */
#define EE_MPI(call)                                                              \
  do {                                                                            \
    int ee_mpi_ = (call);                                                         \
    if (ee_mpi_ != MPI_SUCCESS) ee_mpi_abort(ee_mpi_, #call, __FILE__, __LINE__); \
  } while (0)
