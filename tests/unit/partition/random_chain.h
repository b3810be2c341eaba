/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "ee/partition.h"
#include "ee/rng.h"

/**
 * @file random_chain.h
 * Small random chains with everything a chain can have, and all their plans one after the other.
 */

#define MOST_LAYERS 9
#define MOST_DEVICES 4
#define MOST_EXITS 3

/** A chain with its arrays. */
typedef struct random_chain {
  ee_chain chain;
  int      attach[MOST_EXITS];
  double   work[MOST_LAYERS], reach[MOST_LAYERS], head_work[MOST_EXITS];
  double   cut_bytes[MOST_LAYERS + 1], copy_work[MOST_LAYERS + 1], weight_bytes[MOST_LAYERS];
  double   packed_bytes[MOST_LAYERS], run_bytes[(MOST_LAYERS + 1) * (MOST_LAYERS + 1)];
  double   speed[MOST_DEVICES], memory[MOST_DEVICES];
  double   bandwidth[MOST_DEVICES * MOST_DEVICES], latency[MOST_DEVICES * MOST_DEVICES];
} random_chain;

/** The best of all plans: least period, then stages, then squares, then as documented. */
typedef struct best_plan {
  bool     found;
  double   period, squares;
  int      n_stages;
  ee_stage stage[MOST_DEVICES];
} best_plan;

static inline int below(ee_rng *rng, int n) {
  return (int)ee_rng_below(rng, (uint64_t)n);
}

/* An amount in [0, n); whole if `whole`, so that sums and products of few are exact. */
static inline double amount(ee_rng *rng, bool whole, int n) {
  return whole ? below(rng, n) : n * ee_rng_uniform(rng);
}

/* A rate that is never 0; a power of two if `whole`. */
static inline double rate(ee_rng *rng, bool whole) {
  return whole ? 1 << below(rng, 3) : 0.2 + 4 * ee_rng_uniform(rng);
}

static inline void random_links(ee_rng *rng, bool whole, random_chain *r) {
  int kind = below(rng, 3);  // none, all equal, all different
  int n    = r->chain.n_devices * r->chain.n_devices;
  if (kind == 0) return;
  for (int k = 0; k < n; k++) {
    bool same       = kind == 1 && k > 0;
    r->bandwidth[k] = same ? r->bandwidth[0] : below(rng, 5) == 0 ? 0.0 : rate(rng, whole);
    r->latency[k]   = same ? r->latency[0] : amount(rng, whole, 4);
  }
  r->chain.bandwidth   = r->bandwidth;
  r->chain.latency     = r->latency;
  r->chain.links_alike = kind == 1 && below(rng, 2) == 0;
}

/* What ranges need to run: drawn, and no less than what their parts need. */
static inline void random_run_bytes(ee_rng *rng, bool whole, random_chain *r) {
  int n = r->chain.n_layers + 1;
  for (int length = 1; length < n; length++) {
    for (int i = 0; i + length < n; i++) {
      double *at = &r->run_bytes[i * n + i + length], one = amount(rng, whole, 6);
      *at = length == 1 ? one : fmax(one, fmax(at[-1], at[n]));
    }
  }
  for (int l = 0; l + 1 < n; l++) r->packed_bytes[l] = amount(rng, whole, 4);
  r->chain.run_bytes    = r->run_bytes;
  r->chain.packed_bytes = r->packed_bytes;
}

static inline void random_memory(ee_rng *rng, bool whole, random_chain *r) {
  if (below(rng, 2) == 0) return;
  for (int l = 0; l < r->chain.n_layers; l++) r->weight_bytes[l] = amount(rng, whole, 20);
  for (int d = 0; d < r->chain.n_devices; d++) {
    r->memory[d] = below(rng, 4) == 0 ? 0.0 : 10 + amount(rng, whole, 20 * r->chain.n_layers);
  }
  r->chain.weight_bytes = r->weight_bytes;
  r->chain.memory       = r->memory;
  if (below(rng, 2) == 0) random_run_bytes(rng, whole, r);
}

