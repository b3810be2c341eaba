/* SPDX-License-Identifier: Apache-2.0 */
#include "team_task.h"

#include <stdlib.h>

#include "ee/controller.h"

/* Where the arrays of a task stand in its store. */
typedef struct places {
  double     *work, *reach, *speed, *memory, *bandwidth, *latency;
  ee_leaving *leaves;
  bool       *needed;
} places;

static ee_status find_places(size_t n_units, size_t n_exits, size_t n_devices, ee_team_task *task,
                             places *p) {
  size_t  pairs = n_devices * n_devices;
  size_t  n     = n_units + n_exits + 2 * n_devices + 2 * pairs;
  size_t  rest  = n_devices * sizeof *p->leaves + n_units * sizeof *p->needed;
  double *at    = calloc(n + rest / sizeof *at + 1, sizeof *at);
  task->store   = at;
  if (at == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu units on %zu devices", n_units, n_devices);
  p->work      = at;
  p->reach     = p->work + n_units;
  p->speed     = p->reach + n_exits;
  p->memory    = p->speed + n_devices;
  p->bandwidth = p->memory + n_devices;
  p->latency   = p->bandwidth + pairs;
  p->leaves    = (ee_leaving *)(void *)(at + n);
  p->needed    = (bool *)(p->leaves + n_devices);
  return EE_OK;
}

static void fill_reach(int n_exits, const double *share, const places *p) {
  double left = 1.0;
  for (int e = 0; e < n_exits; e++) {
    p->reach[e] = left > 0.0 ? left : 0.0;
    if (share != NULL) left -= share[e];
  }
}

ee_leaving ee_device_leaves(const ee_fleet *fleet, int d) {
  const ee_schedule *away = &fleet->device[d].away;
  if (away->n == 0) return EE_STAYS;
  return away->change[away->n - 1].value > 0.0 ? EE_LEAVES_FOR_EVER : EE_LEAVES_FOR_A_WHILE;
}

/* What a sample cannot do without goes to devices that stay, if there are any. */
static bool fill_leaves(const ee_fleet *fleet, const ee_units *units, int n, const places *p) {
  bool stay = false;
  for (int d = 0; d < n && fleet != NULL; d++) {
    p->leaves[d] = ee_device_leaves(fleet, d);
    stay |= p->leaves[d] == EE_STAYS;
  }
  for (int u = 0; u < units->n; u++) p->needed[u] = !ee_unit_may_be_absent(units, u);
  return stay;
}

static void fill_devices(const ee_run_setup *setup, int n, const places *p) {
  const ee_fleet *fleet = setup->fleet;
  double          host  = setup->host_flops > 0.0 ? setup->host_flops : EE_ASSUMED_FLOPS;
  for (int d = 0; d < n; d++) {
    bool away    = fleet != NULL && ee_fleet_away(fleet, d, 0.0);
    p->speed[d]  = away ? 0.0 : fleet != NULL ? ee_fleet_speed(fleet, d, 0.0, host) : host;
    p->memory[d] = fleet != NULL ? fleet->device[d].memory : 0.0;
    for (int to = 0; to < n; to++) {
      int i = d * n + to;
      if (fleet != NULL) {
        p->bandwidth[i] = ee_link_bandwidth(ee_fleet_link(fleet, d, to), 0.0);
        p->latency[i]   = ee_fleet_link(fleet, d, to)->latency;
      } else if (setup->link_bandwidth != NULL) {
        p->bandwidth[i] = setup->link_bandwidth[i];
        p->latency[i]   = setup->link_latency[i];
      }
    }
  }
}

ee_status ee_team_task_make(const ee_run_setup *setup, const ee_units *units, int n_devices,
                            const double *share, const ee_team_options *options,
                            ee_team_task *task) {
  int             n_exits = setup->model->n_exits;
  ee_unit_buffers buffers = ee_team_buffers(units, setup->policy, options->window);
  places          p       = {0};
  *task                   = (ee_team_task){.store = NULL};
  EE_TRY(find_places((size_t)units->n, (size_t)n_exits, (size_t)n_devices, task, &p));
  EE_TRY(ee_unit_memory_find(units, setup->backend, &buffers, &task->memory));
  for (int u = 0; u < units->n; u++) p.work[u] = ee_unit_work(setup, &units->unit[u]);
  fill_reach(n_exits, share, &p);
  fill_devices(setup, n_devices, &p);
  bool stay  = fill_leaves(setup->fleet, units, n_devices, &p);
  task->task = (ee_placement_task){.units  = units,
                                   .work   = p.work,
                                   .reach  = p.reach,
                                   .fleet  = {.n_devices = n_devices,
                                              .speed     = p.speed,
                                              .bandwidth = p.bandwidth,
                                              .latency   = p.latency},
                                   .takes  = &task->memory,
                                   .memory = p.memory,
                                   .needed = p.needed,
                                   .leaves = stay ? p.leaves : NULL,
                                   .ahead  = options->ahead};
  return EE_OK;
}

void ee_team_task_free(ee_team_task *task) {
  ee_unit_memory_free(&task->memory);
  free(task->store);
  *task = (ee_team_task){.store = NULL};
}

static ee_status list_devices(const ee_units *units, int **device) {
  *device = calloc((size_t)units->n + 1, sizeof **device);
  if (*device == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d units", units->n);
  for (int u = 0; u < units->n; u++) (*device)[u] = units->unit[u].device;
  return EE_OK;
}

ee_status ee_team_task_place(const ee_team_task *task, bool by_latency, ee_units *units) {
  int *device;
  EE_TRY(list_devices(units, &device));
  ee_status status = ee_placement_find(&task->task, by_latency, device);
  for (int u = 0; u < units->n && status == EE_OK; u++) units->unit[u].device = device[u];
  free(device);
  return status;
}

ee_status ee_team_task_forecast(const ee_team_task *task, const ee_units *units,
                                ee_placement_forecast *forecast) {
  int *device;
  EE_TRY(list_devices(units, &device));
  ee_status status = ee_placement_forecast_of(&task->task, device, forecast);
  free(device);
  return status;
}
