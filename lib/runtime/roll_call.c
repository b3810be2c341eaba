/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/roll_call.h"

#include "ee/agree.h"
#include "wire.h"

enum { ROLL_CALL_TAG = 1 };

static void expect(ee_roll_call *c) {
  int from = c->rank == 0 ? MPI_ANY_SOURCE : 0;
  EE_MPI(MPI_Irecv(NULL, 0, MPI_BYTE, from, ROLL_CALL_TAG, c->comm, &c->request));
}

/* Empty messages, which leave at once. */
static void tell(const ee_roll_call *c, int rank) {
  EE_MPI(MPI_Send(NULL, 0, MPI_BYTE, rank, ROLL_CALL_TAG, c->comm));
}

void ee_roll_call_open(MPI_Comm comm, ee_roll_call *call) {
  *call = (ee_roll_call){.comm = comm, .request = MPI_REQUEST_NULL};
  EE_MPI(MPI_Comm_rank(comm, &call->rank));
  EE_MPI(MPI_Comm_size(comm, &call->size));
  call->missing = call->rank == 0 ? call->size - 1 : 1;
  if (call->missing > 0) expect(call);
}

void ee_roll_call_come(ee_roll_call *call) {
  call->came = true;
  if (call->rank != 0) tell(call, 0);
}

/* Rank 0 lets the others go when the last of them, and itself, have come. */
static void let_go(ee_roll_call *c) {
  for (int r = 1; r < c->size; r++) tell(c, r);
  c->size = 1;  // they were told
}

bool ee_roll_call_is_complete(ee_roll_call *call) {
  while (call->missing > 0 && ee_waiter_done(&call->request)) {
    call->missing--;
    if (call->missing > 0) expect(call);
  }
  if (call->missing > 0 || !call->came) return false;
  if (call->rank == 0) let_go(call);
  return true;
}

void ee_roll_call_await(ee_roll_call *call, ee_waiter *waiter) {
  if (call->missing > 0) ee_waiter_add(waiter, &call->request, NULL);
}

void ee_roll_call_close(ee_roll_call *call) {
  if (call->missing > 0) ee_wire_cancel(&call->request);
}
