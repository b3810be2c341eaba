/* SPDX-License-Identifier: Apache-2.0 */
/* PipeEdge's planner, from its recurrence: the least bottleneck over the counts of device types in
 * use, with a bandwidth per device and the narrower one between two, blind to exits, latency and
 * source. */
#include <math.h>
#include <stdlib.h>

#include "baseline.h"
#include "chain.h"
#include "no_room.h"

#define MOST_CELLS ((size_t)1 << 23)  // 128 MiB

/** Layers before a cut are held by the devices of a state, and the next is of a given type. */
typedef struct cell {
  double bottleneck;  // of all stages and links so far, the one into the next included [s]
  int    begin;       // of the stage that ends at the cut
  int    type;        // of its device
} cell;

typedef struct search {
  ee_loads loads;      // every reach 1, no source
  double  *bandwidth;  // shape [n_devices], of a device's best link [byte/s]; INFINITY: unlimited
  int      n_types;
  int     *type;     // shape [n_devices]; -1: it is away
  int     *count;    // shape [n_types], devices of a type
  int     *profile;  // shape [n_types], device whose speed, memory and bandwidth the type has
  int     *used;     // shape [n_types], of the state in hand
  size_t  *stride;   // shape [n_types], what one device more adds to the index of a state
  size_t   n_states;
  cell    *cells;  // shape [n_states, n_types, n_layers]
} search;

static cell *cells_of(const search *s, size_t state, int type) {
  return s->cells + (state * (size_t)s->n_types + (size_t)type) * (size_t)s->loads.chain->n_layers;
}

/* A device is known by one bandwidth.  If links are as fast as the slower of their ends, the best
 * link of a device tells it, or for the fastest device what is of use of it. */
static void find_bandwidths(const ee_chain *chain, double *bandwidth) {
  for (int d = 0; d < chain->n_devices; d++) {
    bandwidth[d] = chain->bandwidth == NULL || chain->n_devices == 1 ? INFINITY : 0.0;
    for (int other = 0; other < chain->n_devices && chain->bandwidth != NULL; other++) {
      double link = chain->bandwidth[(size_t)d * (size_t)chain->n_devices + (size_t)other];
      if (other == d || !ee_chain_present(chain, other)) continue;
      bandwidth[d] = fmax(bandwidth[d], link > 0.0 ? link : INFINITY);
    }
  }
}

static bool same(double a, double b) {
  return !(a < b || a > b);
}

static bool alike(const search *s, int a, int b) {
  const ee_chain *c = s->loads.chain;
  return same(c->speed[a], c->speed[b]) && same(s->bandwidth[a], s->bandwidth[b]) &&
         (c->memory == NULL || same(c->memory[a], c->memory[b]));
}

static void find_types(search *s) {
  const ee_chain *chain = s->loads.chain;
  for (int d = 0; d < chain->n_devices; d++) {
    int t      = 0;
    s->type[d] = -1;
    if (!ee_chain_present(chain, d)) continue;
    while (t < s->n_types && !alike(s, s->profile[t], d)) t++;
    if (t == s->n_types) s->profile[s->n_types++] = d;
    s->type[d] = t;
    s->count[t]++;
  }
}

/* The released program lists devices, all of the first type, then all of the second, and takes the
 * t-th of that list for type t. */
static void mistake_profiles(search *s) {
  int n = 0;
  for (int t = 0; n < s->n_types; t++) {
    for (int d = 0; d < s->loads.chain->n_devices && n < s->n_types; d++) {
      if (s->type[d] == t) s->profile[n++] = d;
    }
  }
}

/* Number of the states; 0 if their cells would be too many. */
static size_t count_states(const search *s) {
  size_t each = (size_t)s->n_types * (size_t)s->loads.chain->n_layers, states = 1;
  for (int t = 0; t < s->n_types; t++) {
    s->stride[t] = states;
    states *= (size_t)s->count[t] + 1;
    if (states > MOST_CELLS / each) return 0;
  }
  return states;
}

static ee_status search_create(const ee_chain *chain, bool as_released, search *s) {
  size_t n = (size_t)chain->n_devices;
  *s       = (search){.loads = {.chain = chain}};
  EE_TRY(ee_loads_create(chain, &s->loads));
  s->bandwidth = calloc(n, sizeof *s->bandwidth);
  s->stride    = calloc(n, sizeof *s->stride);
  s->type      = calloc(n, 4 * sizeof *s->type);
  if (s->bandwidth == NULL || s->stride == NULL || s->type == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "to plan for %d devices", chain->n_devices);
  }
  s->count   = s->type + n;
  s->profile = s->count + n;
  s->used    = s->profile + n;
  find_bandwidths(chain, s->bandwidth);
  find_types(s);
  if (as_released) mistake_profiles(s);

  s->n_states = count_states(s);
  if (s->n_states == 0) {
    return EE_FAIL(EE_ERR_ARG,
                   "pipeedge counts devices by type, and %d devices of %d types are too many; it "
                   "takes fewer types, or use exact",
                   ee_chain_count_present(chain), s->n_types);
  }
  size_t cells = s->n_states * (size_t)s->n_types * (size_t)chain->n_layers;
  s->cells     = malloc(cells * sizeof *s->cells);
  if (s->cells == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu states", s->n_states);
  for (size_t k = 0; k < cells; k++) s->cells[k] = (cell){.bottleneck = INFINITY};
  for (int t = 0; t < s->n_types; t++) cells_of(s, 0, t)[0].bottleneck = 0.0;
  return EE_OK;
}

