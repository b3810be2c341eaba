/* SPDX-License-Identifier: Apache-2.0 */
/* One status for all ranks: an allreduce when all is well, one more and a broadcast when not. */
#include "ee/agree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ee_mpi_abort(int code, const char *call, const char *file, int line) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int  length                     = 0;
  MPI_Error_string(code, text, &length);
  fprintf(stderr, "%s:%d: %s: %s\n", file, line, call, text);
  MPI_Abort(MPI_COMM_WORLD, 1);
  abort();  // MPI_Abort does not return, but is not declared so
}

/* Spread the sentence of the lowest rank that has the worst status. */
static void share_message(MPI_Comm comm, ee_status mine, ee_status worst) {
  int rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));

  int speaker[2] = {mine == worst ? rank : size,
                    mine == worst ? 0 : -1};  // second: 0 if all failed
  EE_MPI(MPI_Allreduce(MPI_IN_PLACE, speaker, 2, MPI_INT, MPI_MIN, comm));

  char text[EE_MESSAGE_BYTES];
  snprintf(text, sizeof text, "%s", ee_status_message());
  EE_MPI(MPI_Bcast(text, (int)sizeof text, MPI_CHAR, speaker[0], comm));
  if (speaker[1] == 0) {
    EE_FAIL(worst, "%s", text);
  } else {
    EE_FAIL(worst, "rank %d: %.*s", speaker[0], EE_MESSAGE_BYTES - 32, text);
  }
}

ee_status ee_agree(MPI_Comm comm, ee_status status, int key) {
  int worst[3] = {(int)status, key, ~key};  // max of ~key is ~min of key, for any int

  EE_MPI(MPI_Allreduce(MPI_IN_PLACE, worst, 3, MPI_INT, MPI_MAX, comm));
  if (worst[0] != EE_OK) {
    share_message(comm, status, (ee_status)worst[0]);
    return (ee_status)worst[0];
  }
  if (worst[1] != ~worst[2]) {
    return EE_FAIL(EE_ERR_MISMATCH, "ranks disagree on a value: from %d to %d", ~worst[2],
                   worst[1]);
  }
  return EE_OK;
}

void *ee_pointer_of_rank_0(MPI_Comm comm, void *pointer) {
  EE_MPI(MPI_Bcast(&pointer, (int)sizeof pointer, MPI_BYTE, 0, comm));
  return pointer;
}
