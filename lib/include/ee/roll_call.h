/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdbool.h>

#include "ee/waiter.h"

/**
 * @file roll_call.h
 * A barrier that nobody waits in: ranks say that they have come, and ask whether all have.
 *
 * By messages to and from rank 0, since MPI_Ibarrier of SimGrid 3.32 lets ranks go on before all
 * have come.
 */
typedef struct ee_roll_call {
  MPI_Comm    comm;  // on which nothing else is sent
  int         rank, size;
  bool        came;     // this rank
  int         missing;  // others that rank 0 has not heard of; elsewhere rank 0's word
  MPI_Request request;
} ee_roll_call;

/** Open.  Not collective, but every rank must. */
void ee_roll_call_open(MPI_Comm comm, ee_roll_call *call);

/** This rank has come; once. */
void ee_roll_call_come(ee_roll_call *call);

/** Whether all have. */
bool ee_roll_call_is_complete(ee_roll_call *call);

/** Wait for the next word. */
void ee_roll_call_await(ee_roll_call *call, ee_waiter *waiter);

/** Close, once it is complete or was never begun by any rank. */
void ee_roll_call_close(ee_roll_call *call);
