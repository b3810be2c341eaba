/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/lifeline.h"
#include "ee/trace_file.h"
#include "ee/trace_relay.h"
#include "ee/units.h"
#include "run_epochs.h"
#include "run_inputs.h"

/**
 * @file run_trace.h
 * The trace of a run: one file per node, and on rank 0 the answers in memory for the summary.
 */
typedef struct ee_run_trace {
  MPI_Comm        comm, node;      // borrowed; this rank's node
  int             index, n_nodes;  // which node this is
  int             rank;
  ee_trace_sink   file;        // writes this node's file, on its rank 0; empty without --trace
  ee_trace_relay *relay;       // NULL without --trace
  ee_trace_sink   sink;        // what the runtime gets
  char            part[1024];  // path of this node's file
  const char     *path;        // as asked for; NULL: no trace
  ee_answer      *answer;      // rank 0: shape [n_samples], in order of arrival
  int64_t         n_answers, room;
  int64_t         n_unsure;  // rank 0: answers whose confidence is no number
  ee_trace_team   team;      // on each node's rank 0; no units: a chain
  ee_run_epochs   epochs;    // rank 0
} ee_run_trace;

/** Open, for a chain of devices as in @p plan, or for a team with @p units unless that is NULL.
 *  Collective.  The first error of any rank is returned on all. */
ee_status ee_run_trace_open(MPI_Comm comm, const ee_run_options *options,
                            const ee_run_inputs *inputs, const ee_plan *plan, const ee_units *units,
                            int argc, char **argv, ee_run_trace *trace);

/** The team of the run; NULL of a chain. */
const ee_trace_team *ee_run_trace_team(const ee_run_trace *trace);

/** Write what is left, link the parts of several nodes, and close.  Collective over @p living,
 * those that @p lifeline has not lost; MPI_COMM_NULL: all. */
ee_status ee_run_trace_close(ee_run_trace *trace, ee_lifeline *lifeline, MPI_Comm living);

/** Free answers, epochs and team.  Not collective. */
void ee_run_trace_forget(ee_run_trace *trace);
