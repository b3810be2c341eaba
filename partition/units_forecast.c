/* SPDX-License-Identifier: Apache-2.0 */
/* One sample through units, event by event; and what a stream of samples takes. */
#include "ee/units_forecast.h"

#include <math.h>
#include <stdlib.h>

enum { ROW_AXIS = 2 };

/* Messages: what a unit made, or the input, for one device. */
typedef struct mail {
  int     n_units, n_devices;
  double *bytes;  // shape [n_units + 1, n_devices], the input first; 0: nothing goes there
} mail;

static double *bytes_of(const mail *m, int from, int d) {
  return &m->bytes[(size_t)(from + 1) * (size_t)m->n_devices + (size_t)d];
}

/* Of one sample; all of a value that is no picture. */
static double input_bytes(const ee_model *model, const ee_unit_input *in) {
  const ee_shape *shape = &model->value[in->value].shape;
  double          bytes = (double)ee_model_value_elements(model, in->value) * sizeof(float);
  if (shape->rank <= ROW_AXIS || in->rows.begin == in->rows.end) return bytes;
  return bytes * (double)(in->rows.end - in->rows.begin) / (double)shape->dim[ROW_AXIS];
}

static bool is_same(const ee_unit_input *a, const ee_unit_input *b) {
  return a->from == b->from && a->value == b->value && a->rows.begin == b->rows.begin &&
         a->rows.end == b->rows.end;
}

/* Whether a unit of the same device, or an earlier input, reads the same. */
static bool is_read_before(const ee_units *units, int u, int i) {
  const ee_unit_input *in = &units->unit[u].input[i];
  for (int k = 0; k <= u; k++) {
    const ee_unit *other = &units->unit[k];
    int            n     = k < u ? other->n_inputs : i;
    if (other->device != units->unit[u].device) continue;
    for (int j = 0; j < n; j++) {
      if (is_same(&other->input[j], in)) return true;
    }
  }
  return false;
}

static int device_of(const ee_units *units, const ee_band_fleet *fleet, int u) {
  return u >= 0 ? units->unit[u].device : fleet->source;
}

static ee_status find_mail(const ee_units *units, const ee_band_fleet *fleet, mail *m) {
  size_t n_units = (size_t)units->n + 1, n_devices = (size_t)fleet->n_devices;
  *m = (mail){units->n, fleet->n_devices, calloc(n_units * n_devices, sizeof *m->bytes)};
  if (m->bytes == NULL) return EE_FAIL(EE_ERR_NOMEM, "for messages of %d units", units->n);
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    for (int i = 0; i < unit->n_inputs; i++) {
      const ee_unit_input *in   = &unit->input[i];
      int                  from = device_of(units, fleet, in->from);
      if (from < 0 || from == unit->device || is_read_before(units, u, i)) continue;
      *bytes_of(m, in->from, unit->device) += input_bytes(units->whole, in);
    }
  }
  return EE_OK;
}

static double transfer(const ee_band_fleet *f, int from, int to, double bytes) {
  double bandwidth = f->bandwidth != NULL ? f->bandwidth[from * f->n_devices + to] : 0.0;
  return bandwidth > 0.0 ? bytes / bandwidth : 0.0;
}

static double latency(const ee_band_fleet *f, int from, int to) {
  return f->latency != NULL && from != to ? f->latency[from * f->n_devices + to] : 0.0;
}

/* A sample on its way. */
typedef struct walk {
  const ee_units      *units;
  const double        *work;
  const ee_band_fleet *fleet;
  int                  ahead, n_exits;
  mail                 mail;
  double              *there;    // shape [n_units + 1, n_devices], when what was made is there [s]
  double              *passed;   // shape [n_exits, n_devices], when a device knows what was decided
  double              *link;     // shape [n_devices, n_devices], when it is free
  double              *free_at;  // shape [n_devices]
  bool                *done;     // shape [n_units]
} walk;

static double *there_of(const walk *w, int from, int d) {
  return &w->there[(size_t)(from + 1) * (size_t)w->fleet->n_devices + (size_t)d];
}

/* Unit @p u, or the input, was made at @p now: messages leave. */
static void give(walk *w, int u, double now) {
  int from = device_of(w->units, w->fleet, u);
  for (int d = 0; d < w->fleet->n_devices; d++) {
    double bytes = *bytes_of(&w->mail, u, d), at = now;
    if (bytes > 0.0) {
      double *link = &w->link[from * w->fleet->n_devices + d];
      *link        = fmax(*link, now) + transfer(w->fleet, from, d, bytes);
      at           = *link + latency(w->fleet, from, d);
    }
    *there_of(w, u, d) = at;
  }
}

/* A few bytes, behind what the unit itself gives to the device. */
static void tell(walk *w, int exit, int from, double now) {
  int n = w->fleet->n_devices;
  for (int d = 0; d < n; d++) {
    double sent             = d != from ? fmax(w->link[from * n + d], now) : now;
    w->passed[exit * n + d] = sent + latency(w->fleet, from, d);
  }
}

