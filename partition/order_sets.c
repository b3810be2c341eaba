/* SPDX-License-Identifier: Apache-2.0 */
/* The best order of devices by type: the shortest period for which the end of the chain is in one
 * of the sets of cuts that can be reached.
 *
 * Sets and not just the furthest cut, because a later cut is no help if its link is too slow. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"

#define MOST_WORDS ((size_t)1 << 23)  // of all sets together: 64 MiB
#define SAME_PERIOD 1e-12             // relative

static uint64_t *reached_by(const ee_order_search *s, size_t state, int u) {
  return s->reached + (state * (size_t)s->types.n + (size_t)u) * s->words;
}

static uint64_t *ends_of(const ee_order_search *s, int u, int begin) {
  return s->ends + ((size_t)u * (size_t)s->loads.chain->n_layers + (size_t)begin) * s->words;
}

static uint64_t *open_from(const ee_order_search *s, int u, int v) {
  return s->open + ((size_t)u * (size_t)s->types.n + (size_t)v) * s->words;
}

static void put(uint64_t *set, int cut) {
  set[cut / 64] |= (uint64_t)1 << (cut % 64);
}

static bool has(const uint64_t *set, int cut) {
  return (set[cut / 64] >> (cut % 64) & 1) != 0;
}

/* Number of the lowest bit of x, which is not 0. */
static int lowest(uint64_t x) {
  int n = 0;
  for (int step = 32; step > 0; step /= 2) {
    if ((x & (((uint64_t)1 << step) - 1)) != 0) continue;
    x >>= step;
    n += step;
  }
  return n;
}

bool ee_order_search_is_small(const ee_chain *chain, const ee_types *types) {
  size_t room = MOST_WORDS / ((size_t)chain->n_layers / 64 + 1);
  for (int t = 0; t < types->n && room > 0; t++) room /= (size_t)types->count[t] + 1;
  return room >= (size_t)types->n;
}

static ee_status allocate(ee_order_search *s) {
  size_t types = (size_t)s->types.n, layers = (size_t)s->loads.chain->n_layers;
  s->stride  = calloc(types, sizeof *s->stride);
  s->reached = calloc(s->n_states, types * s->words * sizeof *s->reached);
  s->alive   = calloc(s->n_states, sizeof *s->alive);
  s->ends    = calloc(types * layers, s->words * sizeof *s->ends);
  s->open    = calloc(types * types, s->words * sizeof *s->open);
  s->begins  = calloc(s->words, sizeof *s->begins);
  s->used    = calloc(types, sizeof *s->used);
  s->row     = calloc((size_t)s->loads.chain->n_devices, sizeof *s->row);
  if (s->stride == NULL || s->reached == NULL || s->alive == NULL || s->ends == NULL ||
      s->open == NULL || s->begins == NULL || s->used == NULL || s->row == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "to order %d devices", s->loads.chain->n_devices);
  }
  return EE_OK;
}

ee_status ee_order_search_create(const ee_chain *chain, ee_order_search *s) {
  *s = (ee_order_search){.words = (size_t)chain->n_layers / 64 + 1, .n_states = 1};
  EE_TRY(ee_loads_create(chain, &s->loads));
  EE_TRY(ee_types_create(chain, &s->types));
  for (int t = 0; t < s->types.n; t++) s->n_states *= (size_t)s->types.count[t] + 1;
  EE_TRY(allocate(s));
  for (int t = 0; t < s->types.n; t++) {
    s->stride[t] = t == 0 ? 1 : s->stride[t - 1] * ((size_t)s->types.count[t - 1] + 1);
  }
  return EE_OK;
}

void ee_order_search_destroy(ee_order_search *s) {
  ee_loads_destroy(&s->loads);
  ee_types_destroy(&s->types);
  free(s->stride);
  free(s->reached);
  free(s->alive);
  free(s->ends);
  free(s->open);
  free(s->begins);
  free(s->used);
  free(s->row);
}

