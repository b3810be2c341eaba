/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest period by dynamic programming, in two passes over the devices in index order.
 *
 * The first pass finds the least period alone: finish[p, j] is the least period of layers [0, j)
 * if device p owns the last of them.  The second walks the stages and links that keep to it and
 * finds the least (stages, sum of squared stage loads), which adds up along the chain as a period
 * does not. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "chain.h"

#define SAME_PERIOD 1e-12  // relative; sums of the same loads in another order differ by less

/* How layers [0, j) are best held if device p owns the last of them. */
typedef struct state {
  double squares;  // of the stage loads [s^2]
  int    stages;   // UNREACHED if there is no way
  int    begin;    // first layer of the last stage
  int    before;   // device of the stage before it; -1 if none
} state;

#define UNREACHED INT_MAX

typedef struct search {
  ee_loads loads;
  double  *finish;  // shape [n_devices, n_layers + 1], first pass [s]
  state   *state;   // shape [n_devices, n_layers + 1], second pass
  double  *gate;    // shape [n_layers], least period with which a device may begin at a cut [s]
  state   *entry;   // shape [n_layers], best state with which a device may begin at a cut
  double  *least;   // shape [n_layers + 1], least finish over the devices so far [s]
  state   *best;    // shape [n_layers + 1], best state over the devices so far
  int     *stack;   // shape [n_layers]
} search;

static double *finish_of(const search *s, int p) {
  return s->finish + (size_t)p * ((size_t)s->loads.chain->n_layers + 1);
}

static state *states_of(const search *s, int p) {
  return s->state + (size_t)p * ((size_t)s->loads.chain->n_layers + 1);
}

/* ---- first pass: the least period ---- */

/* Least period with which device p may begin at cut i >= 1. */
static double least_gate(const search *s, int p, int i) {
  const ee_loads *loads = &s->loads;
  if (loads->cut != NULL) return fmax(s->least[i], loads->cut[i]);

  double least = INFINITY;
  for (int q = 0; q < p; q++) {
    double before = finish_of(s, q)[i];
    if (before < least) least = fmin(least, fmax(before, ee_link_load(loads->chain, q, p, i)));
  }
  return least;
}

/* min over the stack of max(gate[i], load of [i, j)).  From bottom to top gates rise and loads
 * fall, so the best stands where they cross. */
static double least_on_stack(const search *s, int p, int depth, int j) {
  int low = 0, high = depth;
  while (low < high) {
    int middle = low + (high - low) / 2, i = s->stack[middle];
    if (ee_stage_load(&s->loads, p, i, j) <= s->gate[i]) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  double least = low < depth ? s->gate[s->stack[low]] : INFINITY;
  if (low > 0) least = fmin(least, ee_stage_load(&s->loads, p, s->stack[low - 1], j));
  return least;
}

/* Finish of device p, whose memory is not limited: a later cut with a lower gate is always
 * better, so only cuts whose gate is below those of all later ones stay on the stack. */
static void finish_unlimited(search *s, int p, double *finish) {
  int depth = 0;
  for (int j = 1; j <= s->loads.chain->n_layers; j++) {
    while (depth > 0 && s->gate[s->stack[depth - 1]] >= s->gate[j - 1]) depth--;
    s->stack[depth++] = j - 1;
    finish[j]         = least_on_stack(s, p, depth, j);
  }
}

/* Finish of device p, whose memory is limited: buffers make it uneven, so all cuts are tried. */
static void finish_limited(search *s, int p, double *finish) {
  for (int j = 1; j <= s->loads.chain->n_layers; j++) {
    double least = INFINITY;
    for (int i = j - 1; i >= 0; i--) {
      double load = ee_stage_load(&s->loads, p, i, j);
      if (load >= least) break;  // and so are all before
      if (s->gate[i] < least && ee_stage_fits(&s->loads, p, i, j)) least = fmax(load, s->gate[i]);
    }
    finish[j] = least;
  }
}

static double least_period(search *s) {
  const ee_chain *chain = s->loads.chain;
  for (int j = 0; j <= chain->n_layers; j++) s->least[j] = INFINITY;
  for (int p = 0; p < chain->n_devices; p++) {
    double *finish = finish_of(s, p);
    for (int j = 0; j <= chain->n_layers; j++) finish[j] = INFINITY;
    if (!ee_chain_present(chain, p)) continue;

    s->gate[0] = ee_source_load(chain, p);
    for (int i = 1; i < chain->n_layers; i++) s->gate[i] = least_gate(s, p, i);
    if (ee_chain_limited(chain, p)) {
      finish_limited(s, p, finish);
    } else {
      finish_unlimited(s, p, finish);
    }
    for (int j = 1; j <= chain->n_layers; j++) s->least[j] = fmin(s->least[j], finish[j]);
  }
  return s->least[chain->n_layers];
}

/* ---- second pass: fewest stages, then least squares ---- */

static bool better(const state *a, const state *b) {
  if (a->stages != b->stages) return a->stages < b->stages;
  return a->stages != UNREACHED && a->squares < b->squares;
}

/* Best state with which device p may begin at cut i >= 1; `before` is the device it is on. */
static state best_entry(const search *s, double period, int p, int i) {
  const ee_loads *loads = &s->loads;
  state           best  = {.stages = UNREACHED};
  if (loads->cut != NULL) return loads->cut[i] <= period ? s->best[i] : best;

  for (int q = 0; q < p; q++) {
    state here = states_of(s, q)[i];
    if (better(&here, &best) && ee_link_load(loads->chain, q, p, i) <= period) {
      best        = here;
      best.before = q;
    }
  }
  return best;
}

static state best_state(const search *s, double period, int p, int j) {
  state best = {.stages = UNREACHED};
  for (int i = j - 1; i >= 0; i--) {
    double load = ee_stage_load(&s->loads, p, i, j);
    if (load > period) break;  // and so are all before
    if (s->entry[i].stages == UNREACHED) continue;
    state here = {.stages  = s->entry[i].stages + 1,
                  .squares = s->entry[i].squares + load * load,
                  .begin   = i,
                  .before  = s->entry[i].before};
    if (better(&here, &best) && ee_stage_fits(&s->loads, p, i, j)) best = here;
  }
  return best;
}

static void best_states(search *s, double period) {
  const ee_chain *chain = s->loads.chain;
  for (int j = 0; j <= chain->n_layers; j++) s->best[j] = (state){.stages = UNREACHED};
  for (int p = 0; p < chain->n_devices; p++) {
    state *states = states_of(s, p);
    for (int j = 0; j <= chain->n_layers; j++) states[j] = (state){.stages = UNREACHED};
    if (!ee_chain_present(chain, p)) continue;

    bool first  = ee_source_load(chain, p) <= period;
    s->entry[0] = (state){.stages = first ? 0 : UNREACHED, .before = -1};
    for (int i = 1; i < chain->n_layers; i++) s->entry[i] = best_entry(s, period, p, i);
    for (int j = 1; j <= chain->n_layers; j++) {
      states[j] = best_state(s, period, p, j);
      if (better(&states[j], &s->best[j])) {
        s->best[j]        = states[j];
        s->best[j].before = p;  // for whoever begins here, this is the device before
      }
    }
  }
}

/* ---- from the states to a plan ---- */

static ee_status read_plan(const search *s, ee_plan **plan) {
  const ee_chain *chain = s->loads.chain;
  const state    *last  = &s->best[chain->n_layers];
  int             end = chain->n_layers, device = last->before;

  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, last->stages, plan));
  for (int k = last->stages - 1; k >= 0; k--) {
    const state *here = &states_of(s, device)[end];
    (*plan)->stage[k] = (ee_stage){.begin = here->begin, .end = end, .device = device};
    end               = here->begin;
    device            = here->before;
  }
  return EE_OK;
}

