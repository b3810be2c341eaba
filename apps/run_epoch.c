/* SPDX-License-Identifier: Apache-2.0 */
#include "run_epoch.h"

#include <math.h>

#include "ee/agree.h"
#include "ee/controller.h"

#define ROUND_TO 64  // [samples]

/* What the plan promises. */
typedef struct promise {
  const ee_plan *plan;
  ee_forecast    forecast;
} promise;

static ee_status forecast(const ee_chain *chain, void *context) {
  promise *p = context;
  return ee_partition_forecast(chain, p->plan, &p->forecast);
}

static double slowest_link(const ee_fleet *fleet) {
  double latency = 0.0;
  for (int from = 0; from < fleet->n_devices; from++) {
    for (int to = 0; to < fleet->n_devices; to++) {
      if (from != to) latency = fmax(latency, ee_fleet_link(fleet, from, to)->latency);
    }
  }
  return latency;
}

static ee_status find(const ee_run_setup *setup, const double *share, int size, int *samples) {
  promise p = {.plan = setup->plan};
  *samples  = EE_EPOCH_LEAST;
  if (setup->fleet == NULL || size < 2) return EE_OK;
  EE_TRY(ee_first_chain(setup, size, share, forecast, &p));
  double period =
      setup->rate > 0.0 ? fmax(p.forecast.period, 1.0 / setup->rate) : p.forecast.period;
  double sum    = 2.0 * ceil(log2(size)) * slowest_link(setup->fleet) + p.forecast.latency;
  double delay  = setup->control_delay > 1 ? setup->control_delay : 1;
  double wanted = 2.0 * sum / (delay * period);
  if (wanted > EE_EPOCH_LEAST && wanted < 1e9) *samples = (int)ceil(wanted / ROUND_TO) * ROUND_TO;
  return EE_OK;
}

ee_status ee_run_epoch(MPI_Comm comm, const ee_run_setup *setup, const double *share,
                       int *epoch_samples) {
  int       rank, size;
  ee_status status = EE_OK;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  if (rank == 0) status = find(setup, share, size, epoch_samples);
  EE_TRY(ee_agree(comm, status, 0));
  EE_MPI(MPI_Bcast(epoch_samples, 1, MPI_INT, 0, comm));
  return EE_OK;
}
