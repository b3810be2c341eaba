/* SPDX-License-Identifier: Apache-2.0 */
#include "collapse.h"

#include <math.h>
#include <stdio.h>

#include "ee/log.h"

#define NAMED 4  // devices that are warned of by name

static void warn(const ee_device_spec *device, const ee_change *collapse, double until,
                 bool leaves) {
  char to[32] = "on";
  if (isfinite(until)) snprintf(to, sizeof to, "to %g s", until);
  ee_log(EE_LOG_WARNING, "device %s runs at %g of its speed from %g s %s, %s", device->name,
         collapse->value, collapse->at, to,
         leaves ? "too slow to serve: it counts as away then, and ends what it still holds at the "
                  "speed before"
                : "and whatever needs its layers waits for it: --rebalance is off");
}

static bool all_away(const ee_fleet *fleet, double t) {
  for (int d = 0; d < fleet->n_devices; d++) {
    if (!ee_fleet_away(fleet, d, t)) return false;
  }
  return true;
}

/* When the last device leaves for the first time; INFINITY: never [s]. */
static double deserted_from(const ee_fleet *fleet) {
  double first = INFINITY;
  for (int d = 0; d < fleet->n_devices; d++) {
    const ee_schedule *away = &fleet->device[d].away;
    if (away->n == 0) return INFINITY;  // it is always there
    for (int i = 0; i < away->n; i++) {
      if (all_away(fleet, away->change[i].at)) first = fmin(first, away->change[i].at);
    }
  }
  return first;
}

ee_status ee_leave_collapsed(bool say, bool leaves, ee_fleet *fleet) {
  int n = 0;
  for (int d = 0; d < fleet->n_devices && say; d++) {
    double           until;
    const ee_change *collapse = ee_device_collapse(&fleet->device[d], &until);
    if (collapse != NULL && n++ < NAMED) warn(&fleet->device[d], collapse, until, leaves);
  }
  if (n > NAMED) ee_log(EE_LOG_WARNING, "%d more devices get as slow", n - NAMED);
  if (leaves) EE_TRY(ee_fleet_leave_collapsed(fleet));
  double deserted = say ? deserted_from(fleet) : INFINITY;
  if (isfinite(deserted)) {
    ee_log(EE_LOG_WARNING,
           "all devices are away at %g s: nobody can take their layers, which stay where they are",
           deserted);
  }
  return EE_OK;
}