/* Of every third chain, so large that loads do not rise with their layers. */
static inline void random_copies(uint64_t number, bool whole, random_chain *r) {
  ee_rng rng = ee_rng_at(whole ? 3 : 4, number);
  if (number % 3 != 0) return;
  for (int c = 0; c <= r->chain.n_layers; c++) r->copy_work[c] = amount(&rng, whole, 10);
  r->chain.copy_work = r->copy_work;
}

/** Draw chain number @p number; @p whole: all loads are exact in double, so that ties are ties. */
static inline void random_chain_draw(uint64_t number, bool whole, random_chain *r) {
  ee_rng rng = ee_rng_at(whole ? 1 : 2, number);
  *r         = (random_chain){.chain = {.n_layers  = 1 + below(&rng, MOST_LAYERS),
                                        .n_devices = 1 + below(&rng, MOST_DEVICES),
                                        .n_exits   = 1 + below(&rng, MOST_EXITS)}};

  ee_chain *c  = &r->chain;
  double    at = 1.0;
  for (int l = 0; l < c->n_layers; l++) {
    if (l > 0 && below(&rng, 3) == 0)
      at = whole ? at * below(&rng, 3) / 2 : at * ee_rng_uniform(&rng);
    r->reach[l]     = at;
    r->work[l]      = amount(&rng, whole, 16);
    r->cut_bytes[l] = amount(&rng, whole, 16);
  }
  r->cut_bytes[c->n_layers] = amount(&rng, whole, 4);
  for (int e = 0; e < c->n_exits; e++) {
    r->attach[e]    = e == c->n_exits - 1 ? c->n_layers - 1 : below(&rng, c->n_layers);
    r->head_work[e] = amount(&rng, whole, 6);
  }
  for (int d = 0; d < c->n_devices; d++)
    r->speed[d] = below(&rng, 6) == 0 ? 0.0 : rate(&rng, whole);
  r->speed[below(&rng, c->n_devices)] = rate(&rng, whole);  // somebody is there
  c->work                             = r->work;
  c->reach                            = r->reach;
  c->head_work                        = r->head_work;
  c->attach                           = r->attach;
  c->cut_bytes                        = r->cut_bytes;
  c->speed                            = r->speed;
  c->message_samples                  = 1 << below(&rng, 3);
  c->slots                            = below(&rng, 3);
  c->source                           = below(&rng, c->n_devices + 1) - 1;
  random_links(&rng, whole, r);
  random_memory(&rng, whole, r);
  random_copies(number, whole, r);
}

/* ---- loads by the formulas of partition.h, one term after the other ---- */

static inline double stage_by_formula(const ee_chain *c, int d, int i, int j) {
  double seconds = 0.0;
  for (int l = i; l < j; l++) seconds += c->reach[l] * (c->work[l] / c->speed[d]);
  for (int e = 0; e < c->n_exits; e++) {
    if (i <= c->attach[e] && c->attach[e] < j) {
      seconds += c->reach[c->attach[e]] * (c->head_work[e] / c->speed[d]);
    }
  }
  if (c->copy_work != NULL && i > 0) seconds += c->reach[i] * (c->copy_work[i] / c->speed[d]);
  if (c->copy_work != NULL && j < c->n_layers) {
    seconds += c->reach[j] * (c->copy_work[j] / c->speed[d]);
  }
  return seconds;
}

/* Seconds that a link transmits per admitted sample. */
static inline double transfer_by_formula(const ee_chain *c, int from, int to, int cut) {
  int  k       = from * c->n_devices + to;
  bool limited = c->bandwidth != NULL && c->bandwidth[k] > 0.0;
  return cut < c->n_layers && limited ? c->reach[cut] * (c->cut_bytes[cut] / c->bandwidth[k]) : 0.0;
}

