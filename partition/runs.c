/* SPDX-License-Identifier: Apache-2.0 */
/* Stages of several unequal devices that follow each other: a dynamic program over runs of devices.
 *
 * A run [a, b) is of devices that are present, counted in index order.  Runs are visited by their
 * first device, so that all that may come before one were visited.  The first pass finds the
 * shortest period, the second one the fewest devices and then stages within it. */
#include "runs.h"

#include <math.h>
#include <stdlib.h>

#include "turns.h"
#include "types.h"

#define SAME_PERIOD 1e-12   // relative
#define SLOWEST (1.0 / 64)  // of the fastest device's speed, with which a device is of use
#define MOST_STEPS 5e8

/** How layers [0, j) are held if a run holds the last of them. */
typedef struct hold {
  double period;  // INFINITY: they cannot be [s]
  int    devices, stages;
  int    begin;   // first layer of the last stage
  int    before;  // run of the stage before it; -1: none
} hold;

typedef struct search {
  ee_loads loads;
  int      n, n_runs;
  int     *device;  // shape [n], those that are present and fast enough
  double  *speed;   // shape [n_runs], of all devices of a run [FLOP/s]
  double  *far;  // shape [n_layers, n], of links from a device to the run, the longest load times
                 // the speeds at both ends [s (FLOP/s)^2]
  hold  *held;   // shape [n_runs, n_layers + 1]
  hold  *entry;  // shape [n_layers], how layers are held when the run begins at a cut
  hold  *free;   // shape [n_layers], the same if links took no time
  double limit;  // what takes longer is left out; INFINITY in the first pass [s]
} search;

/* Place of run [a, b) among all. */
static int run_at(int a, int b) {
  return b * (b - 1) / 2 + a;
}

/* First device of a run, and the one behind its last. */
static int first_of(int run, int *end) {
  int b = 1;
  while (run_at(0, b + 1) <= run) b++;
  *end = b;
  return run - run_at(0, b);
}

static double speed_of(const search *s, int k) {
  return s->loads.chain->speed[s->device[k]];
}

static hold *held_by(const search *s, int run) {
  return s->held + (size_t)run * ((size_t)s->loads.chain->n_layers + 1);
}

static bool better(const search *s, const hold *a, const hold *b) {
  if (isinf(b->period) || isinf(a->period)) return a->period < b->period;
  if (isinf(s->limit)) return a->period < b->period;
  if (a->devices != b->devices) return a->devices < b->devices;
  return a->stages != b->stages ? a->stages < b->stages : a->period < b->period;
}

/* Seconds per sample of the links from the source to run [a, b). */
static double source_load(const search *s, int a, int b) {
  double longest = 0.0;
  for (int k = a; k < b; k++) {
    longest = fmax(longest, ee_source_load(s->loads.chain, s->device[k]) * speed_of(s, k));
  }
  return longest / s->speed[run_at(a, b)];
}

/* The run that began at device `first` grows by device `last`. */
static void reach_further(search *s, int first, int last) {
  const ee_chain *chain = s->loads.chain;
  for (int i = 1; i < chain->n_layers; i++) {
    for (int q = 0; q < first; q++) {
      double *far  = &s->far[i * s->n + q];
      double  load = ee_link_load(chain, s->device[q], s->device[last], i);
      load *= speed_of(s, q) * speed_of(s, last);
      *far = last == first ? load : fmax(*far, load);
    }
  }
}

/* Device `first` is the next one that a run may begin at, so that runs may end before it. */
static void open_entries(search *s, int first) {
  int layers = s->loads.chain->n_layers;
  for (int i = 1; i < layers; i++) {
    if (first == 0) s->free[i] = (hold){.period = INFINITY};
    for (int run = run_at(0, first); run < run_at(0, first + 1) && first > 0; run++) {
      hold here   = held_by(s, run)[i];
      here.before = run;
      if (better(s, &here, &s->free[i])) s->free[i] = here;
    }
  }
}