/* Why nothing fits: a layer that no device can hold alone, or too little memory in all. */
static ee_status no_plan_fits(const ee_loads *loads) {
  const ee_chain *chain = loads->chain;
  double          room = 0.0, largest = 0.0;
  for (int d = 0; d < chain->n_devices; d++) {
    if (!ee_chain_present(chain, d)) continue;
    room += chain->memory[d];
    largest = fmax(largest, chain->memory[d]);
  }
  for (int l = 0; l < chain->n_layers; l++) {
    double need = ee_stage_bytes(loads, l, l + 1);
    if (need > largest) {
      return EE_FAIL(EE_ERR_ARG,
                     "no plan fits: layer %d needs %.0f byte with its messages, the largest "
                     "memory of a device is %.0f byte",
                     l, need, largest);
    }
  }
  return EE_FAIL(EE_ERR_ARG,
                 "no plan fits: the layers need %.0f byte and %d messages of each cut, the memory "
                 "of all devices is %.0f byte",
                 loads->weight[chain->n_layers], chain->slots, room);
}

static ee_status search_create(const ee_chain *chain, search *s) {
  *s = (search){.loads = {.chain = chain}};
  EE_TRY(ee_loads_create(chain, &s->loads));
  size_t cuts = (size_t)chain->n_layers + 1, devices = (size_t)chain->n_devices;

  s->finish = calloc(devices, cuts * sizeof *s->finish);
  s->state  = calloc(devices, cuts * sizeof *s->state);
  s->gate   = calloc(cuts, sizeof *s->gate);
  s->entry  = calloc(cuts, sizeof *s->entry);
  s->least  = calloc(cuts, sizeof *s->least);
  s->best   = calloc(cuts, sizeof *s->best);
  s->stack  = calloc(cuts, sizeof *s->stack);
  if (s->finish == NULL || s->state == NULL || s->gate == NULL || s->entry == NULL ||
      s->least == NULL || s->best == NULL || s->stack == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "to plan %d layers on %d devices", chain->n_layers,
                   chain->n_devices);
  }
  return EE_OK;
}

static void search_destroy(search *s) {
  ee_loads_destroy(&s->loads);
  free(s->finish);
  free(s->state);
  free(s->gate);
  free(s->entry);
  free(s->least);
  free(s->best);
  free(s->stack);
}

static ee_status find(search *s, ee_plan **plan) {
  double period = least_period(s);
  if (!isfinite(period)) return no_plan_fits(&s->loads);
  best_states(s, period * (1.0 + SAME_PERIOD));
  return read_plan(s, plan);
}

ee_status ee_partition_exact(const ee_chain *chain, ee_plan **plan) {
  search s;
  *plan            = NULL;
  ee_status status = search_create(chain, &s);
  if (status == EE_OK) status = find(&s, plan);
  search_destroy(&s);
  return status;
}
