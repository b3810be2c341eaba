/* SPDX-License-Identifier: Apache-2.0 */
/* After how many layers devices exchange rows: the shortest way from the first cut to the last. */
#include "ee/band_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "band_heights.h"

#define SHORTER 1e-12  // than this, relatively, is no shorter
enum { FASTEST = 4 };  // most devices of which the fastest are tried by themselves

void ee_band_plan_destroy(ee_band_plan **plan) {
  ee_band_plan *p = *plan;
  if (p == NULL) return;
  free(p->cut);
  free(p->row);
  free(p->seconds);
  free(p);
  *plan = NULL;
}

static ee_status check_speeds(const ee_band_fleet *f) {
  double fastest = 0.0;
  for (int d = 0; d < f->n_devices; d++) {
    fastest = fmax(fastest, f->speed[d]);
    if (isfinite(f->speed[d]) && f->speed[d] >= 0.0) continue;
    return EE_FAIL(EE_ERR_ARG, "device %d has a speed of %g FLOP/s, which must not be negative", d,
                   f->speed[d]);
  }
  if (fastest > 0.0) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "all %d devices are away", f->n_devices);
}

static ee_status check_shares(const ee_band_fleet *f) {
  double sum = 0.0;
  for (int d = 0; d < f->n_devices && f->share != NULL; d++) {
    sum += f->share[d];
    if (f->share[d] >= 0.0 && (f->share[d] == 0.0 || f->speed[d] > 0.0)) continue;
    return EE_FAIL(EE_ERR_ARG,
                   "device %d gets %g of the rows; expected at least 0, and none if it is away", d,
                   f->share[d]);
  }
  if (f->share == NULL || fabs(sum - 1.0) < 1e-6) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "shares of the rows add up to %g, not to 1", sum);
}

static ee_status check_fleet(const ee_band_costs *costs, const ee_band_fleet *f) {
  if (costs->n_cuts < 2) return EE_FAIL(EE_ERR_ARG, "no layers between %d cuts", costs->n_cuts);
  if (f->n_devices < 1) return EE_FAIL(EE_ERR_ARG, "%d devices, need at least 1", f->n_devices);
  if (f->source < -1 || f->source >= f->n_devices || f->most < 0) {
    return EE_FAIL(EE_ERR_ARG, "source %d of %d devices, at most %d cuts between exchanges",
                   f->source, f->n_devices, f->most);
  }
  EE_TRY(check_speeds(f));
  EE_TRY(check_shares(f));
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
  double              *total;   // shape [n_cuts], weighed, up to it
  int                 *before;  // shape [n_cuts], where its last range begins
  int64_t             *row;     // shape [n_cuts, n_devices + 1]
  int64_t             *trial;   // shape [n_devices + 1], scratch
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
    if (!ee_band_range_exists(w->costs, from, to)) continue;
    ee_band_step step = step_of(w, from, to);
    double       weighed;
    EE_TRY(ee_band_heights(&step, w->trial, &weighed));
    if (w->total[from] + weighed >= w->total[to]) continue;
    w->total[to]  = w->total[from] + weighed;
    w->before[to] = from;
    memcpy(rows_at(w, to), w->trial, bytes);
  }
  return EE_OK;
}

static double work_behind(const ways *w, int cut) {
  return w->fleet->behind != NULL ? w->fleet->behind[cut] : 0.0;
}

/* All layers on device @p d. */
static double seconds_on(const ways *w, int d) {
  int    last = w->costs->n_cuts - 1, from = 0;
  double seconds = 0.0;
  while (from < last) {
    ee_band_step step = step_of(w, from, ee_band_range_longest(w->costs, from, last));
    ee_rows      all  = {0, w->costs->height[step.to]};
    if (from > 0) step.own = NULL;
    seconds += ee_band_share_of(&step, d, all).seconds;
    from = step.to;
  }
  return seconds + work_behind(w, last) / w->fleet->speed[d];
}

static double seconds_alone(const ways *w) {
  double best = INFINITY;
  for (int d = 0; d < w->fleet->n_devices; d++) {
    if (w->fleet->speed[d] > 0.0) best = fmin(best, seconds_on(w, d));
  }
  return best;
}

/* Where bands end, and who does what follows. */
typedef struct ending {
  int    cut, device;
  double weighed;  // gathering and what follows, and what is held by its price [s]
} ending;

static ending ending_on(const ways *w, int cut, int d) {
  ee_band_step step    = step_of(w, cut, cut);
  double       bytes   = 0.0;
  ee_rows      all     = {0, w->costs->height[cut]};
  double       wait    = ee_band_receive(&step, d, all, &bytes);
  double       held    = w->fleet->burden != NULL ? w->fleet->burden->held_behind[cut] : 0.0;
  double       seconds = wait + work_behind(w, cut) / w->fleet->speed[d];
  return (ending){cut, d, seconds + ee_band_weight(&step, d, all, held)};
}

static ending find_ending(const ways *w) {
  int    last = w->costs->n_cuts - 1;
  ending best = {.cut = last, .device = -1};
  if (w->fleet->behind == NULL) return best;
  best.weighed = INFINITY;
  for (int cut = last; cut > 0; cut--) {
    for (int d = 0; d < w->fleet->n_devices; d++) {
      if (w->fleet->speed[d] == 0.0) continue;
      ending e = ending_on(w, cut, d);
      if (w->total[cut] + e.weighed < w->total[best.cut] + best.weighed) best = e;
    }
  }
  return best;
}

