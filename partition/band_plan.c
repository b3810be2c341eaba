/* SPDX-License-Identifier: Apache-2.0 */
/* After how many layers devices exchange rows: the shortest way from the first cut to the last. */
#include "ee/band_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "band_heights.h"

void ee_band_plan_destroy(ee_band_plan **plan) {
  ee_band_plan *p = *plan;
  if (p == NULL) return;
  free(p->cut);
  free(p->row);
  free(p->seconds);
  free(p);
  *plan = NULL;
}

static ee_status check_fleet(const ee_band_costs *costs, const ee_band_fleet *f) {
  if (costs->n_cuts < 2) return EE_FAIL(EE_ERR_ARG, "no layers between %d cuts", costs->n_cuts);
  if (f->n_devices < 1) return EE_FAIL(EE_ERR_ARG, "%d devices, need at least 1", f->n_devices);
  if (f->source < -1 || f->source >= f->n_devices || f->most < 0) {
    return EE_FAIL(EE_ERR_ARG, "source %d of %d devices, at most %d cuts between exchanges",
                   f->source, f->n_devices, f->most);
  }
  for (int d = 0; d < f->n_devices; d++) {
    if (isfinite(f->speed[d]) && f->speed[d] > 0.0) continue;
    return EE_FAIL(EE_ERR_ARG, "device %d has a speed of %g FLOP/s, which must be positive", d,
                   f->speed[d]);
  }
  for (int k = 0; k < f->n_devices * f->n_devices; k++) {
    double bandwidth = f->bandwidth != NULL ? f->bandwidth[k] : 0.0;
    double latency   = f->latency != NULL ? f->latency[k] : 0.0;
    if (isfinite(bandwidth) && bandwidth >= 0.0 && isfinite(latency) && latency >= 0.0) continue;
    return EE_FAIL(EE_ERR_ARG, "the link from device %d to %d has %g byte/s and %g s latency",
                   k / f->n_devices, k % f->n_devices, bandwidth, latency);
  }
  return EE_OK;
}

/* The shortest way to each cut. */
typedef struct ways {
  const ee_band_costs *costs;
  const ee_band_fleet *fleet;
  double              *total, *seconds;  // shape [n_cuts], up to it, of its last range
  int                 *before;           // shape [n_cuts], where its last range begins
  int64_t             *row;              // shape [n_cuts, n_devices + 1]
  int64_t             *trial;            // shape [n_devices + 1], scratch
} ways;

static int64_t *rows_at(const ways *w, int cut) {
  return w->row + (size_t)cut * ((size_t)w->fleet->n_devices + 1);
}

/* Where the input is: on the source alone. */
static void set_input(const ways *w) {
  int64_t *row = rows_at(w, 0);
  for (int d = 0; d <= w->fleet->n_devices; d++) {
    row[d] = d > w->fleet->source ? w->costs->height[0] : 0;
  }
}

static ee_band_step step_of(const ways *w, int from, int to) {
  bool everywhere = from == 0 && w->fleet->source < 0;
  return (ee_band_step){w->costs, w->fleet, from, to, everywhere ? NULL : rows_at(w, from)};
}

static ee_status find_way(const ways *w, int to) {
  size_t bytes = ((size_t)w->fleet->n_devices + 1) * sizeof *w->row;
  int    most = w->fleet->most, first = most > 0 && to > most ? to - most : 0;
  w->total[to] = INFINITY;
  for (int from = first; from < to; from++) {
    ee_band_step step = step_of(w, from, to);
    double       seconds;
    EE_TRY(ee_band_heights(&step, w->trial, &seconds));
    if (w->total[from] + seconds >= w->total[to]) continue;
    w->total[to]   = w->total[from] + seconds;
    w->seconds[to] = seconds;
    w->before[to]  = from;
    memcpy(rows_at(w, to), w->trial, bytes);
  }
  return EE_OK;
}

/* All layers on one device. */
static double seconds_alone(const ways *w) {
  ee_band_step step = step_of(w, 0, w->costs->n_cuts - 1);
  ee_rows      all  = {0, w->costs->height[step.to]};
  double       best = INFINITY;
  for (int d = 0; d < w->fleet->n_devices; d++) {
    best = fmin(best, ee_band_share_of(&step, d, all).seconds);
  }
  return best;
}

static void add_range(const ways *w, int to, int k, ee_band_plan *plan) {
  int            n    = w->fleet->n_devices;
  ee_band_step   step = step_of(w, w->before[to], to);
  const int64_t *row  = rows_at(w, to);
  plan->cut[k]        = w->costs->cut[step.from];
  plan->cut[k + 1]    = w->costs->cut[to];
  plan->seconds[k]    = w->seconds[to];
  memcpy(plan->row + (size_t)k * ((size_t)n + 1), row, ((size_t)n + 1) * sizeof *row);
  for (int d = 0; d < n; d++) {
    ee_band_share share = ee_band_share_of(&step, d, (ee_rows){row[d], row[d + 1]});
    plan->bytes += share.bytes;
    plan->flops += share.flops;
  }
}

static ee_status write_plan(const ways *w, ee_band_plan **plan) {
  int           n = w->fleet->n_devices, last = w->costs->n_cuts - 1, ranges = 0;
  ee_band_plan *p = calloc(1, sizeof *p);
  if (p == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a plan of bands");
  for (int cut = last; cut > 0; cut = w->before[cut]) ranges++;
  *p    = (ee_band_plan){.n_ranges    = ranges,
                         .n_devices   = n,
                         .cut         = calloc((size_t)ranges + 1, sizeof *p->cut),
                         .row         = calloc((size_t)ranges * ((size_t)n + 1), sizeof *p->row),
                         .seconds     = calloc((size_t)ranges, sizeof *p->seconds),
                         .total       = w->total[last],
                         .alone       = seconds_alone(w),
                         .whole_flops = w->costs->range[last].until[w->costs->height[last]]};
  *plan = p;
  if (p->cut == NULL || p->row == NULL || p->seconds == NULL) {
    ee_band_plan_destroy(plan);
    return EE_FAIL(EE_ERR_NOMEM, "for a plan of %d ranges", ranges);
  }
  for (int cut = last, k = ranges - 1; cut > 0; cut = w->before[cut], k--) add_range(w, cut, k, p);
  return EE_OK;
}

static ee_status find_ways(const ways *w) {
  if (w->total == NULL || w->seconds == NULL || w->before == NULL || w->row == NULL ||
      w->trial == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for bands at %d cuts", w->costs->n_cuts);
  }
  set_input(w);
  for (int to = 1; to < w->costs->n_cuts; to++) EE_TRY(find_way(w, to));
  return EE_OK;
}

ee_status ee_band_plan_find(const ee_band_costs *costs, const ee_band_fleet *fleet,
                            ee_band_plan **plan) {
  *plan = NULL;
  EE_TRY(check_fleet(costs, fleet));
  size_t    cuts = (size_t)costs->n_cuts, bounds = (size_t)fleet->n_devices + 1;
  ways      w      = {.costs   = costs,
                      .fleet   = fleet,
                      .total   = calloc(cuts, sizeof *w.total),
                      .seconds = calloc(cuts, sizeof *w.seconds),
                      .before  = calloc(cuts, sizeof *w.before),
                      .row     = calloc(cuts * bounds, sizeof *w.row),
                      .trial   = calloc(bounds, sizeof *w.trial)};
  ee_status status = find_ways(&w);
  if (status == EE_OK) status = write_plan(&w, plan);
  free(w.total);
  free(w.seconds);
  free(w.before);
  free(w.row);
  free(w.trial);
  return status;
}