/* The best way if links took no time, with the link to a run of speed `speed`; whether that link
 * does not matter, so that no other way is better. */
static bool link_is_free(const search *s, double speed, int i, hold *held) {
  double far = 0.0;
  int    b;
  *held = s->free[i];
  if (isinf(held->period)) return true;
  for (int a = first_of(held->before, &b); a < b; a++) far = fmax(far, s->far[i * s->n + a]);
  double link  = far / (s->speed[held->before] * speed);
  bool   free  = link <= (isinf(s->limit) ? held->period : s->limit);
  held->period = fmax(held->period, link);
  return free;
}

/* How layers [0, i) are best held when a run that begins at device `first` takes them on. */
static hold enter(const search *s, int first, double speed, int i) {
  hold best;
  if (link_is_free(s, speed, i, &best)) return best;
  best = (hold){.period = INFINITY};
  for (int b = 1; b <= first; b++) {
    double far = 0.0;
    for (int a = b - 1; a >= 0; a--) {
      int  run    = run_at(a, b);
      hold here   = held_by(s, run)[i];
      far         = fmax(far, s->far[i * s->n + a]);
      here.period = fmax(here.period, far / (s->speed[run] * speed));
      here.before = run;
      if (here.period <= s->limit && better(s, &here, &best)) best = here;
    }
  }
  return best;
}

static bool fits(const search *s, int a, int b, int i, int j) {
  bool all = true;
  for (int k = a; k < b; k++) all = all && ee_stage_fits(&s->loads, s->device[k], i, j);
  return all;
}

/* Layers [0, j) with the last of them on run [a, b). */
static hold hold_until(const search *s, int a, int b, int j) {
  hold   best  = {.period = INFINITY};
  double speed = s->speed[run_at(a, b)] / speed_of(s, a);  // in devices like the first
  for (int i = j - 1; i >= 0; i--) {
    hold here = s->entry[i];
    if (ee_stage_floor(&s->loads, s->device[a], i, j) / speed > s->limit) break;
    here.period = fmax(here.period, ee_stage_load(&s->loads, s->device[a], i, j) / speed);
    here.devices += b - a;
    here.stages++;
    here.begin = i;
    if (here.period > s->limit || !better(s, &here, &best)) continue;
    if (fits(s, a, b, i, j)) best = here;
  }
  return best;
}

static void visit(search *s, int a, int b) {
  int layers = s->loads.chain->n_layers;
  reach_further(s, a, b - 1);
  s->entry[0] = (hold){.period = source_load(s, a, b), .before = -1};
  for (int i = 1; i < layers; i++) s->entry[i] = enter(s, a, s->speed[run_at(a, b)], i);
  if (s->entry[0].period > s->limit) s->entry[0].period = INFINITY;
  for (int j = 1; j <= layers; j++) held_by(s, run_at(a, b))[j] = hold_until(s, a, b, j);
}

/* The best run to hold all layers, with what is in `limit`; -1: there is none. */
static int pass(search *s) {
  int  layers = s->loads.chain->n_layers, best = -1;
  hold none = {.period = INFINITY};
  for (int a = 0; a < s->n; a++) {
    open_entries(s, a);
    for (int b = a + 1; b <= s->n; b++) visit(s, a, b);
  }
  for (int run = 0; run < s->n_runs; run++) {
    const hold *so_far = best < 0 ? &none : &held_by(s, best)[layers];
    if (better(s, &held_by(s, run)[layers], so_far)) best = run;
  }
  return best;
}

static ee_status read_plan(const search *s, int run, ee_plan **plan) {
  const ee_chain *chain = s->loads.chain;
  int             j = chain->n_layers, n = held_by(s, run)[j].stages;
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, n, plan));
  for (int k = n - 1; k >= 0; k--) {
    const hold *h = &held_by(s, run)[j];
    int         b, a = first_of(run, &b);
    (*plan)->stage[k] = (ee_stage){h->begin, j, s->device[a]};
    for (int d = a + 1; d < b; d++) EE_TRY(ee_plan_add_replica(*plan, k, s->device[d]));
    EE_TRY(ee_deal_turns(chain, *plan, k));
    j   = h->begin;
    run = h->before;
  }
  return EE_OK;
}

