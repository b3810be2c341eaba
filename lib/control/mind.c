/* SPDX-License-Identifier: Apache-2.0 */
#include "mind.h"

#include <stdlib.h>

#include "ee/agree.h"
#include "ee/clock.h"

static ee_status open_own(const ee_run_setup *setup, int n_devices, ee_mind **mind) {
  ee_mind *m = calloc(1, sizeof *m);
  if (m == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a controller");
  ee_status status = ee_estimate_open(setup, n_devices, &m->estimate);
  if (status != EE_OK) {
    free(m);
    return status;
  }
  *mind = m;
  return EE_OK;
}

static void close_own(ee_mind **mind) {
  ee_mind *m = *mind;
  if (m == NULL) return;
  ee_plan_destroy(&m->newest.best);
  ee_estimate_close(&m->estimate);
  free(m);
  *mind = NULL;
}

/* Whether this rank's is the one that is opened and closed. */
static bool is_keeper(MPI_Comm comm) {
  int rank;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  return rank == 0 || !ee_clock_is_simulated();
}

ee_status ee_mind_open(MPI_Comm comm, const ee_run_setup *setup, ee_mind **mind) {
  int       size;
  ee_status status = EE_OK;
  *mind            = NULL;
  EE_MPI(MPI_Comm_size(comm, &size));
  if (is_keeper(comm)) status = open_own(setup, size, mind);
  status = ee_agree(comm, status, 0);
  if (status != EE_OK) {
    close_own(mind);
    return status;
  }
  void *shared = *mind;
  if (ee_clock_is_simulated()) *mind = ee_pointer_of_rank_0(comm, shared);
  return EE_OK;
}

void ee_mind_close(MPI_Comm comm, ee_mind **mind) {
  if (ee_clock_is_simulated()) EE_MPI(MPI_Barrier(comm));  // nobody looks at it any more
  if (is_keeper(comm)) close_own(mind);
  *mind = NULL;
}
