/* SPDX-License-Identifier: Apache-2.0 */
/* What one sample takes: against a clock that ticks, and where it can be written down. */
#include "ee/units_forecast.h"

#include <math.h>

#include "ee/backend.h"
#include "ee_test.h"
#include "plan_case.h"

enum { NETWORKS = 150, ROOM = 128, AHEAD = 1 };

/* Units on a fleet whose times are whole numbers: a link carries a float in 1 or 8 seconds. */
typedef struct forecast_case {
  ee_model     *model;
  ee_units     *units;
  double        work[ROOM], speed[MOST_DEVICES], bandwidth[MOST_DEVICES * MOST_DEVICES];
  double        latency[MOST_DEVICES * MOST_DEVICES];
  ee_band_fleet fleet;
} forecast_case;

static bool make_case(forecast_case *c, uint64_t seed) {
  ee_rng    rng     = ee_rng_at(seed, 3);
  int       devices = 1 + (int)(seed % MOST_DEVICES), begin = 0;
  plan_case p;
  *c = (forecast_case){.model = maker_random(seed)};
  if (ee_model_finish(c->model) != EE_OK) abort();
  while (begin < c->model->n_layers && ee_bands_longest(c->model, begin) == begin) begin++;
  random_plan(c->model, begin, devices, &rng, &p);
  if (p.plan.n_ranges == 0) return false;
  CU_ASSERT_EQUAL_FATAL(ee_band_units(c->model, &ee_backend_ref, &p.plan, &p.placing, &c->units),
                        EE_OK);
  CU_ASSERT_TRUE_FATAL(c->units->n <= ROOM);
  for (int u = 0; u < c->units->n; u++) c->work[u] = (double)ee_rng_below(&rng, 90);
  for (int d = 0; d < devices; d++) c->speed[d] = 1.0;
  for (int k = 0; k < devices * devices; k++) {
    c->bandwidth[k] = (const double[]){0.0, 4.0, 0.5}[ee_rng_below(&rng, 3)];
    c->latency[k]   = (double)ee_rng_below(&rng, 40);
  }
  c->fleet = (ee_band_fleet){.n_devices = devices,
                             .speed     = c->speed,
                             .bandwidth = c->bandwidth,
                             .latency   = c->latency,
                             .source    = p.placing.source};
  return true;
}

static void end_case(forecast_case *c) {
  ee_units_destroy(&c->units);
  ee_model_destroy(&c->model);
}

/* Floats of what @p from made that device @p d reads, each input that is the same once. */
static int floats_for(const forecast_case *c, int from, int d) {
  ee_unit_input seen[256];
  int           n = 0, floats = 0;
  for (int u = 0; u < c->units->n; u++) {
    const ee_unit *unit = &c->units->unit[u];
    for (int i = 0; i < unit->n_inputs; i++) {
      ee_unit_input in = unit->input[i];
      if (unit->device != d || in.from != from) continue;
      bool known = false;
      for (int k = 0; k < n; k++) {
        known |= seen[k].value == in.value && seen[k].rows.begin == in.rows.begin &&
                 seen[k].rows.end == in.rows.end;
      }
      if (known) continue;
      seen[n++]          = in;
      const ee_shape *s  = &c->model->value[in.value].shape;
      int64_t         of = s->rank == 4 ? in.rows.end - in.rows.begin : 1;
      floats += (int)(ee_shape_elements(s) / (s->rank == 4 ? s->dim[2] : 1) * of);
    }
  }
  return floats;
}

/* Everything that is known at a tick. */
typedef struct clock_case {
  const forecast_case *c;
  long                 now;
  long                 made[ROOM + 1];  // the input first; -1: not yet
  long                 begun[ROOM], busy_until[MOST_DEVICES];
  long                 there[ROOM + 1][MOST_DEVICES], link[MOST_DEVICES][MOST_DEVICES];
  long                 told[ROOM + 1][MOST_DEVICES];  // what it decided, behind what it made
} clock_case;

