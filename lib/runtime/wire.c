/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "ee/agree.h"

void ee_wire_open(MPI_Comm comm, ee_wire *wire) {
  EE_MPI(MPI_Comm_dup(comm, &wire->data));
  EE_MPI(MPI_Comm_dup(comm, &wire->credit));
  EE_MPI(MPI_Comm_dup(comm, &wire->control));
  EE_MPI(MPI_Comm_dup(comm, &wire->results));
  EE_MPI(MPI_Comm_dup(comm, &wire->weights));
  // Too long a message is the sender's fault, to be told and not to end the job.
  EE_MPI(MPI_Comm_set_errhandler(wire->data, MPI_ERRORS_RETURN));
  EE_MPI(MPI_Comm_set_errhandler(wire->results, MPI_ERRORS_RETURN));
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

bool ee_wire_received(ee_posted *posted, size_t room, int *peer, size_t *bytes) {
  int done = 1, count = 0, code = MPI_SUCCESS, class = MPI_SUCCESS;
  if (posted->request != MPI_REQUEST_NULL) {
    code = MPI_Test(&posted->request, &done, &posted->status);
  }
  if (code != MPI_SUCCESS) EE_MPI(MPI_Error_class(code, &class));
  if (class != MPI_SUCCESS && class != MPI_ERR_TRUNCATE)
    ee_mpi_abort(code, "MPI_Test", __FILE__, __LINE__);
  if (class == MPI_SUCCESS && !done) return false;
  *peer  = posted->status.MPI_SOURCE;
  *bytes = room + 1;
  if (class == MPI_SUCCESS) {
    EE_MPI(MPI_Get_count(&posted->status, MPI_BYTE, &count));
    *bytes = (size_t)count;
  }
  return true;
}

bool ee_wire_abandon(MPI_Request *request, bool receives) {
  int done = 1;
  if (*request == MPI_REQUEST_NULL) return true;
  if (receives) EE_MPI(MPI_Cancel(request));
  if (MPI_Test(request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done) return true;
  if (*request != MPI_REQUEST_NULL) EE_MPI(MPI_Request_free(request));
  return done;
}

void ee_wire_cancel(MPI_Request *request) {
  if (*request == MPI_REQUEST_NULL) return;
  EE_MPI(MPI_Cancel(request));
  EE_MPI(MPI_Wait(request, MPI_STATUS_IGNORE));
}
