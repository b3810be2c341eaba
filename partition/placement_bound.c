/* SPDX-License-Identifier: Apache-2.0 */
/* What no placement of units can be better than. */
#include <math.h>
#include <stdlib.h>

#include "ee/placement.h"

typedef struct speeds {
  double most, all;  // of one device, and of all together [FLOP/s]
} speeds;

static speeds speeds_of(const ee_band_fleet *f) {
  speeds s = {0};
  for (int d = 0; d < f->n_devices; d++) {
    s.most = fmax(s.most, f->speed[d]);
    s.all += f->speed[d];
  }
  return s;
}

/* The most work that is done one unit after the other until each unit is; an exit comes after the
 * one before.  To path, shape [n]. */
static void longest_paths(const ee_placement_task *t, double *path) {
  const ee_units *units = t->units;
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit   = &units->unit[u];
    double         before = unit->exit > 0 ? path[ee_units_of_exit(units, unit->exit - 1)] : 0.0;
    for (int i = 0; i < unit->n_inputs; i++) {
      if (unit->input[i].from >= 0) before = fmax(before, path[unit->input[i].from]);
    }
    path[u] = before + t->work[u];
  }
}

ee_status ee_placement_bound(const ee_placement_task *task, ee_placement_forecast *bound) {
  const ee_units *units   = task->units;
  int             n_exits = units->whole->n_exits;
  speeds          speed   = speeds_of(&task->fleet);
  double         *path    = calloc((size_t)units->n + 1, sizeof *path);
  *bound                  = (ee_placement_forecast){0.0, 0.0};
  if (path == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d units", units->n);
  longest_paths(task, path);
  for (int e = 0; e < n_exits; e++) {
    double done = 0.0, left = task->reach[e] - (e + 1 < n_exits ? task->reach[e + 1] : 0.0);
    for (int u = 0; u < units->n; u++) {
      if (units->unit[u].stage <= e) done += task->work[u];
      if (units->unit[u].stage != e) continue;
      bound->period = fmax(bound->period, task->reach[e] * task->work[u] / speed.most);
    }
    bound->latency += left * fmax(path[ee_units_of_exit(units, e)] / speed.most, done / speed.all);
  }
  double load = 0.0;
  for (int u = 0; u < units->n; u++) load += task->reach[units->unit[u].stage] * task->work[u];
  bound->period = fmax(bound->period, load / speed.all);
  free(path);
  return EE_OK;
}
