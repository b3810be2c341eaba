/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/trace.h"

/**
 * @file trace_relay.h
 * Bringing the events of all ranks of a node to the one rank that writes the node's trace.
 *
 * Events are gathered in a buffer and sent with a nonblocking send when it is full or old.  The
 * writer is rank 0 of the node's communicator; answers and epochs are on rank 0 of the run, which
 * is a writer, and pass straight through.
 */
typedef struct ee_trace_relay ee_trace_relay;

/**
 * Split @p comm into nodes, ranks that share memory.  Collective.
 * The environment's EE_RANKS_PER_NODE, if set, makes nodes of so many ranks, for tests.
 * @param[out] node     this rank's node, the caller's to free; its rank 0 is the writer
 * @param[out] index    which node this is, in order of their lowest rank
 * @param[out] n_nodes  how many there are
 */
void ee_trace_nodes(MPI_Comm comm, MPI_Comm *node, int *index, int *n_nodes);

/**
 * Open on every rank of @p node, which is duplicated.  Collective over it.
 * @param writer  the sink that writes, on rank 0 of the node (copied); NULL on the others
 */
ee_status ee_trace_relay_open(MPI_Comm node, const ee_trace_sink *writer, ee_trace_relay **relay);

/** The sink for this rank's runtime.  Lives until the relay is closed. */
const ee_trace_sink *ee_trace_relay_sink(const ee_trace_relay *relay);

/** Rank @p rank of the node is dead: nothing comes from it, or, if it is the writer, nobody takes
 *  what comes from here.  Not collective; before ee_trace_relay_close(). */
void ee_trace_relay_lose(ee_trace_relay *relay, int rank);

/** Bring what is left to the writer, and set to NULL.  Collective over the node, but for
 *  ranks that were lost. */
void ee_trace_relay_close(ee_trace_relay **relay);
