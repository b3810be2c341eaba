/* SPDX-License-Identifier: Apache-2.0 */
/* Links that were measured: the same on all ranks and both ways, and possible. */
#include <stdlib.h>

#include "ee/device.h"
#include "ee_test.h"

static void every_pair_is_measured_and_all_ranks_hear_of_it(void) {
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int     n    = size * size;
  double *mine = malloc(4 * (size_t)n * sizeof *mine), *of_0 = mine + 2 * n;
  CU_ASSERT_PTR_NOT_NULL_FATAL(mine);
  for (int i = 0; i < 2 * n; i++) mine[i] = -1.0;
  CU_ASSERT_EQUAL(ee_links_measure(MPI_COMM_WORLD, mine, mine + n), EE_OK);
  for (int i = 0; i < 2 * n; i++) of_0[i] = mine[i];
  MPI_Bcast(of_0, 2 * n, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  for (int a = 0; a < size; a++) {
    for (int b = 0; b < size; b++) {
      double bandwidth = mine[a * size + b], latency = mine[n + a * size + b];
      CU_ASSERT_EQUAL(bandwidth, of_0[a * size + b]);
      CU_ASSERT_EQUAL(latency, of_0[n + a * size + b]);
      CU_ASSERT_EQUAL(bandwidth, mine[b * size + a]);
      CU_ASSERT_EQUAL(latency, mine[n + b * size + a]);
      if (a == b) {
        CU_ASSERT_EQUAL(bandwidth, 0.0);
        CU_ASSERT_EQUAL(latency, 0.0);
      } else {
        CU_ASSERT_TRUE(bandwidth > 1e3 && bandwidth <= 4e15 * 1.1);
        CU_ASSERT_TRUE(latency > 0.0 && latency < 10.0);
      }
    }
  }
  free(mine);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_pair_is_measured_and_all_ranks_hear_of_it),
    {NULL, NULL},
};
