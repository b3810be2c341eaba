/* SPDX-License-Identifier: Apache-2.0 */
#include "pacer.h"

#include <stdlib.h>

#include "ee/clock.h"

ee_status ee_pacer_open(const ee_fleet *fleet, double host_flops, int rank, ee_pacer *pacer) {
  *pacer = (ee_pacer){.fleet = fleet, .host_flops = host_flops, .rank = rank};
  if (fleet == NULL) return EE_OK;
  pacer->free_at = calloc((size_t)fleet->n_devices, sizeof *pacer->free_at);
  if (pacer->free_at == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d links", fleet->n_devices);
  return EE_OK;
}

void ee_pacer_close(ee_pacer *pacer) {
  free(pacer->free_at);
  pacer->free_at = NULL;
}

/* amount / rate seconds in ns, to the nearest; rate > 0. */
static int64_t duration(double amount, double rate) {
  double ns = amount / rate * 1e9;
  return ns < (double)EE_PACER_LONGEST ? (int64_t)(ns + 0.5) : EE_PACER_LONGEST;
}

int64_t ee_pacer_compute(const ee_pacer *pacer, double flops, int64_t now) {
  if (pacer->fleet == NULL) return 0;
  double speed = ee_fleet_speed(pacer->fleet, pacer->rank, (double)now * 1e-9, pacer->host_flops);
  if (flops <= 0.0) return 0;
  return speed > 0.0 ? duration(flops, speed) : EE_PACER_LONGEST;
}

int64_t ee_pacer_arrival(ee_pacer *pacer, int peer, int64_t sent, size_t bytes, int64_t *occupied) {
  if (occupied != NULL) *occupied = 0;
  if (pacer->fleet == NULL || peer == pacer->rank) return 0;

  const ee_link_spec *link    = ee_fleet_link(pacer->fleet, peer, pacer->rank);
  int64_t             start   = sent > pacer->free_at[peer] ? sent : pacer->free_at[peer];
  double              seconds = ee_link_transfer(link, (double)bytes, (double)start * 1e-9);
  int64_t             through = duration(seconds, 1.0);
  if (occupied != NULL) *occupied = through;
  if (ee_clock_is_simulated()) return 0;
  int64_t end          = start + through;
  pacer->free_at[peer] = end < 2 * EE_PACER_LONGEST ? end : 2 * EE_PACER_LONGEST;
  return pacer->free_at[peer] + duration(link->latency, 1.0);
}

int64_t ee_pacer_credit(const ee_pacer *pacer, int peer, int64_t given) {
  if (pacer->fleet == NULL || peer == pacer->rank || ee_clock_is_simulated()) return 0;
  return given + duration(ee_fleet_link(pacer->fleet, peer, pacer->rank)->latency, 1.0);
}
