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

ee_status ee_leave_collapsed(bool say, bool leaves, ee_fleet *fleet) {
  int n = 0;
  for (int d = 0; d < fleet->n_devices && say; d++) {
    double           until;
    const ee_change *collapse = ee_device_collapse(&fleet->device[d], &until);
    if (collapse != NULL && n++ < NAMED) warn(&fleet->device[d], collapse, until, leaves);
  }
  if (n > NAMED) ee_log(EE_LOG_WARNING, "%d more devices get as slow", n - NAMED);
  return leaves ? ee_fleet_leave_collapsed(fleet) : EE_OK;
}