static void search_destroy(search *s) {
  ee_loads_destroy(&s->loads);
  free(s->bandwidth);
  free(s->stride);
  free(s->type);  // one block: type, count, profile, used
  free(s->cells);
}

/* Layers [0, j) with the last stage on type u behind the state whose cells are `before`. */
static cell best_stage(const search *s, const cell *before, int u, int j) {
  cell best = {.bottleneck = INFINITY, .type = u};
  for (int i = j - 1; i >= 0; i--) {
    double load = ee_stage_load(&s->loads, s->profile[u], i, j);
    if (load >= best.bottleneck) break;  // and so are all before
    double bottleneck = fmax(before[i].bottleneck, load);
    if (bottleneck >= best.bottleneck || !ee_stage_fits(&s->loads, s->profile[u], i, j)) continue;
    best.bottleneck = bottleneck;
    best.begin      = i;
  }
  return best;
}

/* The state gets a stage of type u that ends at cut j, and any type may be next. */
static void go_on(search *s, size_t after, int u, int j, const cell *stage) {
  const double *bandwidth = s->bandwidth;
  for (int v = 0; v < s->n_types; v++) {
    double narrow = fmin(bandwidth[s->profile[u]], bandwidth[s->profile[v]]);
    double most   = fmax(stage->bottleneck, s->loads.chain->cut_bytes[j] / narrow);
    cell  *there  = &cells_of(s, after, v)[j];
    if (most >= there->bottleneck) continue;
    *there            = *stage;
    there->bottleneck = most;
  }
}

/** The last stage of the best plan, and the state before it. */
typedef struct ending {
  cell   stage;
  size_t state;
} ending;

static ending walk_states(search *s) {
  int    n_layers = s->loads.chain->n_layers;
  ending best     = {.stage.bottleneck = INFINITY};
  for (size_t state = 0; state < s->n_states; state++) {
    for (int u = 0; u < s->n_types; u++) {
      s->used[u] = (int)(state / s->stride[u] % ((size_t)s->count[u] + 1));
    }
    for (int u = 0; u < s->n_types; u++) {
      const cell *before = cells_of(s, state, u);
      if (s->used[u] == s->count[u]) continue;
      for (int j = 1; j < n_layers; j++) {
        cell stage = best_stage(s, before, u, j);
        if (isfinite(stage.bottleneck)) go_on(s, state + s->stride[u], u, j, &stage);
      }
      cell last = best_stage(s, before, u, n_layers);
      if (last.bottleneck < best.stage.bottleneck) best = (ending){last, state};
    }
  }
  return best;
}

/* The n-th device of a type that no stage from `after` on has. */
static int free_device(const search *s, const ee_plan *plan, int after, int type) {
  int d = 0;
  for (bool taken = true; taken; d += taken) {
    taken = s->type[d] != type;
    for (int k = after; k < plan->n_stages && !taken; k++) taken = plan->stage[k].device == d;
  }
  return d;
}

static ee_status read_plan(const search *s, const ending *best, ee_plan **plan) {
  const ee_chain *chain    = s->loads.chain;
  int             n_stages = 1, end = chain->n_layers;
  size_t          state = best->state;
  for (int t = 0; t < s->n_types; t++) {
    n_stages += (int)(state / s->stride[t] % ((size_t)s->count[t] + 1));
  }
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, n_stages, plan));
  cell stage = best->stage;
  for (int k = n_stages - 1; k >= 0; k--) {
    int device        = free_device(s, *plan, k + 1, stage.type);
    (*plan)->stage[k] = (ee_stage){.begin = stage.begin, .end = end, .device = device};
    end               = stage.begin;
    if (k == 0) break;
    stage = cells_of(s, state, stage.type)[end];
    state -= s->stride[stage.type];
  }
  return EE_OK;
}

static ee_status run(const ee_chain *blind, bool as_released, ee_plan **plan) {
  search    s;
  ee_status status = search_create(blind, as_released, &s);
  if (status == EE_OK) {
    ending best = walk_states(&s);
    status = isfinite(best.stage.bottleneck) ? read_plan(&s, &best, plan) : ee_no_room(&s.loads);
  }
  search_destroy(&s);
  return status;
}

ee_status ee_partition_pipeedge(const ee_chain *chain, bool as_released, ee_plan **plan) {
  *plan = NULL;
  EE_TRY(ee_chain_check(chain));
  double *ones = malloc((size_t)chain->n_layers * sizeof *ones);
  if (ones == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d layers", chain->n_layers);

  ee_chain blind   = ee_chain_blind(chain, ones);
  blind.copy_work  = NULL;
  ee_status status = run(&blind, as_released, plan);
  free(ones);
  if (status == EE_OK) status = ee_partition_fits(chain, *plan);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}
