/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdbool.h>

#include "ee/status.h"

/**
 * @file lifeline.h
 * Noticing that another rank's process has died, where the launcher lets the others live
 * (`mpirun --enable-recovery`).
 *
 * Each rank holds a TCP connection to rank 0, on which a thread of its own listens: a death is
 * noticed while the rank computes or waits in a collective call.  A connection that ends without a
 * farewell is a death, and so is a host that answers nothing for some ten seconds; a process that
 * is only slow, or stopped, lives.
 *
 * A death ends all processes with exit code 1, unless it comes while every rank tolerates it:
 * between ee_lifeline_tolerate() and ee_lifeline_settle().  That of rank 0 always ends all.
 *
 * A lifeline of NULL is allowed everywhere: nobody is ever lost.
 */
typedef struct ee_lifeline ee_lifeline;

/** Whether a launcher has started this process that lets ranks live on when another dies, as Open
 *  MPI's mpirun does with OMPI_MCA_orte_enable_recovery. */
bool ee_lifeline_is_needed(void);

/**
 * Connect all ranks with rank 0, over IPv4.  Collective.
 * @param last_words     called in another thread, before the process ends because @p rank has died;
 *                       on rank 0, or on all others if that is the rank.  NULL: nothing is said
 * @param[out] lifeline  to be closed
 * @return EE_OK; EE_ERR_PEER if a rank cannot reach rank 0; EE_ERR_NOMEM: the same on every rank
 */
ee_status ee_lifeline_open(MPI_Comm comm, void (*last_words)(int rank), ee_lifeline **lifeline);

/** From here on this rank can do without others; from when the last living one has said so, deaths
 *  are listed.  Not collective. */
void ee_lifeline_tolerate(ee_lifeline *lifeline);

/** The rank that was the @p i-th to die, from 0 on; -1: no more have, as far as is known here.  The
 *  list only grows, and has the same order on all ranks.  Not collective. */
int ee_lifeline_lost(ee_lifeline *lifeline, int i);

/** Rank 0: rank @p rank counts as dead from now on, and its process ends as soon as it can.  Does
 *  nothing unless all tolerate a death.  Not collective. */
void ee_lifeline_expel(ee_lifeline *lifeline, int rank);

/**
 * All living ranks agree on who that is, and none tolerates a death any more.  Collective over
 * those.
 * @param comm         of all ranks
 * @param[out] living  of those that live, in the same order; @p comm itself if all do, else to be
 *                     freed.  NULL: not wanted
 */
void ee_lifeline_settle(ee_lifeline *lifeline, MPI_Comm comm, MPI_Comm *living);

/** From here on deaths do not matter.  Collective over the living: none goes on before all have
 *  come, so that a process may then end without MPI_Finalize, which waits for the dead. */
void ee_lifeline_close(ee_lifeline **lifeline);