/* Which stages and links keep to the period. */
static void keep_to(ee_order_search *s, double period) {
  const ee_chain *chain = s->loads.chain;
  size_t          types = (size_t)s->types.n;
  memset(s->ends, 0, types * (size_t)chain->n_layers * s->words * sizeof *s->ends);
  memset(s->open, 0, types * types * s->words * sizeof *s->open);
  for (int u = 0; u < s->types.n; u++) {
    int device = s->types.first[u];
    for (int i = 0; i < chain->n_layers; i++) {
      for (int j = i + 1; j <= chain->n_layers; j++) {
        if (ee_stage_floor(&s->loads, device, i, j) > period) break;
        if (ee_stage_load(&s->loads, device, i, j) > period) continue;
        if (ee_stage_fits(&s->loads, device, i, j)) put(ends_of(s, u, i), j);
      }
    }
    for (int v = 0; v < s->types.n; v++) {
      for (int c = 1; c < chain->n_layers; c++) {
        if (ee_types_link_load(chain, &s->types, u, v, c) <= period) put(open_from(s, u, v), c);
      }
    }
  }
}

/* Take away the cuts before which too little is done: what is left needs more than the period even
 * if all devices that are left worked on it all the time. */
static void drop_hopeless(const ee_order_search *s, double period, double speed_left,
                          uint64_t *set) {
  const double *work = s->loads.work;
  int           cuts = s->loads.chain->n_layers, low = 0, high = cuts;
  double        room = period * fmax(speed_left, 0.0) * (1 + 1e-9) + 1e-12 * work[cuts];
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (work[cuts] - work[middle] <= room) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  for (int w = 0; w < low / 64; w++) set[w] = 0;
  set[low / 64] &= ~(uint64_t)0 << (low % 64);
}

/* Fill s->begins for a device of type v behind `state`; false if it may begin nowhere. */
static bool find_begins(ee_order_search *s, double period, size_t state, int v) {
  uint64_t any = 0;
  memset(s->begins, 0, s->words * sizeof *s->begins);
  if (state == 0) {
    s->begins[0] = ee_source_load(s->loads.chain, s->types.first[v]) <= period;
    return s->begins[0] != 0;
  }
  for (int u = 0; u < s->types.n && s->alive[state]; u++) {
    const uint64_t *reached = reached_by(s, state, u), *open = open_from(s, u, v);
    for (size_t w = 0; w < s->words; w++) s->begins[w] |= reached[w] & open[w];
  }
  for (size_t w = 0; w < s->words; w++) any |= s->begins[w];
  return any != 0;
}

static void add_ends(const ee_order_search *s, int v, uint64_t *set) {
  for (size_t w = 0; w < s->words; w++) {
    for (uint64_t rest = s->begins[w]; rest != 0; rest &= rest - 1) {
      const uint64_t *ends = ends_of(s, v, (int)w * 64 + lowest(rest));
      for (size_t k = 0; k < s->words; k++) set[k] |= ends[k];
    }
  }
}

/* Cuts reached in `state`; the type that reaches the end of the chain, or -1. */
static int reach_in_state(ee_order_search *s, double period, double speed_left, size_t state) {
  int last        = -1;
  s->alive[state] = false;
  memset(reached_by(s, state, 0), 0, (size_t)s->types.n * s->words * sizeof *s->reached);
  for (int v = 0; v < s->types.n; v++) {
    if (s->used[v] == 0 || !find_begins(s, period, state - s->stride[v], v)) continue;
    uint64_t *set = reached_by(s, state, v);
    add_ends(s, v, set);
    drop_hopeless(s, period, speed_left, set);
    for (size_t w = 0; w < s->words; w++) s->alive[state] |= set[w] != 0;
    if (has(set, s->loads.chain->n_layers)) last = v;
  }
  return last;
}

/* Where the end of the chain is reached. */
typedef struct arrival {
  bool   found;
  size_t state;
  int    type, devices;
} arrival;

/* s->used becomes that of the next state. */
static void count_up(ee_order_search *s) {
  int t = 0;
  while (t < s->types.n && s->used[t] == s->types.count[t]) s->used[t++] = 0;
  if (t < s->types.n) s->used[t]++;
}

