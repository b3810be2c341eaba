/* SPDX-License-Identifier: Apache-2.0 */
/* Stages of several equal devices: the least period for which the devices suffice, by bisection
 * over the period and the fewest devices for each. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "baseline.h"
#include "no_room.h"
#include "types.h"

#define SAME_PERIOD 1e-12  // relative
#define NEVER INT_MAX

/** How layers [0, j) are held with the fewest devices. */
typedef struct hold {
  int devices, stages;  // NEVER if they cannot be held
  int begin, replicas;  // of the last stage
} hold;

typedef struct search {
  ee_loads loads;
  int      device;      // any of the present ones
  int      n_devices;   // that are present
  bool     source;      // a source has to send cut 0
  bool     source_own;  // and is one of the devices
  double   sent;        // seconds of cut 0 on the link from the source [s]
  hold    *held;        // shape [n_layers + 1]
} search;

/* Fewest replicas with which the load is within the period; NEVER if they are too many. */
static int replicas_for(const search *s, double load, double period) {
  if (load <= period) return 1;
  if (load > period * s->n_devices * (1 + SAME_PERIOD)) return NEVER;
  int n = (int)ceil(load / period);
  while (n > 1 && load / (n - 1) <= period) n--;
  while (load / n > period) n++;
  return n;
}

/* Seconds of the link into a stage that begins at cut i and has n replicas [s]. */
static double entry_load(const search *s, int i, int n) {
  if (i > 0) return s->loads.cut[i];
  if (!s->source) return 0.0;
  return s->source_own ? s->sent * (n - 1) / n : s->sent;
}

static bool better(const hold *a, const hold *b) {
  return a->devices != b->devices ? a->devices < b->devices : a->stages < b->stages;
}

/* Layers [0, j); among equals the last stage is the shortest. */
static hold hold_until(const search *s, double period, int j) {
  hold best = {.devices = NEVER, .stages = NEVER};
  for (int i = j - 1; i >= 0; i--) {
    const hold *before = &s->held[i];
    if (replicas_for(s, ee_stage_floor(&s->loads, s->device, i, j), period) == NEVER) break;
    int n = replicas_for(s, ee_stage_load(&s->loads, s->device, i, j), period);
    if (n == NEVER || before->devices > s->n_devices - n || entry_load(s, i, n) > period) continue;
    hold here = {before->devices + n, before->stages + 1, i, n};
    if (better(&here, &best) && ee_stage_fits(&s->loads, s->device, i, j)) best = here;
  }
  return best;
}

/* Whether the devices suffice for the period; fills held. */
static bool suffice(search *s, double period) {
  int n_layers = s->loads.chain->n_layers;
  s->held[0]   = (hold){0};
  for (int j = 1; j <= n_layers; j++) s->held[j] = hold_until(s, period, j);
  return s->held[n_layers].devices != NEVER;
}

/* The largest load of what is held [s]. */
static double realised(const search *s) {
  double most = 0.0;
  for (int j = s->loads.chain->n_layers; j > 0; j = s->held[j].begin) {
    const hold *h    = &s->held[j];
    double      load = ee_stage_load(&s->loads, s->device, h->begin, j) / h->replicas;
    most             = fmax(most, fmax(load, entry_load(s, h->begin, h->replicas)));
  }
  return most;
}

static ee_status read_plan(const search *s, ee_replicated **plan) {
  const ee_chain *chain = s->loads.chain;
  const hold     *all   = &s->held[chain->n_layers];
  ee_replicated  *p     = calloc(1, sizeof *p);
  ee_replicas    *stage = calloc((size_t)all->stages, sizeof *stage);
  if (p == NULL || stage == NULL) {
    free(p);
    free(stage);
    return EE_FAIL(EE_ERR_NOMEM, "for a plan of %d stages", all->stages);
  }
  *p = (ee_replicated){
      .n_stages    = all->stages,
      .stage       = stage,
      .n_devices   = all->devices,
      .period      = realised(s),
      .lower_bound = s->loads.work[chain->n_layers] / (chain->speed[s->device] * s->n_devices)};
  for (int j = chain->n_layers, k = all->stages - 1; j > 0; j = s->held[j].begin, k--) {
    stage[k] = (ee_replicas){s->held[j].begin, j, s->held[j].replicas};
  }
  *plan = p;
  return EE_OK;
}

static ee_status find(search *s, ee_replicated **plan) {
  const ee_chain *chain = s->loads.chain;
  double          work  = s->loads.work[chain->n_layers];
  double          low   = work / (chain->speed[s->device] * s->n_devices) * (1 - SAME_PERIOD);
  if (!suffice(s, INFINITY)) return ee_no_room(&s->loads);
  double high = realised(s);
  while (high - low > SAME_PERIOD * high) {
    double middle = low + (high - low) / 2;
    if (suffice(s, middle)) {
      high = realised(s);
    } else {
      low = middle;
    }
  }
  suffice(s, high * (1 + SAME_PERIOD));
  return read_plan(s, plan);
}

/* Where the source stands; what else there is must be alike. */
static ee_status check_equal(const ee_chain *chain, search *s) {
  ee_chain plain = *chain;
  ee_types types;
  s->source     = chain->source >= 0;
  s->source_own = s->source && ee_chain_present(chain, chain->source);
  if (s->source_own) plain.source = -1;
  ee_status status = ee_types_create(&plain, &types);
  if (status == EE_OK && types.n > 1) {
    status = EE_FAIL(EE_ERR_ARG,
                     "replicas need equal devices, and devices %d and %d differ in speed, memory "
                     "or links",
                     types.first[0], types.first[1]);
  }
  if (status == EE_OK) s->device = types.first[0];
  for (int d = 0; d < chain->n_devices && status == EE_OK; d++) {
    if (types.of[d] >= 0 && d != chain->source) s->sent = ee_source_load(chain, d);
  }
  ee_types_destroy(&types);
  return status;
}

ee_status ee_partition_replicate(const ee_chain *chain, ee_replicated **plan) {
  *plan    = NULL;
  search s = {.loads = {.chain = chain}};
  EE_TRY(ee_chain_check(chain));
  EE_TRY(check_equal(chain, &s));
  EE_TRY(ee_loads_create(chain, &s.loads));
  s.n_devices = ee_chain_count_present(chain);
  s.held      = calloc((size_t)chain->n_layers + 1, sizeof *s.held);
  ee_status status =
      s.held != NULL ? find(&s, plan) : EE_FAIL(EE_ERR_NOMEM, "for %d layers", chain->n_layers);
  free(s.held);
  ee_loads_destroy(&s.loads);
  return status;
}

void ee_replicated_destroy(ee_replicated **plan) {
  if (*plan == NULL) return;
  free((*plan)->stage);
  free(*plan);
  *plan = NULL;
}