/* When all that the unit waits for is there; INFINITY: not known yet. */
static double ready_at(const walk *w, int u) {
  const ee_unit *unit  = &w->units->unit[u];
  double         ready = 0.0;
  int            exit  = unit->exit >= 0 ? unit->exit - 1 : unit->stage - w->ahead - 1;
  for (int i = 0; i < unit->n_inputs; i++) {
    ready = fmax(ready, *there_of(w, unit->input[i].from, unit->device));
  }
  if (exit < 0) return ready;
  return fmax(ready, w->passed[exit * w->fleet->n_devices + unit->device]);
}

/* The unit that begins next of all, and when; -1: none can. */
static int choose(const walk *w, double *when) {
  int best = -1;
  *when    = INFINITY;
  for (int u = 0; u < w->units->n; u++) {
    double at = w->done[u] ? INFINITY : fmax(ready_at(w, u), w->free_at[w->units->unit[u].device]);
    if (at >= *when) continue;
    *when = at;
    best  = u;
  }
  return best;
}

static void follow(walk *w, double *seconds, double *heard) {
  double now;
  for (int e = 0; e < w->n_exits; e++) {
    seconds[e] = INFINITY;
    if (heard != NULL) heard[e] = INFINITY;
  }
  give(w, -1, 0.0);
  for (int u; (u = choose(w, &now)) >= 0;) {
    const ee_unit *unit      = &w->units->unit[u];
    double         speed     = w->fleet->speed[unit->device];
    double         end       = speed > 0.0 ? now + w->work[u] / speed : INFINITY;
    w->done[u]               = true;
    w->free_at[unit->device] = end;
    give(w, u, end);
    if (unit->exit < 0) continue;
    tell(w, unit->exit, unit->device, end);
    int source          = w->fleet->source >= 0 ? w->fleet->source : unit->device;
    seconds[unit->exit] = end;
    if (heard != NULL) heard[unit->exit] = w->passed[unit->exit * w->fleet->n_devices + source];
  }
}

static ee_status walk_open(walk *w) {
  size_t units = (size_t)w->units->n + 1, devices = (size_t)w->fleet->n_devices;
  EE_TRY(find_mail(w->units, w->fleet, &w->mail));
  w->there   = malloc(units * devices * sizeof *w->there);
  w->passed  = malloc(((size_t)w->n_exits + 1) * devices * sizeof *w->passed);
  w->link    = calloc(devices * devices, sizeof *w->link);
  w->free_at = calloc(devices, sizeof *w->free_at);
  w->done    = calloc(units, sizeof *w->done);
  if (w->there == NULL || w->passed == NULL || w->link == NULL || w->free_at == NULL ||
      w->done == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "to follow a sample through %d units", w->units->n);
  }
  for (size_t i = 0; i < units * devices; i++) w->there[i] = INFINITY;
  for (size_t i = 0; i < (size_t)w->n_exits * devices; i++) w->passed[i] = INFINITY;
  return EE_OK;
}

static void walk_close(walk *w) {
  free(w->mail.bytes);
  free(w->there);
  free(w->passed);
  free(w->link);
  free(w->free_at);
  free(w->done);
}

ee_status ee_units_forecast(const ee_units *units, const double *work, const ee_band_fleet *fleet,
                            int ahead, double *seconds, double *heard) {
  EE_TRY(ee_units_check(units, fleet->n_devices));
  walk      w      = {.units   = units,
                      .work    = work,
                      .fleet   = fleet,
                      .ahead   = ahead,
                      .n_exits = units->whole->n_exits};
  ee_status status = walk_open(&w);
  if (status == EE_OK) follow(&w, seconds, heard);
  walk_close(&w);
  return status;
}

static void take_slower(ee_units_load *load, int from, int to, double seconds) {
  if (seconds <= load->period) return;
  load->period = seconds;
  load->from   = from;
  load->to     = to;
}

/* Seconds of device @p d per sample. */
static double busy_of(const ee_units *units, const double *work, const ee_band_fleet *fleet,
                      const double *reach, int d) {
  double busy = 0.0;
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    if (unit->device == d) busy += (reach != NULL ? reach[unit->stage] : 1.0) * work[u];
  }
  return busy > 0.0 ? busy / fleet->speed[d] : 0.0;
}

/* Share of samples of which unit @p u, or the input, is sent. */
static double share_of(const ee_units *units, const double *reach, int u) {
  return u >= 0 && reach != NULL ? reach[units->unit[u].stage] : 1.0;
}

ee_status ee_units_load_of(const ee_units *units, const double *work, const ee_band_fleet *fleet,
                           const double *reach, ee_units_load *load) {
  mail m;
  int  n = fleet->n_devices;
  *load  = (ee_units_load){0};
  EE_TRY(ee_units_check(units, n));
  EE_TRY(find_mail(units, fleet, &m));
  for (int d = 0; d < n; d++) take_slower(load, d, d, busy_of(units, work, fleet, reach, d));
  for (int from = 0; from < n; from++) {
    for (int to = 0; to < n; to++) {
      double bytes = 0.0;
      for (int u = -1; u < units->n; u++) {
        if (device_of(units, fleet, u) != from) continue;
        bytes += share_of(units, reach, u) * *bytes_of(&m, u, to);
      }
      load->bytes += bytes;
      take_slower(load, from, to, transfer(fleet, from, to, bytes));
    }
  }
  free(m.bytes);
  return EE_OK;
}
