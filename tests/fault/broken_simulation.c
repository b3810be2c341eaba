/* SPDX-License-Identifier: Apache-2.0 */
/* In place of the simulated program: breaks in mid-run in the way that $BROKEN names.  Rank 1
 * begins, the others wait for it. */
#include <mpi.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool broken(const char *how) {
  const char *wanted = getenv("BROKEN");
  return wanted != NULL && strcmp(wanted, how) == 0;
}

static void break_rank_1(void) {
  int never;
  if (broken("deadlock")) {
    MPI_Recv(&never, 1, MPI_INT, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  if (broken("abort")) MPI_Abort(MPI_COMM_WORLD, 1);
  if (broken("signal")) raise(SIGKILL);
}

int main(int argc, char **argv) {
  int rank;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 1) break_rank_1();
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
  return broken("fail") ? 1 : 0;
}
