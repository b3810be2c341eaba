/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "decide.h"

/**
 * @file mind.h
 * What follows from the sums of epochs: the estimates, what the rule remembers, the newest
 * decision.
 *
 * Every rank works it out for itself.  On the simulated clock all ranks are in one process, and the
 * first to have an epoch's sums does it for all: thousands of devices would not have the memory for
 * estimates of their own, nor this host the time to plan for each.
 */
typedef struct ee_mind {
  ee_estimate        estimate;
  ee_decider         decider;
  ee_decision_record newest;           // of the last epoch that was decided
  int64_t            epochs;           // decided so far
  bool               short_of_memory;  // which is why the newest decision kept its plan
  double             seconds;          // of this host that estimating and planning took
} ee_mind;

/**
 * Open one for @p comm 's ranks, each its own, or on the simulated clock one for all.  Collective.
 * @param[in]  setup  borrowed until it is closed; rank 0's also for the others
 * @param[out] mind   to be closed; NULL on error
 * @return EE_OK; EE_ERR_NOMEM, the same on every rank
 */
ee_status ee_mind_open(MPI_Comm comm, const ee_run_setup *setup, ee_mind **mind);

/** Close and set to NULL.  Collective. */
void ee_mind_close(MPI_Comm comm, ee_mind **mind);
