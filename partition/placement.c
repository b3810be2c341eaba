/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a placement: all placements of whole branches, then single units. */
#include "ee/placement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"

/* Two times that differ by less are equal. */
#define NEAR 1e-12

enum { STARTS = 16 };  // more beginnings where nothing fits

/* When the source hears of exits, by the share that leaves there. */
static double expected(const ee_placement_task *t, const ee_units *placed, const double *seconds) {
  int    n_exits = placed->whole->n_exits;
  double sum     = 0.0;
  for (int e = 0; e < n_exits; e++) {
    double left = t->reach[e] - (e + 1 < n_exits ? t->reach[e + 1] : 0.0);
    if (left > 0.0) sum += left * seconds[e];
  }
  return sum;
}

static bool has_speeds(const ee_placement_task *t, const int *device) {
  for (int u = 0; u < t->units->n; u++) {
    if (t->fleet.speed[device[u]] <= 0.0) return false;
  }
  return true;
}

/* With room for the units as they are placed, and twice for the seconds of exits. */
static ee_status forecast_in(const ee_placement_task *task, const int *device, ee_unit *unit,
                             double *seconds, ee_placement_forecast *forecast) {
  ee_units      placed = *task->units;
  ee_units_load load;
  memcpy(unit, placed.unit, (size_t)placed.n * sizeof *unit);
  for (int u = 0; u < placed.n; u++) unit[u].device = device[u];
  placed.unit = unit;
  EE_TRY(ee_units_forecast(&placed, task->work, &task->fleet, task->ahead, seconds,
                           seconds + placed.whole->n_exits));
  EE_TRY(ee_units_load_of(&placed, task->work, &task->fleet, task->reach, &load));
  *forecast = (ee_placement_forecast){expected(task, &placed, seconds + placed.whole->n_exits),
                                      load.period};
  return EE_OK;
}

ee_status ee_placement_forecast_of(const ee_placement_task *task, const int *device,
                                   ee_placement_forecast *forecast) {
  *forecast = (ee_placement_forecast){INFINITY, INFINITY};
  if (!has_speeds(task, device)) return EE_OK;
  ee_unit  *unit    = calloc((size_t)task->units->n + 1, sizeof *unit);
  double   *seconds = calloc(2 * (size_t)task->units->whole->n_exits, sizeof *seconds);
  ee_status status  = unit != NULL && seconds != NULL
                          ? forecast_in(task, device, unit, seconds, forecast)
                          : EE_FAIL(EE_ERR_NOMEM, "for %d units", task->units->n);
  free(unit);
  free(seconds);
  return status;
}

/* What placements are compared by: bytes that devices lack, what is wanted, the other promise,
 * devices in use.  What does not fit promises nothing. */
enum { LACKING, WANTED, MARKS = 4 };

typedef struct search {
  const ee_placement_task *task;
  bool                     by_latency;
  int                     *device, *best;  // shape [n]
  ee_unit_room            *room;           // shape [n_devices], scratch
  double                   found[MARKS];   // of `best`; INFINITY: nothing yet
  int                      tries;          // placements that were looked at
  ee_status                status;
} search;

/* Whether those stay that a sample waits for. */
static bool all_stay(const ee_placement_task *t, const int *device) {
  for (int u = 0; t->leaves != NULL && u < t->units->n; u++) {
    ee_leaving leaves = t->leaves[device[u]];
    if (leaves == EE_LEAVES_FOR_EVER || (leaves != EE_STAYS && t->needed[u])) return false;
  }
  return true;
}

/* Bytes that device @p d has too few of for @p room. */
static double lacks(const ee_placement_task *t, int d, const ee_unit_room *room) {
  double bytes = (double)ee_unit_room_bytes(room[d]), most = t->memory[d];
  return most > 0.0 && bytes > most ? bytes - most : 0.0;
}

/* Of all devices. */
static ee_status count_lacking(const search *s, const int *device, double *bytes) {
  const ee_placement_task *t = s->task;
  *bytes                     = 0.0;
  if (t->takes == NULL || t->memory == NULL) return EE_OK;
  EE_TRY(ee_unit_memory_on(t->takes, device, t->beside, t->fleet.n_devices, s->room));
  for (int d = 0; d < t->fleet.n_devices; d++) *bytes += lacks(t, d, s->room);
  return EE_OK;
}