static ee_status find(search *s, ee_plan **plan) {
  const ee_chain *chain = s->loads.chain;
  s->limit              = INFINITY;
  int run               = pass(s);
  if (run < 0) {
    return EE_FAIL(EE_ERR_ARG, "no plan fits: %d layers on %d devices, of which %d are fast enough",
                   chain->n_layers, chain->n_devices, s->n);
  }
  s->limit         = held_by(s, run)[chain->n_layers].period * (1 + SAME_PERIOD);
  ee_status status = read_plan(s, pass(s), plan);
  if (status != EE_OK) ee_plan_destroy(plan);
  return status;
}

/* The devices that take part. */
static void list_devices(search *s) {
  const ee_chain *chain   = s->loads.chain;
  double          fastest = 0.0;
  for (int d = 0; d < chain->n_devices; d++) fastest = fmax(fastest, chain->speed[d]);
  for (int d = 0; d < chain->n_devices; d++) {
    if (ee_chain_present(chain, d) && chain->speed[d] >= fastest * SLOWEST) s->device[s->n++] = d;
  }
  s->n_runs = s->n * (s->n + 1) / 2;
}

static void sum_speeds(search *s) {
  for (int b = 1; b <= s->n; b++) {
    double sum = 0.0;
    for (int a = b - 1; a >= 0; a--) s->speed[run_at(a, b)] = sum += speed_of(s, a);
  }
}

/* Steps of a pass: pairs of runs at each cut, pairs of cuts for each run. */
static ee_status check_steps(const search *s) {
  double n = s->n, layers = s->loads.chain->n_layers;
  double steps = n * n * n * n / 24 * layers + n * n / 2 * layers * layers / 2;
  if (steps <= MOST_STEPS) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "replicas on %d unequal devices for %d layers take %.0e steps to plan, at most "
                 "%.0e are taken; fewer devices or cuts, or equal devices, take less",
                 s->n, s->loads.chain->n_layers, steps, MOST_STEPS);
}

static ee_status allocate(search *s) {
  size_t layers = (size_t)s->loads.chain->n_layers, n = (size_t)s->n, runs = (size_t)s->n_runs;
  s->speed = malloc(runs * sizeof *s->speed);
  s->far   = calloc(layers * n, sizeof *s->far);
  s->held  = malloc(runs * (layers + 1) * sizeof *s->held);
  s->entry = malloc(2 * layers * sizeof *s->entry);
  if (s->speed == NULL || s->far == NULL || s->held == NULL || s->entry == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %zu runs of devices and %zu layers", runs, layers);
  }
  s->free = s->entry + layers;
  sum_speeds(s);
  return EE_OK;
}

ee_status ee_runs_find(const ee_chain *chain, ee_plan **plan) {
  search s = {.loads = {.chain = chain}};
  *plan    = NULL;
  EE_TRY(ee_loads_create(chain, &s.loads));
  s.device         = malloc((size_t)chain->n_devices * sizeof *s.device);
  ee_status status = s.device != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for the devices");
  if (status == EE_OK) {
    list_devices(&s);
    status = check_steps(&s);
  }
  if (status == EE_OK) status = allocate(&s);
  if (status == EE_OK) status = find(&s, plan);
  free(s.device);
  free(s.speed);
  free(s.far);
  free(s.held);
  free(s.entry);
  ee_loads_destroy(&s.loads);
  return status;
}

ee_status ee_runs_alike(const ee_chain *chain, bool *alike) {
  ee_chain plain = *chain;
  ee_types types;
  if (chain->source >= 0 && ee_chain_present(chain, chain->source)) plain.source = -1;
  ee_status status = ee_types_create(&plain, &types);
  *alike           = status == EE_OK && types.n == 1;
  ee_types_destroy(&types);
  return status;
}