/* An arrival within the period, with the fewest devices or the first that is met. */
static arrival probe(ee_order_search *s, double period, bool fewest) {
  arrival best  = {.found = false};
  double  speed = 0.0;
  keep_to(s, period);
  for (int t = 0; t < s->types.n; t++) {
    s->used[t] = 0;
    speed += s->types.count[t] * s->loads.chain->speed[s->types.first[t]];
  }
  for (size_t state = 1; state < s->n_states && (fewest || !best.found); state++) {
    double left    = speed;
    int    devices = 0;
    count_up(s);
    for (int t = 0; t < s->types.n; t++) {
      left -= s->used[t] * s->loads.chain->speed[s->types.first[t]];
      devices += s->used[t];
    }
    int last = reach_in_state(s, period, left, state);
    if (last < 0 || (best.found && devices >= best.devices)) continue;
    best = (arrival){.found = true, .state = state, .type = last, .devices = devices};
  }
  return best;
}

/* Narrow [below, above] around x to loads: the largest <= x and the smallest > x. */
static void bracket(double load, double x, double *below, double *above) {
  if (load <= x) {
    *below = fmax(*below, load);
  } else {
    *above = fmin(*above, load);
  }
}

/* The loads of stages and links next to x, which a period can only be one of. */
static void neighbours(const ee_order_search *s, double x, double *below, double *above) {
  const ee_chain *chain = s->loads.chain;
  *below                = 0.0;
  *above                = INFINITY;
  for (int u = 0; u < s->types.n; u++) {
    bracket(ee_source_load(chain, s->types.first[u]), x, below, above);
    for (int i = 0; i < chain->n_layers; i++) {
      for (int j = i + 1; j <= chain->n_layers; j++) {
        if (ee_stage_floor(&s->loads, s->types.first[u], i, j) >= *above) break;
        bracket(ee_stage_load(&s->loads, s->types.first[u], i, j), x, below, above);
      }
      for (int v = 0; v < s->types.n && i > 0; v++) {
        bracket(ee_types_link_load(chain, &s->types, u, v, i), x, below, above);
      }
    }
  }
}

/* The shortest period between `low`, below which there is none, and `high`. */
static double bisect(ee_order_search *s, double low, double high) {
  double below, next;
  while (high - low > SAME_PERIOD * high) {
    neighbours(s, low, &below, &next);
    if (next >= high) break;
    double middle = fmax(low + (high - low) / 2, next);
    if (probe(s, middle, false).found) {
      neighbours(s, middle, &high, &next);
    } else {
      low = middle;
    }
  }
  return high;
}

/* Fill s->row from the end of the chain back. */
static void walk_back(ee_order_search *s, double period, arrival at) {
  size_t state = at.state;
  int    type = at.type, end = s->loads.chain->n_layers;
  for (int k = at.devices - 1; k >= 0; k--) {
    s->row[k] = type;
    state -= s->stride[type];
    find_begins(s, period, state, type);
    int begin = end - 1;
    while (begin > 0 && !(has(s->begins, begin) && has(ends_of(s, type, begin), end))) begin--;
    for (int u = 0; u < s->types.n && k > 0; u++) {
      if (!has(reached_by(s, state, u), begin) || !has(open_from(s, u, type), begin)) continue;
      type = u;
      break;
    }
    end = begin;
  }
}

/* Devices for the types of s->row, the lowest of a type first; then all others. */
static void name_devices(const ee_order_search *s, int n, int *order) {
  const int      *types = s->row;
  const ee_chain *chain = s->loads.chain;
  int             next  = 0;
  for (int k = 0; k < n; k++) {
    int nth = 0, d = 0;
    for (int before = 0; before < k; before++) nth += types[before] == types[k];
    while (s->types.of[d] != types[k] || nth-- > 0) d++;
    order[next++] = d;
  }
  for (int d = 0; d < chain->n_devices; d++) {
    bool listed = false;
    for (int k = 0; k < n && !listed; k++) listed = order[k] == d;
    if (!listed) order[next++] = d;
  }
}

void ee_order_search_run(ee_order_search *s, double period, int *order, bool *found) {
  const ee_chain *chain = s->loads.chain;
  double          above, high = period;
  *found = false;
  if (!isfinite(period)) {
    neighbours(s, INFINITY, &high, &above);
    if (!probe(s, high, false).found) return;
  }
  double bound    = ee_partition_lower_bound(chain);
  double shortest = bisect(s, bound > 0.0 ? bound * (1 - SAME_PERIOD) : -1.0, high);
  if (shortest >= period * (1 - SAME_PERIOD)) return;

  arrival at = probe(s, shortest, true);
  *found     = at.found;
  if (!at.found) return;
  walk_back(s, shortest, at);
  name_devices(s, at.devices, order);
}
