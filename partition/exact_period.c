/* SPDX-License-Identifier: Apache-2.0 */
/* First pass of the exact planner: the least period of layers [0, j) if device p owns the last. */
#include <math.h>

#include "exact.h"

/* The least so far, or what device p waits for when it begins at cut i behind q. */
static double behind(const ee_search *s, int q, double finish, int p, int i, double least) {
  double link = ee_link_load(s->loads.chain, q, p, i);
  return fmin(least, fmax(finish, link));
}

/* Least period with which device p may begin at cut i, whose links differ.  A device that finishes
 * later than that is of no use, and those in front of it neither. */
static double least_before(const ee_search *s, int p, int i) {
  const ee_ranking *r     = &s->ranked[i];
  double            least = INFINITY;
  for (int k = r->n - 1; k >= 0; k--) {
    if (r->of[k].value >= least) return least;
    least = behind(s, r->of[k].device, r->of[k].value, p, i, least);
  }
  for (int q = 0; q < p && !r->all; q++) {  // none of the best would do
    double finish = ee_finish_of(s, q)[i];
    if (finish < least) least = behind(s, q, finish, p, i, least);
  }
  return least;
}

/* Least period with which device p may begin at each cut. */
static void open_gates(ee_search *s, int p) {
  const ee_loads *loads = &s->loads;
  s->gate[0]            = ee_source_load(loads->chain, p);
  for (int i = 1; i < loads->chain->n_layers; i++) {
    s->gate[i] = loads->cut != NULL ? fmax(s->least[i], loads->cut[i]) : least_before(s, p, i);
  }
}

/* min over the columns of max(gate[i], load of [i, j)).  From the first to the last gates rise
 * and loads fall, so the best stands where they cross. */
static double least_of_columns(const ee_search *s, int p, int n_columns, int j) {
  int low = 0, high = n_columns;
  while (low < high) {
    int middle = low + (high - low) / 2, i = s->column[middle];
    if (ee_stage_load(&s->loads, p, i, j) <= s->gate[i]) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  double least = low < n_columns ? s->gate[s->column[low]] : INFINITY;
  if (low > 0) least = fmin(least, ee_stage_load(&s->loads, p, s->column[low - 1], j));
  return least;
}

/* Device p's memory is not limited: a later cut with a lower gate is always better, so a cut stays
 * a column only as long as its gate is below those of all later ones. */
static void finish_unlimited(ee_search *s, int p, double *finish) {
  int n_columns = 0;
  for (int j = 1; j <= s->loads.chain->n_layers; j++) {
    while (n_columns > 0 && s->gate[s->column[n_columns - 1]] >= s->gate[j - 1]) n_columns--;
    s->column[n_columns++] = j - 1;
    finish[j]              = least_of_columns(s, p, n_columns, j);
  }
}

/* Device p's memory is limited, or copying makes loads uneven: every cut is tried. */
static void finish_uneven(const ee_search *s, int p, double *finish) {
  for (int j = 1; j <= s->loads.chain->n_layers; j++) {
    double least = INFINITY;
    for (int i = j - 1; i >= 0; i--) {
      if (ee_stage_floor(&s->loads, p, i, j) >= least) break;  // and so are all before
      double period = fmax(ee_stage_load(&s->loads, p, i, j), s->gate[i]);
      if (period < least && ee_stage_fits(&s->loads, p, i, j)) least = period;
    }
    finish[j] = least;
  }
}

double ee_search_period(ee_search *s) {
  const ee_chain *chain = s->loads.chain;
  for (int j = 0; j <= chain->n_layers; j++) s->least[j] = INFINITY;
  ee_search_unrank(s);
  for (int p = 0; p < chain->n_devices; p++) {
    double *finish = ee_finish_of(s, p);
    for (int j = 0; j <= chain->n_layers; j++) finish[j] = INFINITY;
    if (!ee_chain_present(chain, p)) continue;

    open_gates(s, p);
    if (ee_chain_limited(chain, p) || chain->copy_work != NULL) {
      finish_uneven(s, p, finish);
    } else {
      finish_unlimited(s, p, finish);
    }
    for (int j = 1; j <= chain->n_layers; j++) {
      s->least[j] = fmin(s->least[j], finish[j]);
      if (s->ranked != NULL && isfinite(finish[j])) {
        ee_search_rank(s, j, (ee_ranked){.value = finish[j], .device = p});
      }
    }
  }
  return s->least[chain->n_layers];
}
