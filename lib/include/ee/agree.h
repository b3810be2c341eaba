/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdbool.h>

#include "ee/status.h"

/**
 * @file agree.h
 * Making a fault on one rank the same error on all, leaving no message behind, and checking MPI
 * calls.
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

/**
 * Empty @p comm after a fault, so that no buffer is freed while MPI still reads it.  Collective
 * over @p comm, on which nobody sends any more.
 *
 * Takes in and forgets every message that no posted receive takes, until this rank's sends are
 * done and every message to it has come in: each rank ends its messages to every other with a
 * mark, and MPI keeps the order.  Posted receives stay; they can be cancelled afterwards.
 * @param sent  tests this rank's sends on @p comm: whether all are done
 */
void ee_drain(MPI_Comm comm, bool (*sent)(void *self), void *self);

/** Report a failed MPI call and end the job.  Used through EE_MPI. */
_Noreturn void ee_mpi_abort(int code, const char *call, const char *file, int line);

/** Run an MPI call.  One that fails leaves the ranks out of step, so it ends the job. */
#define EE_MPI(call)                                                              \
  do {                                                                            \
    int ee_mpi_ = (call);                                                         \
    if (ee_mpi_ != MPI_SUCCESS) ee_mpi_abort(ee_mpi_, #call, __FILE__, __LINE__); \
  } while (0)

/**
 * Rank 0's @p pointer.  Collective over @p comm, whose ranks must be in one process, as they are on
 * the simulated clock only.
 */
void *ee_pointer_of_rank_0(MPI_Comm comm, void *pointer);
