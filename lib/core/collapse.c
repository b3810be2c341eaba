/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that, for a while or for good, are so slow that they count as away. */
#include <math.h>
#include <stdlib.h>

#include "ee/fleet.h"

const ee_change *ee_device_collapse(const ee_device_spec *device, double *until) {
  const ee_schedule *speed = &device->speed;
  const ee_change   *first = NULL;
  *until                   = INFINITY;
  for (int i = 0; i < speed->n; i++) {
    bool collapsed = speed->change[i].value < EE_COLLAPSED;
    if (first == NULL && collapsed) first = &speed->change[i];
    if (first == NULL || collapsed) continue;
    *until = speed->change[i].at;
    break;
  }
  return first;
}

/* Whether @p device is away at time @p t, or has collapsed. */
static bool is_gone(const ee_device_spec *device, double t) {
  return ee_schedule_at(&device->away, t, 0.0) > 0.0 ||
         ee_schedule_at(&device->speed, t, 1.0) < EE_COLLAPSED;
}

/* Times at which both schedules may change, merged in order; `change` has room for all. */
static void merge(const ee_device_spec *device, ee_schedule *gone) {
  const ee_schedule *a = &device->away, *b = &device->speed;
  for (int i = 0, j = 0; i < a->n || j < b->n;) {
    bool   first = j == b->n || (i < a->n && a->change[i].at <= b->change[j].at);
    double at    = first ? a->change[i++].at : b->change[j++].at;
    double now   = is_gone(device, at) ? 1.0 : 0.0;
    double last  = gone->n > 0 ? gone->change[gone->n - 1].value : 0.0;
    if (now != last) gone->change[gone->n++] = (ee_change){.at = at, .value = now};
  }
}

static void forget_collapses(ee_schedule *speed) {
  int n = 0;
  for (int i = 0; i < speed->n; i++) {
    if (speed->change[i].value >= EE_COLLAPSED) speed->change[n++] = speed->change[i];
  }
  speed->n = n;
}

ee_status ee_fleet_leave_collapsed(ee_fleet *fleet) {
  for (int d = 0; d < fleet->n_devices; d++) {
    ee_device_spec *device = &fleet->device[d];
    double          until;
    if (ee_device_collapse(device, &until) == NULL) continue;
    size_t      room = (size_t)device->away.n + (size_t)device->speed.n;
    ee_schedule gone = {.change = calloc(room, sizeof *gone.change)};
    if (gone.change == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the absences of %s", device->name);
    merge(device, &gone);
    free(device->away.change);
    device->away = gone;
    forget_collapses(&device->speed);
  }
  return EE_OK;
}