static void send_all(clock_case *t, int u, int from) {
  const forecast_case *c = t->c;
  t->made[u + 1]         = t->now;
  for (int d = 0; d < c->fleet.n_devices; d++) {
    int k = from * c->fleet.n_devices + d, floats = floats_for(c, u, d);
    t->there[u + 1][d] = t->now;
    t->told[u + 1][d]  = t->now;
    if (from < 0 || from == d) continue;
    if (t->link[from][d] < t->now) t->link[from][d] = t->now;
    t->told[u + 1][d] = t->link[from][d] + (long)c->latency[k];
    if (floats == 0) continue;
    t->link[from][d] += c->bandwidth[k] > 0.0 ? floats * (int)(4 / c->bandwidth[k]) : 0;
    t->there[u + 1][d] = t->told[u + 1][d] = t->link[from][d] + (long)c->latency[k];
  }
}

/* Exits that device @p d knows to be passed. */
static int exits_passed(const clock_case *t, int d) {
  const forecast_case *c = t->c;
  int                  n = 0;
  for (int e = 0; e + 1 < c->model->n_exits; e++) {
    int u = ee_units_of_exit(c->units, e);
    if (t->made[u + 1] < 0 || t->told[u + 1][d] > t->now) return n;
    n++;
  }
  return n;
}

static bool can_begin(const clock_case *t, int u) {
  const ee_unit *unit  = &t->c->units->unit[u];
  int            ahead = unit->stage - exits_passed(t, unit->device);
  if (t->begun[u] >= 0 || ahead > (unit->exit >= 0 ? 0 : AHEAD)) return false;
  for (int i = 0; i < unit->n_inputs; i++) {
    int from = unit->input[i].from + 1;
    if (t->made[from] < 0 || t->there[from][unit->device] > t->now) return false;
  }
  return true;
}

static void begin_on(clock_case *t, int d) {
  const ee_units *units = t->c->units;
  int             best  = -1;
  if (t->busy_until[d] > t->now) return;
  for (int u = units->n - 1; u >= 0; u--) {
    if (units->unit[u].device == d && can_begin(t, u)) best = u;
  }
  for (int u = units->n - 1; u >= 0; u--) {
    bool needed = units->unit[u].stage <= exits_passed(t, d);
    if (needed && units->unit[u].device == d && can_begin(t, u)) best = u;
  }
  if (best < 0) return;
  t->begun[best]   = t->now;
  t->busy_until[d] = t->now + (long)t->c->work[best];
}

/* Units that are through; those that take no time make others ready at once. */
static bool finish_units(clock_case *t) {
  bool any = false;
  for (int u = 0; u < t->c->units->n; u++) {
    if (t->begun[u] < 0 || t->made[u + 1] >= 0) continue;
    if (t->begun[u] + (long)t->c->work[u] != t->now) continue;
    send_all(t, u, t->c->units->unit[u].device);
    any = true;
  }
  return any;
}

static void tick_through(const forecast_case *c, double *seconds, double *heard) {
  static clock_case t;
  int               n = c->units->n, left = n;
  t = (clock_case){.c = c};
  for (int u = 0; u < n; u++) t.begun[u] = t.made[u + 1] = -1;
  send_all(&t, -1, c->fleet.source);
  for (t.now = 0; left > 0 && t.now < 1000000; t.now++) {
    do {
      for (int d = 0; d < c->fleet.n_devices; d++) begin_on(&t, d);
    } while (finish_units(&t));
    left = 0;
    for (int u = 0; u < n; u++) left += t.made[u + 1] < 0;
  }
  for (int e = 0; e < c->model->n_exits; e++) {
    int u      = ee_units_of_exit(c->units, e);
    int source = c->fleet.source >= 0 ? c->fleet.source : c->units->unit[u].device;
    seconds[e] = (double)t.made[u + 1];
    heard[e]   = (double)t.told[u + 1][source];
  }
}