/* A link with one message after the other in each of its slots: whichever is the longer. */
static inline double link_by_formula(const ee_chain *c, int from, int to, int cut) {
  double transfer = transfer_by_formula(c, from, to, cut), none_stays = 1.0, trip = 0.0;
  int    there = from * c->n_devices + to, back = to * c->n_devices + from;
  if (cut >= c->n_layers) return 0.0;
  if (c->latency != NULL) trip = c->latency[there] + c->latency[back];
  for (int k = 0; k < (int)c->message_samples; k++) none_stays *= 1.0 - c->reach[cut];
  double round  = (1.0 - none_stays) / c->message_samples * trip + transfer;
  double shared = c->slots > 0 ? round / c->slots : round;
  return shared > transfer ? shared : transfer;
}

/* The delay of a sample alone in its message, times its reach. */
static inline double delay_by_formula(const ee_chain *c, int from, int to, int cut) {
  int    k       = from * c->n_devices + to;
  double seconds = c->latency != NULL ? c->latency[k] : 0.0;
  if (c->bandwidth != NULL && c->bandwidth[k] > 0.0) seconds += c->cut_bytes[cut] / c->bandwidth[k];
  return cut < c->n_layers ? c->reach[cut] * seconds : 0.0;
}

/* What layers [i, j) take beside messages. */
static inline double held_by_formula(const ee_chain *c, int i, int j) {
  double bytes = c->run_bytes != NULL ? c->run_bytes[i * (c->n_layers + 1) + j] : 0.0;
  for (int l = i; l < j; l++) {
    if (c->weight_bytes != NULL) bytes += c->weight_bytes[l];
    if (c->packed_bytes != NULL) bytes += c->packed_bytes[l];
  }
  return bytes;
}

static inline bool fits_by_formula(const ee_chain *c, int d, int i, int j) {
  if (c->weight_bytes == NULL || c->memory == NULL || c->memory[d] <= 0.0) return true;
  double bytes = 0.0;
  for (int k = 0; k < c->slots; k++) bytes += c->message_samples * c->cut_bytes[i];
  for (int k = 0; k < (c->slots > 1 ? c->slots + 1 : c->slots); k++)
    bytes += c->message_samples * c->cut_bytes[j];
  bytes += held_by_formula(c, i, j);
  return bytes <= c->memory[d];
}

/* ---- every plan ---- */

static inline bool comes_before(const best_plan *a, const best_plan *b) {
  if (!b->found) return true;
  if (a->period < b->period || a->period > b->period) return a->period < b->period;
  if (a->n_stages != b->n_stages) return a->n_stages < b->n_stages;
  if (a->squares < b->squares || a->squares > b->squares) return a->squares < b->squares;
  for (int s = a->n_stages - 1; s >= 0; s--) {
    if (a->stage[s].device != b->stage[s].device) return a->stage[s].device < b->stage[s].device;
    if (a->stage[s].begin != b->stage[s].begin) return a->stage[s].begin > b->stage[s].begin;
  }
  return false;
}

/* Put every next stage behind the plan so far; keep the best plan that is complete. */
static inline void try_all(const ee_chain *c, const best_plan *so_far, best_plan *best) {
  int n = so_far->n_stages, begin = n > 0 ? so_far->stage[n - 1].end : 0;
  int last = n > 0 ? so_far->stage[n - 1].device : -1;
  if (begin == c->n_layers) {
    if (comes_before(so_far, best)) {
      *best       = *so_far;
      best->found = true;
    }
    return;
  }
  for (int d = last + 1; d < c->n_devices; d++) {
    int    from = n > 0 ? last : c->source;
    double link = from < 0 || from == d ? 0.0 : link_by_formula(c, from, d, begin);
    for (int end = begin + 1; end <= c->n_layers && c->speed[d] > 0.0; end++) {
      if (!fits_by_formula(c, d, begin, end)) continue;
      double    load = stage_by_formula(c, d, begin, end), most = load > link ? load : link;
      best_plan next              = *so_far;
      next.stage[next.n_stages++] = (ee_stage){begin, end, d};
      next.period                 = most > next.period ? most : next.period;
      next.squares += load * load;
      try_all(c, &next, best);
    }
  }
}

/** Look at every composition of the layers on every subset of the devices in order. */
static inline best_plan best_of_all_plans(const ee_chain *chain) {
  best_plan best = {.found = false}, empty = {.found = false};
  try_all(chain, &empty, &best);
  return best;
}
