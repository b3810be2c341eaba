/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdbool.h>

#include "ee/status.h"

/**
 * @file dead_rank.h
 * Saying which device's process has died.  mpirun takes it from the system, sends the other ranks
 * SIGTERM, and kills them a second later; our settings keep mpirun itself quiet.
 */

/**
 * Learn the processes of the ranks on this node, and prepare what to say of each.  Collective.
 * @param lifeline  a lifeline knows of deaths, so that signals mean none
 * @param trace     that the run writes; NULL: none
 * @return EE_OK; EE_ERR_NOMEM, the same on every rank
 */
ee_status ee_dead_rank_watch(MPI_Comm comm, bool lifeline, const char *trace);

/** Say on stderr which ranks of this node are gone, if this is the lowest that is not.  May be
 *  called in a signal handler; does nothing outside of a watch, or with a lifeline. */
void ee_dead_rank_tell(void);

/** Say which rank is gone, as far as this process need: of each node the lowest rank that lives
 * does. Called by a lifeline; takes a moment, so that others see who spoke. */
void ee_dead_rank_last_words(int rank);

/** Kill what is left of rank @p rank, which counts as dead, if it is of this node: a process that
 * was stopped would keep mpirun waiting. */
void ee_dead_rank_kill(int rank);

/** End the watch, before ranks end in order. */
void ee_dead_rank_forget(void);
