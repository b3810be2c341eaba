/* SPDX-License-Identifier: Apache-2.0 */
#include "start_clock.h"

#include "ee/agree.h"
#include "ee/clock.h"

int64_t ee_start_clock(const ee_wire *wire) {
  MPI_Comm node;
  int      on_node;
  EE_MPI(MPI_Comm_split_type(wire->control, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  EE_MPI(MPI_Comm_size(node, &on_node));
  EE_MPI(MPI_Comm_free(&node));
  EE_MPI(MPI_Allreduce(MPI_IN_PLACE, &on_node, 1, MPI_INT, MPI_MIN, wire->control));
  EE_MPI(MPI_Barrier(wire->control));

  if (ee_clock_is_simulated()) ee_clock_sleep(EE_SIMULATION_BEGINS - ee_clock_ns());
  int64_t now = ee_clock_ns(), first = now;
  EE_MPI(MPI_Bcast(&first, 1, MPI_INT64_T, 0, wire->control));
  return on_node == wire->size || ee_clock_is_simulated() ? first : now;
}
