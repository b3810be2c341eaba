/* SPDX-License-Identifier: Apache-2.0 */
/* After a fault: receive what nobody waits for, up to a mark from every other rank. */
#include <stdlib.h>

#include "ee/agree.h"
#include "ee/clock.h"

#define MARK_TAG 32767  // above all other tags, and the highest that MPI guarantees
#define NAP 20000       // the first one [ns]
#define LONGEST 200000  // [ns]

/* Take in one message, if one is here; its content is dropped, and counted if it is a mark. */
static bool forget_one(MPI_Comm comm, int *marks) {
  MPI_Status status;
  int        here, bytes;
  EE_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &here, &status));
  if (!here) return false;
  EE_MPI(MPI_Get_count(&status, MPI_BYTE, &bytes));
  void *buffer = bytes > 0 ? malloc((size_t)bytes) : NULL;
  if (buffer == NULL) bytes = 0;  // the message is cut short, which is an error of no account
  MPI_Recv(buffer, bytes, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, comm, MPI_STATUS_IGNORE);
  free(buffer);
  *marks += status.MPI_TAG == MARK_TAG;
  return true;
}

void ee_drain(MPI_Comm comm, bool (*sent)(void *self), void *self) {
  int     rank, size, marks = 0;
  int64_t nap = NAP;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  EE_MPI(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
  for (int peer = 0; peer < size; peer++) {  // empty messages, which leave at once
    if (peer != rank) EE_MPI(MPI_Send(NULL, 0, MPI_BYTE, peer, MARK_TAG, comm));
  }
  while (!sent(self) || marks < size - 1) {
    if (!forget_one(comm, &marks)) ee_clock_nap(&nap, LONGEST);
  }
  while (forget_one(comm, &marks)) continue;  // what this rank sent to itself
}