static int devices_used(const ee_placement_task *t, const int *device) {
  int used = 0;
  for (int d = 0; d < t->fleet.n_devices; d++) {
    int u = 0;
    while (u < t->units->n && device[u] != d) u++;
    used += u < t->units->n;
  }
  return used;
}

static bool is_better(const double *a, const double *b) {
  for (int i = 0; i < MARKS; i++) {
    if (a[i] < b[i] * (1.0 - NEAR)) return true;
    if (a[i] > b[i] * (1.0 + NEAR)) return false;
  }
  return false;
}

/* What s->device is compared by. */
static ee_status judge(const search *s, double *mark) {
  ee_placement_forecast f;
  for (int i = 0; i < MARKS; i++) mark[i] = 0.0;
  EE_TRY(count_lacking(s, s->device, &mark[LACKING]));
  if (mark[LACKING] > 0.0) return EE_OK;
  EE_TRY(ee_placement_forecast_of(s->task, s->device, &f));
  mark[WANTED]     = s->by_latency ? f.latency : f.period;
  mark[WANTED + 1] = s->by_latency ? f.period : f.latency;
  mark[WANTED + 2] = devices_used(s->task, s->device);
  return EE_OK;
}

/* Keep s->device if it is the best so far.  Returns whether it is. */
static bool try(search *s) {
  double mark[MARKS];
  s->tries++;
  if (s->status != EE_OK || !has_speeds(s->task, s->device) || !all_stay(s->task, s->device)) {
    return false;
  }
  s->status = judge(s, mark);
  if (s->status != EE_OK || !is_better(mark, s->found)) return false;
  memcpy(s->found, mark, sizeof mark);
  memcpy(s->best, s->device, (size_t)s->task->units->n * sizeof *s->best);
  return true;
}

/* All units of lane @p lane (-1: none) to device @p d. */
static void give_lane(search *s, int lane, int d) {
  for (int u = 0; u < s->task->units->n; u++) {
    if (s->task->units->unit[u].lane == lane) s->device[u] = d;
  }
}

/* Every placement of the lanes from @p lane on, the one without number being the last. */
static void try_all(search *s, int lane) {
  if (lane > s->task->units->n_lanes) {
    try(s);
    return;
  }
  for (int d = 0; d < s->task->fleet.n_devices; d++) {
    give_lane(s, lane < s->task->units->n_lanes ? lane : -1, d);
    try_all(s, lane + 1);
  }
}

/* Move one lane at a time to wherever that is best, as long as it helps. */
static void improve_lanes(search *s) {
  bool improved = true;
  while (improved && s->status == EE_OK) {
    improved = false;
    for (int lane = -1; lane < s->task->units->n_lanes; lane++) {
      for (int d = 0; d < s->task->fleet.n_devices; d++) {
        memcpy(s->device, s->best, (size_t)s->task->units->n * sizeof *s->device);
        give_lane(s, lane, d);
        improved |= try(s);
      }
    }
  }
}

static void improve_units(search *s) {
  bool improved = true;
  while (improved && s->status == EE_OK) {
    improved = false;
    for (int u = 0; u < s->task->units->n; u++) {
      for (int d = 0; d < s->task->fleet.n_devices; d++) {
        memcpy(s->device, s->best, (size_t)s->task->units->n * sizeof *s->device);
        s->device[u] = d;
        improved |= try(s);
      }
    }
  }
}

/* Two units at a time.  Returns whether that helped. */
static bool improve_pairs(search *s) {
  int  n = s->task->units->n, devices = s->task->fleet.n_devices;
  bool improved = false;
  if ((int64_t)n * n * devices * devices > 2 * EE_PLACEMENTS_TRIED) return false;
  for (int i = 0; i < n * devices && s->status == EE_OK; i++) {
    for (int k = i + 1; k < n * devices; k++) {
      memcpy(s->device, s->best, (size_t)n * sizeof *s->device);
      s->device[i / devices] = i % devices;
      s->device[k / devices] = k % devices;
      improved |= try(s);
    }
  }
  return improved;
}

