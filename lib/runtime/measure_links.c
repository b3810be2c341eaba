/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips between every two ranks, for planning where no fleet says what links are. */
#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "ee/device.h"

enum { SMALL_TRIPS = 21, LARGE_TRIPS = 3, LARGE_BYTES = 4 << 20 };

static int compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Seconds of each of n round trips with @p peer, sorted; one more goes before, uncounted. */
static void round_trips(MPI_Comm comm, int peer, bool first, unsigned char *buffer, int bytes,
                        double *seconds, int n) {
  for (int i = -1; i < n; i++) {
    int64_t begin = ee_clock_ns();
    if (first) EE_MPI(MPI_Send(buffer, bytes, MPI_BYTE, peer, 0, comm));
    EE_MPI(MPI_Recv(buffer, bytes, MPI_BYTE, peer, 0, comm, MPI_STATUS_IGNORE));
    if (!first) EE_MPI(MPI_Send(buffer, bytes, MPI_BYTE, peer, 0, comm));
    if (i >= 0) seconds[i] = (double)(ee_clock_ns() - begin) * 1e-9;
  }
  qsort(seconds, (size_t)n, sizeof *seconds, compare_seconds);
}

/* The link of this rank and @p peer; the one of lower rank begins. */
static void measure_pair(MPI_Comm comm, int rank, int peer, unsigned char *buffer,
                         double *bandwidth, double *latency) {
  double small[SMALL_TRIPS], large[LARGE_TRIPS];
  round_trips(comm, peer, rank < peer, buffer, 1, small, SMALL_TRIPS);
  round_trips(comm, peer, rank < peer, buffer, LARGE_BYTES, large, LARGE_TRIPS);
  double one_way = small[SMALL_TRIPS / 2] / 2.0, through = large[0] / 2.0 - one_way;
  *latency   = one_way;
  *bandwidth = through > 1e-9 ? LARGE_BYTES / through : LARGE_BYTES / 1e-9;
}

ee_status ee_links_measure(MPI_Comm comm, double *bandwidth, double *latency) {
  int rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  unsigned char *buffer = calloc(LARGE_BYTES, 1);
  EE_TRY(ee_agree(comm, buffer != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "to measure links"), 0));
  size_t bytes = (size_t)size * (size_t)size * sizeof *bandwidth;
  memset(bandwidth, 0, bytes);
  memset(latency, 0, bytes);
  for (int a = 0; a < size; a++) {
    for (int b = a + 1; b < size; b++) {
      EE_MPI(MPI_Barrier(comm));  // who waits here does not disturb the pair
      if (rank == a) {
        measure_pair(comm, a, b, buffer, &bandwidth[a * size + b], &latency[a * size + b]);
        bandwidth[b * size + a] = bandwidth[a * size + b];
        latency[b * size + a]   = latency[a * size + b];
      } else if (rank == b) {
        double unused[2];
        measure_pair(comm, b, a, buffer, &unused[0], &unused[1]);
      }
    }
  }
  EE_MPI(MPI_Allreduce(MPI_IN_PLACE, bandwidth, size * size, MPI_DOUBLE, MPI_SUM, comm));
  EE_MPI(MPI_Allreduce(MPI_IN_PLACE, latency, size * size, MPI_DOUBLE, MPI_SUM, comm));
  free(buffer);
  return EE_OK;
}
