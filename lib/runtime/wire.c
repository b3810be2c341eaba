/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "ee/agree.h"

void ee_wire_open(MPI_Comm comm, ee_wire *wire) {
  EE_MPI(MPI_Comm_dup(comm, &wire->data));
  EE_MPI(MPI_Comm_dup(comm, &wire->credit));
  EE_MPI(MPI_Comm_dup(comm, &wire->control));
  EE_MPI(MPI_Comm_dup(comm, &wire->results));
  EE_MPI(MPI_Comm_dup(comm, &wire->weights));
  EE_MPI(MPI_Comm_rank(comm, &wire->rank));
  EE_MPI(MPI_Comm_size(comm, &wire->size));
}

void ee_wire_close(ee_wire *wire) {
  EE_MPI(MPI_Comm_free(&wire->data));
  EE_MPI(MPI_Comm_free(&wire->credit));
  EE_MPI(MPI_Comm_free(&wire->control));
  EE_MPI(MPI_Comm_free(&wire->results));
  EE_MPI(MPI_Comm_free(&wire->weights));
}

void ee_wire_cancel(MPI_Request *request) {
  if (*request == MPI_REQUEST_NULL) return;
  EE_MPI(MPI_Cancel(request));
  EE_MPI(MPI_Wait(request, MPI_STATUS_IGNORE));
}
