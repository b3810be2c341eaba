/* SPDX-License-Identifier: Apache-2.0 */
/* What a placement of units promises: one sample alone, event by event, and the loads of a stream.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/placement.h"

/* One sample under way. */
typedef struct flow {
  const ee_placement_task *task;
  const int               *device;
  bool                    *done;     // shape [n]
  double                  *end;      // shape [n], of each unit [s]
  double                  *come;     // shape [n + 1, n_devices], when what unit u - 1 made is there
  double                  *free_at;  // shape [n_devices], of each device [s]
  double                  *link;     // shape [n_devices, n_devices], of each link [s]
  double                  *load;     // shape [n_devices + n_devices^2], of a stream [s]
} flow;

static double bytes_of(const ee_model *m, const ee_unit_input *in) {
  const ee_shape *shape = &m->value[in->value].shape;
  double          bytes = (double)ee_model_value_elements(m, in->value) * (double)sizeof(float);
  bool            part  = in->rows.begin != in->rows.end && shape->rank > 2;
  return part ? bytes * (double)(in->rows.end - in->rows.begin) / (double)shape->dim[2] : bytes;
}

static bool same_input(const ee_unit_input *a, const ee_unit_input *b) {
  return a->from == b->from && a->value == b->value && a->rows.begin == b->rows.begin &&
         a->rows.end == b->rows.end;
}

/* Whether a unit before @p u on the same device reads the same. */
static bool is_read_before(const flow *f, int u, const ee_unit_input *in) {
  for (int k = 0; k < u; k++) {
    const ee_unit *unit = &f->task->units->unit[k];
    for (int i = 0; i < unit->n_inputs && f->device[k] == f->device[u]; i++) {
      if (same_input(&unit->input[i], in)) return true;
    }
  }
  return false;
}

/* Bytes that device @p to reads of what unit @p from (-1: the source) made. */
static double bytes_to(const flow *f, int from, int to) {
  const ee_units *units = f->task->units;
  double          bytes = 0.0;
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    for (int i = 0; i < unit->n_inputs && f->device[u] == to; i++) {
      const ee_unit_input *in = &unit->input[i];
      if (in->from == from && !is_read_before(f, u, in)) bytes += bytes_of(units->whole, in);
    }
  }
  return bytes;
}

static double seconds_on_link(const ee_placement_task *t, int from, int to, double bytes) {
  double bandwidth = t->bandwidth != NULL ? t->bandwidth[from * t->n_devices + to] : 0.0;
  return bandwidth > 0.0 ? bytes / bandwidth : 0.0;
}

/* How long a word takes from one device to another [s]. */
static double word(const ee_placement_task *t, int from, int to) {
  return from != to && t->latency != NULL ? t->latency[from * t->n_devices + to] : 0.0;
}

/* What unit @p u (-1: the source) made at @p now goes to all devices that read it. */
static void send(flow *f, int u, double now, double reach) {
  const ee_placement_task *t    = f->task;
  int                      from = u < 0 ? t->source : f->device[u];
  for (int to = 0; to < t->n_devices; to++) {
    double *come = &f->come[(u + 1) * t->n_devices + to];
    *come        = now;
    if (to == from) continue;
    double bytes = bytes_to(f, u, to);
    if (bytes <= 0.0) continue;
    double *link    = &f->link[from * t->n_devices + to];
    double  through = seconds_on_link(t, from, to, bytes);
    *link           = fmax(*link, now) + through;
    *come           = *link + word(t, from, to);
    f->load[t->n_devices + from * t->n_devices + to] += reach * through;
  }
}

/* When unit @p u can begin; INFINITY: something that it reads is not made yet. */
static double ready_at(const flow *f, int u) {
  const ee_placement_task *t    = f->task;
  const ee_unit           *unit = &t->units->unit[u];
  double                   at   = f->free_at[f->device[u]];
  for (int i = 0; i < unit->n_inputs; i++) {
    int from = unit->input[i].from;
    if (from >= 0 && !f->done[from]) return INFINITY;
    at = fmax(at, f->come[(from + 1) * t->n_devices + f->device[u]]);
  }
  int before = unit->stage - 1 - t->ahead;
  if (unit->exit >= 0) before = unit->stage - 1;
  if (before < 0) return at;
  int decider = ee_units_of_exit(t->units, before);
  if (!f->done[decider]) return INFINITY;
  return fmax(at, f->end[decider] + word(t, f->device[decider], f->device[u]));
}

/* The unit that begins next: the earliest, of these that of the first stage. */
static int next_unit(const flow *f, double *at) {
  const ee_units *units = f->task->units;
  int             best  = -1;
  *at                   = INFINITY;
  for (int u = 0; u < units->n; u++) {
    if (f->done[u]) continue;
    double begin = ready_at(f, u);
    bool   first =
        best < 0 || begin < *at || (begin == *at && units->unit[u].stage < units->unit[best].stage);
    if (!first) continue;
    best = u;
    *at  = begin;
  }
  return best;
}

static void go(flow *f) {
  const ee_placement_task *t = f->task;
  send(f, -1, 0.0, 1.0);
  for (int k = 0; k < t->units->n; k++) {
    double begin;
    int    u     = next_unit(f, &begin);
    double speed = t->speed[f->device[u]], reach = t->reach[t->units->unit[u].stage];
    double takes             = speed > 0.0 ? t->work[u] / speed : INFINITY;
    f->done[u]               = true;
    f->end[u]                = begin + takes;
    f->free_at[f->device[u]] = f->end[u];
    f->load[f->device[u]] += reach > 0.0 ? reach * takes : 0.0;
    send(f, u, f->end[u], reach);
  }
}

static void sum_up(const flow *f, ee_placement_forecast *forecast) {
  const ee_placement_task *t       = f->task;
  int                      n_exits = t->units->whole->n_exits;
  *forecast                        = (ee_placement_forecast){0};
  for (int e = 0; e < n_exits; e++) {
    int    u    = ee_units_of_exit(t->units, e);
    double end  = f->end[u] + word(t, f->device[u], t->source);
    double left = t->reach[e] - (e + 1 < n_exits ? t->reach[e + 1] : 0.0);
    if (left > 0.0) forecast->latency += left * end;
    if (e == 0) forecast->first = end;
    forecast->last = end;
  }
  for (int i = 0; i < t->n_devices * (t->n_devices + 1); i++) {
    forecast->period = fmax(forecast->period, f->load[i]);
  }
}

ee_status ee_placement_forecast_of(const ee_placement_task *task, const int *device,
                                   ee_placement_forecast *forecast) {
  size_t n = (size_t)task->units->n, p = (size_t)task->n_devices;
  flow   f     = {.task    = task,
                  .device  = device,
                  .done    = calloc(n + 1, sizeof *f.done),
                  .end     = calloc(n + 1, sizeof *f.end),
                  .come    = calloc((n + 1) * p, sizeof *f.come),
                  .free_at = calloc(p, sizeof *f.free_at),
                  .link    = calloc(p * p, sizeof *f.link),
                  .load    = calloc(p * (p + 1), sizeof *f.load)};
  bool   there = f.done != NULL && f.end != NULL && f.come != NULL && f.free_at != NULL &&
               f.link != NULL && f.load != NULL;
  if (there) {
    go(&f);
    sum_up(&f, forecast);
  }
  free(f.done);
  free(f.end);
  free(f.come);
  free(f.free_at);
  free(f.link);
  free(f.load);
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %zu units on %zu devices", n, p);
}
