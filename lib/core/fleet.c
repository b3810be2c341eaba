/* SPDX-License-Identifier: Apache-2.0 */
/* The devices and links of a run as data, and what they are at a given time. */
#include "ee/fleet.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static ee_status fleet_alloc(int n_devices, ee_fleet *fleet) {
  size_t n = (size_t)n_devices;
  if (n > SIZE_MAX / n / sizeof *fleet->link) {
    return EE_FAIL(EE_ERR_NOMEM, "for the links of %d devices", n_devices);
  }
  fleet->device = calloc(n, sizeof *fleet->device);
  fleet->link   = calloc(n * n, sizeof *fleet->link);
  if (fleet->device == NULL || fleet->link == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for a fleet of %d devices", n_devices);
  }
  for (size_t d = 0; d < n; d++) fleet->device[d].relative = 1.0;
  fleet->n_devices = n_devices;
  return EE_OK;
}

ee_status ee_fleet_create(int n_devices, ee_fleet **fleet) {
  *fleet = NULL;
  if (n_devices < 1) return EE_FAIL(EE_ERR_ARG, "n_devices is %d, need at least 1", n_devices);

  *fleet = calloc(1, sizeof **fleet);
  if (*fleet == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a fleet of %d devices", n_devices);
  ee_status status = fleet_alloc(n_devices, *fleet);
  if (status != EE_OK) ee_fleet_destroy(fleet);
  return status;
}

const double *ee_schedule_value(const ee_schedule *schedule, double t) {
  int low = 0, high = schedule->n;  // the last change at or before t is in [low - 1, high)
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (schedule->change[middle].at <= t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 ? &schedule->change[low - 1].value : NULL;
}

double ee_schedule_next(const ee_schedule *schedule, double t) {
  for (int i = 0; i < schedule->n; i++) {
    if (schedule->change[i].at > t) return schedule->change[i].at;
  }
  return INFINITY;
}

double ee_schedule_at(const ee_schedule *schedule, double t, double before) {
  const double *value = ee_schedule_value(schedule, t);
  return value != NULL ? *value : before;
}

double ee_fleet_speed(const ee_fleet *fleet, int d, double t, double host_flops) {
  const ee_device_spec *device = &fleet->device[d];
  double                speed = device->flops > 0.0 ? device->flops : device->relative * host_flops;
  return speed * ee_schedule_at(&device->speed, t, 1.0);
}

double ee_device_energy(const ee_device_spec *device, double busy, double seconds) {
  if (device->watts_busy <= 0.0) return NAN;
  return device->watts_busy * busy + device->watts_idle * (seconds - busy);
}

bool ee_fleet_away(const ee_fleet *fleet, int d, double t) {
  return ee_schedule_at(&fleet->device[d].away, t, 0.0) > 0.0;
}

const ee_link_spec *ee_fleet_link(const ee_fleet *fleet, int from, int to) {
  return &fleet->link[(size_t)from * (size_t)fleet->n_devices + (size_t)to];
}

double ee_link_bandwidth(const ee_link_spec *link, double t) {
  const ee_network_trace *trace = link->trace;
  if (trace != NULL) return trace->bits[trace->n] / 8.0 / trace->at[trace->n];
  return ee_schedule_at(&link->bandwidth_changes, t, link->bandwidth);
}

bool ee_fleet_links_alike(const ee_fleet *fleet, double *bandwidth, double *latency) {
  *bandwidth = *latency = 0.0;
  if (fleet->n_devices < 2) return true;
  *bandwidth = ee_link_bandwidth(ee_fleet_link(fleet, 0, 1), 0.0);
  *latency   = ee_fleet_link(fleet, 0, 1)->latency;
  for (int from = 0; from < fleet->n_devices; from++) {
    for (int to = 0; to < fleet->n_devices; to++) {
      const ee_link_spec *link = ee_fleet_link(fleet, from, to);
      double              here = ee_link_bandwidth(link, 0.0);
      if (from == to) continue;
      if (here < *bandwidth || here > *bandwidth) return false;
      if (link->latency < *latency || link->latency > *latency) return false;
    }
  }
  return true;
}

double ee_link_transfer(const ee_link_spec *link, double bytes, double t) {
  if (link->trace != NULL) return ee_network_delay(link->trace, bytes, t);
  double bandwidth = ee_link_bandwidth(link, t);
  return bandwidth > 0.0 ? bytes / bandwidth : 0.0;
}

ee_status ee_fleet_add_trace(ee_fleet *fleet, ee_network_trace *trace) {
  size_t             n    = (size_t)fleet->n_traces;
  ee_network_trace **more = realloc(fleet->trace, (n + 1) * sizeof(*more));
  if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the traces of a fleet");
  more[n]      = trace;
  fleet->trace = more;
  fleet->n_traces++;
  return EE_OK;
}

static void free_traces(ee_fleet *fleet) {
  for (int i = 0; i < fleet->n_traces; i++) {
    ee_network_trace_free(fleet->trace[i]);
    free(fleet->trace[i]);
  }
  free(fleet->trace);
}

void ee_fleet_destroy(ee_fleet **fleet) {
  ee_fleet *f = *fleet;
  if (f == NULL) return;
  size_t n = (size_t)f->n_devices;
  for (size_t d = 0; d < n; d++) {
    free(f->device[d].speed.change);
    free(f->device[d].away.change);
  }
  for (size_t i = 0; i < n * n; i++) free(f->link[i].bandwidth_changes.change);
  free_traces(f);
  free(f->device);
  free(f->link);
  free(f);
  *fleet = NULL;
}
