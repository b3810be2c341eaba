/* SPDX-License-Identifier: Apache-2.0 */
/* Second pass of the exact planner: within a period, fewest stages, then least squares.
 *
 * For one device, rows are the cuts it can end at and columns those it can begin at.  The square of
 * a load is convex in it, so the best column never moves back from one row to the next (quadrangle
 * inequality): the best column of the middle row divides the columns for the rows on both sides. */
#include "exact.h"

static bool better(const ee_held *a, const ee_held *b) {
  if (a->stages != b->stages) return a->stages < b->stages;
  return a->stages != EE_UNREACHED && a->squares < b->squares;
}

/* The device that best holds layers [0, i) of those with a link to p that keeps to the period, the
 * lowest among equals; -1 if there is none. */
static int best_device(const ee_search *s, double period, int p, int i) {
  const ee_ranking *r    = &s->ranked[i];
  int               best = -1;
  for (int k = r->n - 1; k >= 0; k--) {
    int q = r->of[k].device;
    if (ee_link_load(s->loads.chain, q, p, i) <= period) return q;
  }
  for (int q = 0; q < p && !r->all; q++) {  // none of the best has such a link
    const ee_held *held = &ee_held_of(s, q)[i];
    if (best >= 0 ? !better(held, &ee_held_of(s, best)[i]) : held->stages == EE_UNREACHED) continue;
    if (ee_link_load(s->loads.chain, q, p, i) <= period) best = q;
  }
  return best;
}

/* How layers [0, i) are held when device p begins at cut i, whose links differ. */
static ee_held best_before(const ee_search *s, double period, int p, int i) {
  int q = best_device(s, period, p, i);
  if (q < 0) return (ee_held){.stages = EE_UNREACHED};
  ee_held held = ee_held_of(s, q)[i];
  held.before  = q;
  return held;
}

/* How layers are held when device p begins at each cut; `before` is the device that holds them. */
static void open_entries(ee_search *s, double period, int p) {
  const ee_loads *loads = &s->loads;
  ee_held         none  = {.stages = EE_UNREACHED};

  s->entry[0] = ee_source_load(loads->chain, p) <= period ? (ee_held){.before = -1} : none;
  for (int i = 1; i < loads->chain->n_layers; i++) {
    if (loads->cut == NULL) {
      s->entry[i] = best_before(s, period, p, i);
    } else {
      s->entry[i] = loads->cut[i] <= period ? s->best[i] : none;
    }
  }
}

/* Best of the columns [low, high] to begin at for device p to end at cut j; the last among equals.
 * Returns the index of the column; -1 if there is none. */
static int best_column(const ee_search *s, double period, int p, int j, int low, int high,
                       ee_held *held) {
  int best     = -1;
  held->stages = EE_UNREACHED;
  for (int c = high; c >= low; c--) {
    int i = s->column[c];
    if (ee_stage_floor(&s->loads, p, i, j) > period) break;  // and so are all before
    double load = ee_stage_load(&s->loads, p, i, j);
    if (load > period) continue;
    ee_held here = {.stages  = s->entry[i].stages + 1,
                    .squares = s->entry[i].squares + load * load,
                    .begin   = i,
                    .before  = s->entry[i].before};
    if (!better(&here, held) || !ee_stage_fits(&s->loads, p, i, j)) continue;
    *held = here;
    best  = c;
  }
  return best;
}

/* Rows [from, to] of device p, whose best columns lie in [low, high]; memory is not limited, and
 * nothing is copied. */
static void divide(ee_search *s, double period, int p, int from, int to, int low, int high) {
  if (from > to) return;
  int middle = from + (to - from) / 2, j = s->row[middle];
  int end  = s->last[middle] < high ? s->last[middle] : high;
  int best = best_column(s, period, p, j, low, end, &ee_held_of(s, p)[j]);

  divide(s, period, p, from, middle - 1, low, best);
  divide(s, period, p, middle + 1, to, best, high);
}

/* List the columns, and the rows with a column that they can use; returns the number of rows. */
static int list_rows(ee_search *s, double period, int p) {
  int n_columns = 0, n_rows = 0;
  for (int j = 1; j <= s->loads.chain->n_layers; j++) {
    if (s->entry[j - 1].stages != EE_UNREACHED) s->column[n_columns++] = j - 1;
    if (n_columns == 0) continue;
    if (ee_stage_floor(&s->loads, p, s->column[n_columns - 1], j) > period) continue;
    s->row[n_rows]    = j;
    s->last[n_rows++] = n_columns - 1;
  }
  return n_rows;
}

static void hold(ee_search *s, double period, int p) {
  int n_rows = list_rows(s, period, p);
  if (n_rows == 0) return;
  if (!ee_chain_limited(s->loads.chain, p) && s->loads.chain->copy_work == NULL) {
    divide(s, period, p, 0, n_rows - 1, 0, s->last[n_rows - 1]);
    return;
  }
  for (int r = 0; r < n_rows; r++) {
    best_column(s, period, p, s->row[r], 0, s->last[r], &ee_held_of(s, p)[s->row[r]]);
  }
}

void ee_search_stages(ee_search *s, double period) {
  const ee_chain *chain = s->loads.chain;
  for (int j = 0; j <= chain->n_layers; j++) s->best[j] = (ee_held){.stages = EE_UNREACHED};
  ee_search_unrank(s);
  for (int p = 0; p < chain->n_devices; p++) {
    ee_held *held = ee_held_of(s, p);
    for (int j = 0; j <= chain->n_layers; j++) held[j] = (ee_held){.stages = EE_UNREACHED};
    if (!ee_chain_present(chain, p)) continue;

    open_entries(s, period, p);
    hold(s, period, p);
    for (int j = 1; j <= chain->n_layers; j++) {
      if (s->ranked != NULL && held[j].stages != EE_UNREACHED) {
        ee_search_rank(s, j, (ee_ranked){held[j].squares, held[j].stages, p});
      }
      if (!better(&held[j], &s->best[j])) continue;
      s->best[j]        = held[j];
      s->best[j].before = p;  // for whoever begins here, this is the device before
    }
  }
}