ee_status ee_band_plan_create(int n_ranges, int n_devices, ee_band_plan **plan) {
  size_t        ranges = (size_t)n_ranges, bounds = (size_t)n_devices + 1;
  ee_band_plan *p = calloc(1, sizeof *p);
  *plan           = p;
  if (p != NULL) {
    *p = (ee_band_plan){.n_ranges  = n_ranges,
                        .n_devices = n_devices,
                        .last      = -1,
                        .cut       = calloc(ranges + 1, sizeof *p->cut),
                        .row       = calloc(ranges * bounds, sizeof *p->row),
                        .seconds   = calloc(ranges, sizeof *p->seconds)};
  }
  if (p != NULL && p->cut != NULL && p->row != NULL && p->seconds != NULL) return EE_OK;
  ee_band_plan_destroy(plan);
  return EE_FAIL(EE_ERR_NOMEM, "for a plan of %d ranges", n_ranges);
}

static ee_status write_plan(const ways *w, ee_band_plan **plan) {
  size_t bounds = (size_t)w->fleet->n_devices + 1;
  int    ranges = 0;
  ending end    = find_ending(w);
  for (int cut = end.cut; cut > 0; cut = w->before[cut]) ranges++;
  EE_TRY(ee_band_plan_create(ranges, w->fleet->n_devices, plan));
  ee_band_plan *p = *plan;
  p->cut[0]       = w->costs->cut[0];
  for (int cut = end.cut, k = ranges; cut > 0; cut = w->before[cut], k--) {
    p->cut[k] = w->costs->cut[cut];
    memcpy(p->row + (size_t)(k - 1) * bounds, rows_at(w, cut), bounds * sizeof *p->row);
  }
  p->last    = end.device;
  p->weighed = w->total[end.cut] + end.weighed;
  p->alone   = seconds_alone(w);
  return ee_band_plan_count(w->costs, w->fleet, p);
}

static ee_status find_ways(const ways *w) {
  if (w->total == NULL || w->before == NULL || w->row == NULL || w->trial == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for bands at %d cuts", w->costs->n_cuts);
  }
  set_input(w);
  for (int to = 1; to < w->costs->n_cuts; to++) EE_TRY(find_way(w, to));
  return EE_OK;
}

/* The best plan of the fleet as it is; *plan is replaced by it if it is better. */
static ee_status find_better(const ee_band_costs *costs, const ee_band_fleet *fleet,
                             ee_band_plan **plan) {
  size_t        cuts = (size_t)costs->n_cuts, bounds = (size_t)fleet->n_devices + 1;
  ee_band_plan *found  = NULL;
  ways          w      = {.costs  = costs,
                          .fleet  = fleet,
                          .total  = calloc(cuts, sizeof *w.total),
                          .before = calloc(cuts, sizeof *w.before),
                          .row    = calloc(cuts * bounds, sizeof *w.row),
                          .trial  = calloc(bounds, sizeof *w.trial)};
  ee_status     status = find_ways(&w);
  if (status == EE_OK) status = write_plan(&w, &found);
  free(w.total);
  free(w.before);
  free(w.row);
  free(w.trial);
  EE_TRY(status);
  if (*plan != NULL && found->weighed < (*plan)->weighed * (1.0 - SHORTER)) {
    found->alone = (*plan)->alone;  // of all devices, which the first plan is of
    ee_band_plan_destroy(plan);
  }
  if (*plan == NULL) {
    *plan = found;
  } else {
    ee_band_plan_destroy(&found);
  }
  return EE_OK;
}

/* How many devices are faster than @p d. */
static int rank_of(const ee_band_fleet *f, int d) {
  int rank = 0;
  for (int q = 0; q < f->n_devices; q++) {
    rank += f->speed[q] > f->speed[d] || (f->speed[q] == f->speed[d] && q < d);
  }
  return rank;
}

/* Plans of some of the devices only; @p speed: shape [n_devices], scratch. */
static ee_status try_fewer(const ee_band_costs *costs, const ee_band_fleet *fleet, double *speed,
                           ee_band_plan **plan) {
  ee_band_fleet some = *fleet;
  int           n    = fleet->n_devices;
  some.speed         = speed;
  for (int d = 0; d < n; d++) {
    for (int q = 0; q < n; q++) speed[q] = q == d ? fleet->speed[q] : 0.0;
    if (speed[d] > 0.0) EE_TRY(find_better(costs, &some, plan));
  }
  for (int most = 2; most < n && most <= FASTEST; most++) {
    for (int q = 0; q < n; q++) speed[q] = rank_of(fleet, q) < most ? fleet->speed[q] : 0.0;
    EE_TRY(find_better(costs, &some, plan));
  }
  return EE_OK;
}

ee_status ee_band_plan_find(const ee_band_costs *costs, const ee_band_fleet *fleet,
                            ee_band_plan **plan) {
  *plan = NULL;
  EE_TRY(check_fleet(costs, fleet));
  EE_TRY(find_better(costs, fleet, plan));
  if (fleet->share != NULL || fleet->n_devices == 1) return EE_OK;
  double   *speed  = calloc((size_t)fleet->n_devices, sizeof *speed);
  ee_status status = speed != NULL ? try_fewer(costs, fleet, speed, plan)
                                   : EE_FAIL(EE_ERR_NOMEM, "for %d devices", fleet->n_devices);
  free(speed);
  if (status != EE_OK) ee_band_plan_destroy(plan);
  return status;
}
