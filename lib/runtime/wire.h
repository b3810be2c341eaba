/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file wire.h
 * The communicators of a run, one per kind of message, so that no kind can match another's.
 */
typedef struct ee_wire {
  MPI_Comm data, credit, control, results, weights;
  int      rank, size;
} ee_wire;

/** Tags.  Data and credits carry the plan epoch in the tag, so that each link is its own. */
typedef enum ee_tag {
  EE_TAG_ANSWER    = 1,
  EE_TAG_FAULT     = 2,
  EE_TAG_LINK      = 16,     // plus plan epoch modulo EE_TAG_LINK_SPAN
  EE_TAG_LINK_SPAN = 16384,  // MPI guarantees tags up to 32767
} ee_tag;

static inline int ee_link_tag(int plan_epoch) {
  return EE_TAG_LINK + plan_epoch % EE_TAG_LINK_SPAN;
}

/** Duplicate @p comm once per kind of message.  Collective. */
void ee_wire_open(MPI_Comm comm, ee_wire *wire);

/** A posted receive.  MPI_REQUEST_NULL: it was completed by waiting, and `status` says how. */
typedef struct ee_posted {
  MPI_Request request;
  MPI_Status  status;
} ee_posted;

/**
 * Test a receive of bytes.  Not collective.
 * @param room   what the receive was posted with [byte]
 * @param[out] peer, bytes  who sent and how much; more than @p room, and how much is not known, if
 *                          the message did not fit
 * @return whether a message is here
 */
bool ee_wire_received(ee_posted *posted, size_t room, int *peer, size_t *bytes);

/** Free the communicators.  Collective. */
void ee_wire_close(ee_wire *wire);

/** Leave a request whose peer is dead or has left it, a receive if @p receives: whether MPI is
 *  through with its buffer, which may not be freed otherwise. */
bool ee_wire_abandon(MPI_Request *request, bool receives);

/** Cancel a receive that nobody will send to, or wait for what it has met; then it is
 *  MPI_REQUEST_NULL. */
void ee_wire_cancel(MPI_Request *request);