/* As it is; lanes in turn on the devices that have a speed. */
static void begin_in_turn(search *s) {
  const ee_placement_task *t = s->task;
  if (t->beside != NULL) {
    memcpy(s->device, t->beside, (size_t)t->units->n * sizeof *s->device);
    try(s);
  }
  for (int lane = -1, d = t->fleet.source; lane < t->units->n_lanes; lane++) {
    give_lane(s, lane, d);
    do {
      d = (d + 1) % t->fleet.n_devices;
    } while (t->fleet.speed[d] <= 0.0 && d != t->fleet.source);
  }
  try(s);
  for (int d = 0; d < t->fleet.n_devices; d++) {  // and everything on one
    for (int u = 0; u < t->units->n; u++) s->device[u] = d;
    try(s);
  }
}

static void improve(search *s) {
  do {
    improve_units(s);
  } while (improve_pairs(s));
}

/* Begin again with units anywhere; *before is the best so far, and then that of both. */
static void begin_anew(search *s, ee_rng *rng, int *before) {
  size_t bytes = (size_t)s->task->units->n * sizeof *before;
  double found[MARKS];
  memcpy(before, s->best, bytes);
  memcpy(found, s->found, sizeof found);
  for (int u = 0; u < s->task->units->n; u++) {
    s->device[u] = (int)ee_rng_below(rng, (uint64_t)s->task->fleet.n_devices);
  }
  s->found[LACKING] = INFINITY;
  if (try(s)) improve(s);
  if (is_better(s->found, found)) return;
  memcpy(s->best, before, bytes);
  memcpy(s->found, found, sizeof found);
}

/* As long as nothing fits, and not for long: a run may wait for this. */
static void look_elsewhere(search *s) {
  ee_rng rng    = ee_rng_at(1, 0);
  int   *before = calloc((size_t)s->task->units->n + 1, sizeof *before);
  if (before == NULL) s->status = EE_FAIL(EE_ERR_NOMEM, "for %d units", s->task->units->n);
  s->tries = 0;
  for (int i = 0; i < STARTS && s->tries < EE_PLACEMENTS_TRIED && s->status == EE_OK; i++) {
    if (s->found[LACKING] > 0.0) begin_anew(s, &rng, before);
  }
  free(before);
}

static void find(search *s) {
  double all = pow(s->task->fleet.n_devices, s->task->units->n_lanes + 1);
  begin_in_turn(s);
  if (all <= EE_PLACEMENTS_TRIED) {
    try_all(s, 0);
  } else if (s->found[LACKING] < INFINITY) {
    improve_lanes(s);
  }
  if (s->found[LACKING] < INFINITY) improve(s);
  if (s->found[LACKING] > 0.0) look_elsewhere(s);
}

/* What the nearest placement lacks most. */
static ee_status say_lacking(const search *s) {
  const ee_placement_task *t = s->task;
  double                   all;
  int                      worst = 0;
  EE_TRY(count_lacking(s, s->best, &all));
  for (int d = 1; d < t->fleet.n_devices; d++) {
    if (lacks(t, d, s->room) > lacks(t, worst, s->room)) worst = d;
  }
  return EE_FAIL(EE_ERR_ARG,
                 "no placement of %d units was found that fits into the memories of %d devices; in "
                 "the nearest device %d needs %zu byte, of them %zu for messages, and has %.0f",
                 t->units->n, t->fleet.n_devices, worst, ee_unit_room_bytes(s->room[worst]),
                 s->room[worst].messages, t->memory[worst]);
}

static ee_status check_found(const search *s) {
  if (!(s->found[LACKING] < INFINITY)) {
    return EE_FAIL(EE_ERR_ARG, "none of %d devices can be given units: they are away, or leave",
                   s->task->fleet.n_devices);
  }
  return s->found[LACKING] > 0.0 ? say_lacking(s) : EE_OK;
}

ee_status ee_placement_find(const ee_placement_task *task, bool by_latency, int *device) {
  search s = {.task       = task,
              .by_latency = by_latency,
              .device     = calloc((size_t)task->units->n + 1, sizeof *s.device),
              .best       = device,
              .room       = calloc((size_t)task->fleet.n_devices, sizeof *s.room),
              .found      = {INFINITY, INFINITY, INFINITY, INFINITY}};
  s.status = s.device != NULL && s.room != NULL
                 ? EE_OK
                 : EE_FAIL(EE_ERR_NOMEM, "for %d units", task->units->n);
  if (s.status == EE_OK) find(&s);
  if (s.status == EE_OK) s.status = check_found(&s);
  free(s.device);
  free(s.room);
  return s.status;
}
