/* SPDX-License-Identifier: Apache-2.0 */
/* Small changes of a plan of bands, each made into units and counted exactly. */
#include <stdlib.h>
#include <string.h>

#include "band_choosing.h"

enum { TRIES = 300 };  // plans that are made into units at most

typedef struct climb {
  const ee_band_choosing *c;
  ee_band_choice         *best;
  int                     tries;
  bool                    improved;
  ee_status               status;
} climb;

static size_t bounds_of(const ee_band_plan *p) {
  return (size_t)p->n_devices + 1;
}

static int64_t *rows_of(const ee_band_plan *p, int k) {
  return p->row + (size_t)k * bounds_of(p);
}

/* Takes over the plan; NULL: there is none. */
static void try(climb *s, ee_band_plan *plan) {
  ee_band_choice one = {.plan = NULL};
  if (plan == NULL || s->status != EE_OK || s->tries >= TRIES) {
    ee_band_plan_destroy(&plan);
    return;
  }
  s->tries++;
  s->status = ee_band_choice_of(s->c, &plan, &one);
  if (s->status == EE_OK && ee_band_choice_is_better(&one, s->best)) {
    ee_band_choice old = *s->best;
    *s->best           = one;
    one                = old;
    s->improved        = true;
  }
  ee_band_choice_free(&one);
}

/* The best plan, with a range less from range @p k on, or one more in front of it, which is as yet
 * like that one or the last; NULL: no memory. */
static ee_band_plan *copy_with(climb *s, int more, int k) {
  const ee_band_plan *from = s->best->plan;
  ee_band_plan       *p;
  s->status = ee_band_plan_create(from->n_ranges + more, from->n_devices, &p);
  if (s->status != EE_OK) return NULL;
  p->last   = from->last;
  p->cut[0] = from->cut[0];
  for (int i = 0; i < p->n_ranges; i++) {
    int of = i < k || (i == k && more > 0) ? i : i - more;
    if (of == from->n_ranges) of--;
    p->cut[i + 1] = from->cut[of + 1];
    memcpy(rows_of(p, i), rows_of(from, of), bounds_of(p) * sizeof *p->row);
  }
  return p;
}

/* Bounds of other bands give way. */
static void shift(climb *s, int k, int bound, int64_t by) {
  ee_band_plan *p = copy_with(s, 0, 0);
  if (p == NULL) return;
  int64_t *row = rows_of(p, k), at = row[bound] + by, height = row[p->n_devices];
  at = at < 0 ? 0 : at > height ? height : at;
  for (int b = 1; b < p->n_devices; b++) {
    if (b < bound ? row[b] > at : row[b] < at) row[b] = at;
  }
  row[bound] = at;
  try(s, p);
}

static void shift_rows(climb *s) {
  for (int k = 0; k < s->best->plan->n_ranges; k++) {
    int64_t height = rows_of(s->best->plan, k)[s->best->plan->n_devices];
    for (int b = 1; b < s->best->plan->n_devices; b++) {
      for (int64_t by = 1; by <= height; by *= 4) {
        shift(s, k, b, by);
        shift(s, k, b, -by);
      }
    }
  }
}

static void give_end_away(climb *s) {
  for (int d = 0; d < s->c->chain->n_devices; d++) {
    if (s->c->chain->speed[d] <= 0.0 || d == s->best->plan->last) continue;
    ee_band_plan *p = copy_with(s, 0, 0);
    if (p != NULL) p->last = d;
    try(s, p);
  }
}

/* Index of cut @p cut of the model among those where rows can be exchanged. */
static int place_of(const climb *s, int cut) {
  int k = 0;
  while (s->c->field->costs->cut[k] < cut) k++;
  return k;
}

static bool may_be_range(const climb *s, int begin, int end) {
  int most = s->c->wish->most;
  if (most > 0 && place_of(s, end) - place_of(s, begin) > most) return false;
  return ee_bands_longest(s->c->setup->model, begin) >= end;
}

/* One range of two, and the bands end earlier. */
static void drop_exchanges(climb *s) {
  for (int k = 0; k < s->best->plan->n_ranges && s->best->plan->n_ranges > 1; k++) {
    const ee_band_plan *p     = s->best->plan;
    bool                inner = k + 1 < p->n_ranges;
    if (inner && !may_be_range(s, p->cut[k], p->cut[k + 2])) continue;
    try(s, copy_with(s, -1, k));
  }
}

/* Rows that range @p k has are given to cut @p at, as its height is. */
static void end_at(const climb *s, ee_band_plan *p, int k, int at) {
  int64_t *row = rows_of(p, k), height = s->c->field->costs->height[at], was = row[p->n_devices];
  for (int b = 1; b <= p->n_devices; b++) row[b] = (row[b] * height + was / 2) / was;
  p->cut[k + 1] = s->c->field->costs->cut[at];
}

/* An exchange more in each range, and the bands end later. */
static void add_exchanges(climb *s) {
  const ee_band_costs *costs = s->c->field->costs;
  for (int k = 0; k <= s->best->plan->n_ranges; k++) {
    const ee_band_plan *best  = s->best->plan;
    bool                later = k == best->n_ranges;
    int                 first = place_of(s, best->cut[k]) + 1;
    int last = later ? first : place_of(s, best->cut[k + 1]) - 1, at = (first + last) / 2;
    if (at < first || at >= costs->n_cuts) continue;
    if (later && !may_be_range(s, best->cut[k], costs->cut[at])) continue;
    ee_band_plan *p = copy_with(s, 1, k);
    if (p != NULL) end_at(s, p, k, at);
    try(s, p);
  }
}

ee_status ee_band_climb(const ee_band_choosing *c, ee_band_choice *choice) {
  climb s = {.c = c, .best = choice, .status = EE_OK};
  do {
    s.improved = false;
    shift_rows(&s);
    give_end_away(&s);
    drop_exchanges(&s);
    add_exchanges(&s);
  } while (s.improved && s.tries < TRIES && s.status == EE_OK);
  return s.status;
}
