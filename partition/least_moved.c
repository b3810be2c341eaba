/* SPDX-License-Identifier: Apache-2.0 */
/* The plan that moves least: the recurrence of the exact planner for pairs, bytes to move before
 * the period, over the stages and links that keep to a period.  Bytes add up and the larger load
 * counts, so what is best for the layers before a cut stays best whatever follows. */
#include <math.h>
#include <stdlib.h>

#include "latency.h"

/* How the layers before a cut come to be held. */
typedef struct way {
  double bytes;   // of weights to move; INFINITY: there is no way
  double period;  // of the stages and links so far [s]
  int    device;  // that holds the last of them; in `held`: of the stage before; -1: none
  int    begin;   // in `held`: of the last stage
} way;

typedef struct search {
  ee_loads   loads;
  const int *owner;   // shape [n_layers], device of each layer now
  double     period;  // limit of every load [s]
  double    *moved;   // shape [n_layers + 1], weights before a cut that the device in hand lacks
  way       *held;    // shape [n_devices, n_layers + 1], the device holds the last layer
  way       *gate;    // shape [n_layers + 1], when the device in hand begins at a cut
  way       *least;   // shape [n_layers + 1], over the devices so far
} search;

static const way none = {.bytes = INFINITY, .period = INFINITY, .device = -1};

static way *held_of(const search *s, int p) {
  return s->held + (size_t)p * ((size_t)s->loads.chain->n_layers + 1);
}

static void keep_better(way *best, way other) {
  bool better =
      other.bytes < best->bytes || (other.bytes <= best->bytes && other.period < best->period);
  if (better) *best = other;
}

/* Device p may begin at cut i, if that is allowed, after the device that `before` ends on. */
static void open_gate(search *s, int p, int i, way before) {
  const ee_chain *chain = s->loads.chain;
  if (isinf(before.bytes) || (chain->cut_allowed != NULL && !chain->cut_allowed[i])) return;
  double load = ee_link_load(chain, before.device, p, i);
  if (load > s->period) return;
  before.period = fmax(before.period, load);
  keep_better(&s->gate[i], before);
}

static void open_gates(search *s, int p) {
  const ee_chain *chain = s->loads.chain;
  double          input = ee_source_load(chain, p);
  for (int i = 0; i < chain->n_layers; i++) s->gate[i] = none;
  if (input <= s->period) s->gate[0] = (way){.period = input, .device = -1};
  for (int i = 1; i < chain->n_layers; i++) {
    if (s->loads.cut != NULL) {  // links are equal: only how well it ends there counts
      open_gate(s, p, i, s->least[i]);
      continue;
    }
    for (int q = 0; q < p; q++) {
      way before    = held_of(s, q)[i];
      before.device = q;
      open_gate(s, p, i, before);
    }
  }
}

static void end_stages(search *s, int p) {
  const ee_chain *chain = s->loads.chain;
  way            *held  = held_of(s, p);
  for (int l = 0; l < chain->n_layers; l++) {
    bool lacks      = s->owner[l] != p && chain->weight_bytes != NULL;
    s->moved[l + 1] = s->moved[l] + (lacks ? chain->weight_bytes[l] : 0.0);
  }
  for (int j = 1; j <= chain->n_layers; j++) {
    for (int i = j - 1; i >= 0; i--) {
      if (ee_stage_floor(&s->loads, p, i, j) > s->period) break;  // and so are all before
      double load = ee_stage_load(&s->loads, p, i, j);
      if (load > s->period || isinf(s->gate[i].bytes) || !ee_stage_fits(&s->loads, p, i, j))
        continue;
      keep_better(&held[j], (way){.bytes  = s->gate[i].bytes + (s->moved[j] - s->moved[i]),
                                  .period = fmax(s->gate[i].period, load),
                                  .device = s->gate[i].device,
                                  .begin  = i});
    }
  }
}

static void fill(search *s) {
  const ee_chain *chain = s->loads.chain;
  for (int j = 0; j <= chain->n_layers; j++) s->least[j] = none;
  for (int p = 0; p < chain->n_devices; p++) {
    way *held = held_of(s, p);
    for (int j = 0; j <= chain->n_layers; j++) held[j] = none;
    if (!ee_chain_present(chain, p)) continue;

    open_gates(s, p);
    end_stages(s, p);
    for (int j = 1; j <= chain->n_layers; j++) {
      way here    = held[j];
      here.device = p;
      keep_better(&s->least[j], here);
    }
  }
}

/* Stages from the last to the first; with `plan` NULL they are only counted. */
static int walk(const search *s, ee_plan *plan) {
  int n = 0, end = s->loads.chain->n_layers, device = s->least[end].device;
  while (device >= 0) {
    way last = held_of(s, device)[end];
    if (plan != NULL) plan->stage[plan->n_stages - 1 - n] = (ee_stage){last.begin, end, device};
    device = last.device;
    end    = last.begin;
    n++;
  }
  return n;
}

static ee_status find(search *s, ee_plan **plan) {
  const ee_chain *chain = s->loads.chain;
  fill(s);
  if (isinf(s->least[chain->n_layers].bytes)) return ee_fail_too_short(chain, s->period);
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, walk(s, NULL), plan));
  walk(s, *plan);
  return EE_OK;
}

/* Room for the search, and who owns which layer now. */
static ee_status find_with_room(const ee_plan *now, search *s, ee_plan **plan) {
  const ee_chain *chain = s->loads.chain;
  size_t          cuts  = (size_t)chain->n_layers + 1;
  int            *owner = calloc(cuts, sizeof *owner);
  s->moved              = calloc(cuts, sizeof *s->moved);
  s->held               = calloc((size_t)chain->n_devices + 2, cuts * sizeof *s->held);
  s->owner              = owner;
  ee_status status      = EE_OK;
  if (owner == NULL || s->moved == NULL || s->held == NULL) {
    status =
        EE_FAIL(EE_ERR_NOMEM, "to plan %d layers on %d devices", chain->n_layers, chain->n_devices);
  } else {
    s->gate  = held_of(s, chain->n_devices);
    s->least = s->gate + cuts;
    for (int t = 0; t < now->n_stages; t++) {
      for (int l = now->stage[t].begin; l < now->stage[t].end; l++) owner[l] = now->stage[t].device;
    }
    status = find(s, plan);
  }
  free(owner);
  free(s->moved);
  free(s->held);  // one block: held, gate, least
  return status;
}

ee_status ee_partition_least_moved(const ee_chain *chain, const ee_plan *now, double period,
                                   ee_plan **plan) {
  search s = {.period = period};
  *plan    = NULL;
  if (!(period >= 0.0)) {
    return EE_FAIL(EE_ERR_ARG, "the period is %g s, expected at least 0", period);
  }
  EE_TRY(ee_chain_check_plan(chain, now));
  EE_TRY(ee_loads_create(chain, &s.loads));
  ee_status status = find_with_room(now, &s, plan);
  ee_loads_destroy(&s.loads);
  return status;
}
