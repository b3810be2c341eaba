/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "../nn/picture_maker.h"
#include "ee/band_units.h"

/**
 * @file plan_case.h
 * Plans of bands that nobody would make: random ranges, heights and places.
 */

enum { MOST_DEVICES = 5, MOST_RANGES = 16 };

/* A plan by hand. */
typedef struct plan_case {
  int             cut[MOST_RANGES + 1];
  int64_t         row[MOST_RANGES * (MOST_DEVICES + 1)];
  int             device[MAKER_ROOM];
  ee_band_plan    plan;
  ee_band_placing placing;
} plan_case;

/* Heights that add up, with bands of no rows. */
static inline void random_heights(int64_t *row, int devices, int64_t height, ee_rng *rng) {
  row[0]       = 0;
  row[devices] = height;
  for (int d = 1; d < devices; d++) row[d] = (int64_t)ee_rng_below(rng, (uint64_t)height + 1);
  for (int a = 1; a < devices; a++) {
    for (int b = a + 1; b < devices; b++) {
      int64_t low = row[a] < row[b] ? row[a] : row[b], high = row[a] + row[b] - low;
      row[a] = low;
      row[b] = high;
    }
  }
}

/* Ranges of random length from @p begin on, as far as they go. */
static inline void random_plan(const ee_model *m, int begin, int devices, ee_rng *rng,
                               plan_case *c) {
  ee_band_plan *p = &c->plan;
  *c              = (plan_case){.plan = {.n_devices = devices, .cut = c->cut, .row = c->row}};
  p->cut[0]       = begin;
  while (p->n_ranges < MOST_RANGES) {
    int from = p->cut[p->n_ranges], most = ee_bands_longest(m, from);
    if (most == from) break;
    int to = from + 1 + (int)ee_rng_below(rng, (uint64_t)(most - from));
    while (ee_bands_check(m, from, to) != EE_OK) to++;
    random_heights(p->row + p->n_ranges * (devices + 1), devices, ee_bands_height(m, to), rng);
    p->cut[++p->n_ranges] = to;
  }
  for (int l = 0; l < m->n_layers; l++) c->device[l] = (int)ee_rng_below(rng, (uint64_t)devices);
  c->placing = (ee_band_placing){.device = ee_rng_below(rng, 4) > 0 ? c->device : NULL,
                                 .source = (int)ee_rng_below(rng, (uint64_t)devices + 1) - 1,
                                 .apart  = ee_rng_below(rng, 3) > 0};
}

/* Up to two early exits, anywhere. */
static inline void add_exits(ee_model *m, ee_rng *rng) {
  for (int e = 0, n = (int)ee_rng_below(rng, 3); e < n; e++) {
    char name[16];
    int  k = (int)ee_rng_below(rng, (uint64_t)m->n_nodes);
    snprintf(name, sizeof name, "early%d", e);
    if (m->node[k].layer >= 0 && m->value[m->node[k].out].shape.rank == 4) picture_exit(m, name, k);
  }
}
