/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"
#include "ee/band_plan.h"
#include "ee/rng.h"
#include "ee_test.h"
#include "window_chain.h"

/**
 * @file band_case.h
 * Chains of convolutions on fleets, both random: what plans of bands are tested with.
 */

enum { DEVICES = 3, LAYERS = 4, SIDE = 8, SIDE_MAX = 16, CASES = 400 };

/* A random chain on a random fleet. */
typedef struct band_case {
  int            n;  // layers
  chain_window   window[LAYERS];
  ee_model      *model;
  ee_band_costs *costs;
  double         speed[DEVICES], bandwidth[DEVICES * DEVICES], latency[DEVICES * DEVICES];
  ee_band_fleet  fleet;
} band_case;

static inline int below(ee_rng *rng, int n) {
  return (int)ee_rng_below(rng, (uint64_t)n);
}

static inline void random_fleet(band_case *c, ee_rng *rng) {
  int    n     = 1 + below(rng, DEVICES);
  double speed = c->model->layer[0].flops, bytes = c->costs->row_bytes[0];
  bool   linked = below(rng, 4) > 0;
  for (int d = 0; d < n; d++) c->speed[d] = speed * (0.3 + 2 * ee_rng_uniform(rng));
  for (int k = 0; k < n * n; k++) {
    c->bandwidth[k] = below(rng, 6) == 0 ? 0.0 : bytes * (5 + 195 * ee_rng_uniform(rng));
    c->latency[k]   = below(rng, 2) == 0 ? 0.0 : 0.1 * ee_rng_uniform(rng);
  }
  c->fleet = (ee_band_fleet){.n_devices = n,
                             .speed     = c->speed,
                             .bandwidth = linked ? c->bandwidth : NULL,
                             .latency   = linked ? c->latency : NULL,
                             .source    = below(rng, n + 1) - 1,
                             .most      = below(rng, 6) % 4};
}

static inline void make_case(band_case *c, uint64_t seed, int most_layers) {
  ee_rng rng = ee_rng_at(seed, 4);
  *c         = (band_case){.n = 1 + below(&rng, most_layers)};
  for (int i = 0; i < c->n; i++) {
    bool late    = i > 1;  // what is left of the rows stays
    int  kernel  = late ? 1 + 2 * below(&rng, 2) : 1 + below(&rng, 3);
    int  pad     = kernel == 3 ? late || below(&rng, 2) : 0;
    c->window[i] = (chain_window){1 + below(&rng, 3), kernel, 1 + (kernel > 1 && i == 1), pad};
  }
  c->model = chain_make(2, SIDE, c->window, c->n);
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c->model, &ee_backend_ref, 0, c->n, NULL, &c->costs),
                        EE_OK);
  CU_ASSERT_EQUAL_FATAL(c->costs->n_cuts, c->n + 1);
  random_fleet(c, &rng);
}

static inline void end_case(band_case *c) {
  ee_band_costs_destroy(&c->costs);
  ee_model_destroy(&c->model);
}