static void a_sample_takes_what_a_ticking_clock_says(void) {
  int cases = 0;
  for (uint64_t seed = 0; seed < NETWORKS; seed++) {
    forecast_case c;
    double        seconds[ROOM], heard[ROOM], ticks[ROOM], told[ROOM];
    if (make_case(&c, seed)) {
      CU_ASSERT_EQUAL_FATAL(ee_units_forecast(c.units, c.work, &c.fleet, AHEAD, seconds, heard),
                            EE_OK);
      tick_through(&c, ticks, told);
      for (int e = 0; e < c.model->n_exits; e++) {
        CU_ASSERT_EQUAL(seconds[e], ticks[e]);
        CU_ASSERT_EQUAL(heard[e], told[e]);
      }
      cases++;
    }
    end_case(&c);
  }
  CU_ASSERT_TRUE(cases > NETWORKS / 2);
}

/* Work and floats, unit by unit and link by link. */
static void a_stream_takes_what_its_slowest_device_or_link_does(void) {
  int links = 0, devices = 0;
  for (uint64_t seed = 0; seed < NETWORKS; seed++) {
    forecast_case c;
    double        reach[ROOM], slowest = 0.0, bytes = 0.0;
    ee_units_load load;
    if (make_case(&c, seed)) {
      for (int e = 0; e < c.model->n_exits; e++) reach[e] = 1.0 / (1 + e);
      for (int d = 0; d < c.fleet.n_devices; d++) {
        double busy = 0.0, sent[MOST_DEVICES] = {0.0};
        for (int u = -1; u < c.units->n; u++) {
          const ee_unit *unit  = &c.units->unit[u < 0 ? 0 : u];
          double         share = u < 0 ? 1.0 : reach[unit->stage];
          if (u >= 0 && unit->device == d) busy += share * c.work[u];
          if ((u < 0 ? c.fleet.source : unit->device) != d) continue;
          for (int q = 0; q < c.fleet.n_devices; q++) {
            if (q != d) sent[q] += share * floats_for(&c, u, q);
          }
        }
        slowest = fmax(slowest, busy);
        for (int q = 0; q < c.fleet.n_devices; q++) {
          bytes += 4.0 * sent[q];
          double rate = c.bandwidth[d * c.fleet.n_devices + q];
          if (rate > 0.0) slowest = fmax(slowest, 4.0 * sent[q] / rate);
        }
      }
      CU_ASSERT_EQUAL_FATAL(ee_units_load_of(c.units, c.work, &c.fleet, reach, &load), EE_OK);
      CU_ASSERT_DOUBLE_EQUAL(load.period, slowest, 1e-9 * slowest);
      CU_ASSERT_DOUBLE_EQUAL(load.bytes, bytes, 1e-9 * bytes);
      links += load.from != load.to;
      devices += load.from == load.to;
    }
    end_case(&c);
  }
  CU_ASSERT_TRUE(links > 5 && devices > 5);
}

static void a_device_that_is_away_makes_no_sample_end(void) {
  forecast_case c;
  double        seconds[ROOM];
  ee_units_load load;
  CU_ASSERT_TRUE_FATAL(make_case(&c, 1));
  for (int d = 0; d < c.fleet.n_devices; d++) c.speed[d] = 0.0;
  c.work[0] = 1.0;
  CU_ASSERT_EQUAL(ee_units_forecast(c.units, c.work, &c.fleet, AHEAD, seconds, NULL), EE_OK);
  CU_ASSERT_TRUE(isinf(seconds[c.model->n_exits - 1]));
  CU_ASSERT_EQUAL(ee_units_load_of(c.units, c.work, &c.fleet, NULL, &load), EE_OK);
  CU_ASSERT_TRUE(isinf(load.period));
  c.fleet.n_devices = 0;
  CU_ASSERT_EQUAL(ee_units_forecast(c.units, c.work, &c.fleet, AHEAD, seconds, NULL), EE_ERR_ARG);
  end_case(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_sample_takes_what_a_ticking_clock_says),
    EE_FACT(a_stream_takes_what_its_slowest_device_or_link_does),
    EE_FACT(a_device_that_is_away_makes_no_sample_end),
    {NULL, NULL},
};
