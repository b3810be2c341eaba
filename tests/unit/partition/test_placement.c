/* SPDX-License-Identifier: Apache-2.0 */
/* What placements of branches promise, where it can be worked out by hand, and that the best one is
 * found. */
#include "ee/placement.h"

#include <math.h>

#include "../nn/branch_maker.h"
#include "ee_test.h"

enum { LANES = 3, STAGES = 3, DEVICES = 4 };

/* Units of three branches on four devices that are alike, with free links. */
typedef struct scene {
  ee_model         *model;
  ee_units         *units;
  double            work[64], reach[STAGES], speed[DEVICES];
  double            bandwidth[DEVICES * DEVICES], latency[DEVICES * DEVICES], memory[DEVICES];
  size_t            bytes[64];
  ee_unit_memory    takes;  // of units alone
  int               device[64];
  ee_placement_task task;
} scene;

static void open_scene_of(scene *s, int lanes, int stages) {
  *s = (scene){.model = maker_branches(lanes, stages, MAKER_MEAN)};
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(s->model), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(s->model, &s->units), EE_OK);
  for (int u = 0; u < s->units->n; u++) {
    s->work[u]  = s->units->unit[u].lane >= 0 ? 1.0 : 0.0;
    s->bytes[u] = 1;
  }
  for (int e = 0; e < STAGES; e++) s->reach[e] = 1.0;
  for (int d = 0; d < DEVICES; d++) s->speed[d] = 1.0;
  s->takes = (ee_unit_memory){.units = s->units, .of = s->bytes};
  s->task  = (ee_placement_task){.units  = s->units,
                                 .work   = s->work,
                                 .reach  = s->reach,
                                 .fleet  = {.n_devices = DEVICES,
                                            .speed     = s->speed,
                                            .bandwidth = s->bandwidth,
                                            .latency   = s->latency},
                                 .takes  = &s->takes,
                                 .memory = s->memory,
                                 .ahead  = STAGES};
}

static void open_scene(scene *s) {
  open_scene_of(s, LANES, STAGES);
}

/* With messages of a window of 2. */
static void open_small_scene(scene *s) {
  open_scene_of(s, 2, 2);
  s->takes.buffers = (ee_unit_buffers){.window = 2, .head = 48, .line = 30};
  CU_ASSERT_EQUAL_FATAL(ee_unit_pieces_find(s->units, &s->takes.pieces), EE_OK);
}

static void close_scene(scene *s) {
  ee_unit_pieces_free(&s->takes.pieces);
  ee_units_destroy(&s->units);
  ee_model_destroy(&s->model);
}

static void place(scene *s, int a, int b, int c, int joined) {
  const int lane[] = {a, b, c};
  for (int u = 0; u < s->units->n; u++) {
    int k        = s->units->unit[u].lane;
    s->device[u] = k >= 0 ? lane[k] : joined;
  }
}

/* As if all left at the first exit, or nobody before the last. */
static double decided(scene *s, bool first) {
  ee_placement_forecast f;
  double                reach[STAGES] = {1.0};
  for (int e = 1; e < STAGES; e++) reach[e] = first ? 0.0 : 1.0;
  ee_placement_task task = s->task;
  task.reach             = reach;
  CU_ASSERT_EQUAL_FATAL(ee_placement_forecast_of(&task, s->device, &f), EE_OK);
  return f.latency;
}

static ee_placement_forecast forecast(const scene *s) {
  ee_placement_forecast f;
  CU_ASSERT_EQUAL_FATAL(ee_placement_forecast_of(&s->task, s->device, &f), EE_OK);
  return f;
}

static void branches_side_by_side_take_as_long_as_the_slowest(void) {
  scene s;
  open_scene(&s);
  place(&s, 0, 0, 0, 0);  // nine units of a second each
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).latency, 9.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(decided(&s, true), 3.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).period, 9.0, 1e-9);
  place(&s, 1, 2, 3, 0);
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).latency, 3.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).period, 3.0, 1e-9);
  s.speed[2] = 0.5;
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).latency, 6.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(decided(&s, true), 2.0, 1e-9);
  s.reach[1] = s.reach[2] = 0.25;  // three quarters leave at the first exit
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).latency, 0.75 * 2.0 + 0.25 * 6.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).period, 2.0 * (1.0 + 0.25 + 0.25), 1e-9);
  close_scene(&s);
}

/* The input, 128 bytes, there, and a feature, 24 bytes, back: after the first stage all others are
 * computed while features travel, if it may be looked ahead. */
static void links_take_their_time_and_looking_ahead_hides_it(void) {
  scene s;
  open_scene(&s);
  place(&s, 1, 2, 3, 0);
  for (int i = 0; i < DEVICES * DEVICES; i++) s.bandwidth[i] = 64.0, s.latency[i] = 0.5;
  double there = 128.0 / 64.0 + 0.5, back = 24.0 / 64.0 + 0.5;
  CU_ASSERT_DOUBLE_EQUAL(decided(&s, true), there + 1.0 + back, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(decided(&s, false), there + 3.0 + back, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).period, 3.0, 1e-9);
  s.task.ahead = 0;  // a stage begins when the exit before it has decided
  CU_ASSERT_DOUBLE_EQUAL(decided(&s, false), there + 3.0 * (1.0 + back) + 2.0 * 0.5, 1e-9);
  for (int i = 0; i < DEVICES * DEVICES; i++) s.bandwidth[i] = 128.0 / 5.0;
  CU_ASSERT_DOUBLE_EQUAL(forecast(&s).period, 5.0, 1e-9);  // a link with the input
  close_scene(&s);
}

/* Each of two branches on one device reads the input, which travels once. */
static void what_several_units_of_a_device_read_travels_once(void) {
  scene s;
  open_scene(&s);
  for (int i = 0; i < DEVICES * DEVICES; i++) s.bandwidth[i] = 64.0;
  place(&s, 1, 1, 1, 1);
  CU_ASSERT_DOUBLE_EQUAL(decided(&s, true), 2.0 + 3.0, 1e-9);
  close_scene(&s);
}

/* Every placement of whole branches, by counting. */
static void the_best_placement_of_branches_is_found(void) {
  for (int turn = 0; turn < 12; turn++) {
    scene  s;
    double least = INFINITY;
    ee_rng rng   = ee_rng_at(2, (uint64_t)turn);
    open_scene(&s);
    for (int u = 0; u < s.units->n; u++) s.work[u] = ee_rng_uniform(&rng);
    for (int d = 0; d < DEVICES; d++) s.speed[d] = 0.1 + ee_rng_uniform(&rng);
    for (int i = 0; i < DEVICES * DEVICES; i++) {
      s.bandwidth[i] = 50.0 + 500.0 * ee_rng_uniform(&rng);
      s.latency[i]   = 0.2 * ee_rng_uniform(&rng);
    }
    s.reach[1] = 0.6, s.reach[2] = 0.3;
    s.memory[turn % DEVICES] = 4.0;  // one branch, or what joins them, at most
    bool by_latency          = turn % 2 == 0;
    for (int k = 0; k < 256; k++) {
      int load[DEVICES] = {0};
      place(&s, k & 3, k >> 2 & 3, k >> 4 & 3, k >> 6);
      for (int u = 0; u < s.units->n; u++) load[s.device[u]]++;
      if (load[turn % DEVICES] > 4) continue;
      ee_placement_forecast f = forecast(&s);
      least                   = fmin(least, by_latency ? f.latency : f.period);
    }
    CU_ASSERT_EQUAL_FATAL(ee_placement_find(&s.task, by_latency, s.device), EE_OK);
    ee_placement_forecast f = forecast(&s);
    CU_ASSERT_TRUE((by_latency ? f.latency : f.period) <= least * (1.0 + 1e-9));
    int load = 0;
    for (int u = 0; u < s.units->n; u++) load += s.device[u] == turn % DEVICES;
    CU_ASSERT_TRUE(load <= 4);
    close_scene(&s);
  }
}

/* Each unit anywhere, drawn; and where everything is on the only device that can do it, the bound
 * is what that promises. */
static void no_placement_falls_below_the_bound(void) {
  ee_placement_forecast bound, f;
  scene                 s;
  open_scene(&s);
  s.reach[1] = 0.5, s.reach[2] = 0.2;
  for (int turn = 0; turn < 80; turn++) {
    ee_rng rng = ee_rng_at(3, (uint64_t)turn);
    for (int u = 0; u < s.units->n; u++) {
      s.work[u]   = ee_rng_uniform(&rng);
      s.device[u] = (int)ee_rng_below(&rng, DEVICES);
    }
    for (int d = 0; d < DEVICES; d++) s.speed[d] = 0.1 + ee_rng_uniform(&rng);
    CU_ASSERT_EQUAL_FATAL(ee_placement_bound(&s.task, &bound), EE_OK);
    f = forecast(&s);
    CU_ASSERT_TRUE(f.latency >= bound.latency * (1.0 - 1e-12));
    CU_ASSERT_TRUE(f.period >= bound.period * (1.0 - 1e-12));
    CU_ASSERT_EQUAL_FATAL(ee_placement_find(&s.task, turn % 2 == 0, s.device), EE_OK);
    f = forecast(&s);
    CU_ASSERT_TRUE(f.latency >= bound.latency * (1.0 - 1e-12));
    CU_ASSERT_TRUE(f.period >= bound.period * (1.0 - 1e-12));
  }
  place(&s, 0, 0, 0, 0);
  s.task.fleet.n_devices = 1;
  f                      = forecast(&s);
  CU_ASSERT_EQUAL_FATAL(ee_placement_bound(&s.task, &bound), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(bound.latency, f.latency, 1e-9 * f.latency);
  CU_ASSERT_DOUBLE_EQUAL(bound.period, f.period, 1e-9 * f.period);
  close_scene(&s);
}

/* A stage of three branches, a second each, after which two of three leave: on four devices of
 * speed 1 it takes a second, and the stream as long as three branches on four devices. */
static void the_bound_is_what_work_and_speeds_allow(void) {
  ee_placement_forecast bound;
  scene                 s;
  open_scene(&s);
  s.reach[1] = s.reach[2] = 1.0 / 3.0;
  CU_ASSERT_EQUAL_FATAL(ee_placement_bound(&s.task, &bound), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(bound.latency, 2.0 / 3.0 * 1.0 + 1.0 / 3.0 * 3.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(bound.period, fmax(3.0 / 4.0 * (1.0 + 2.0 / 3.0), 1.0), 1e-9);
  s.speed[1] = s.speed[2] = s.speed[3] = 0.0;
  CU_ASSERT_EQUAL_FATAL(ee_placement_bound(&s.task, &bound), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(bound.latency, 2.0 / 3.0 * 3.0 + 1.0 / 3.0 * 9.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(bound.period, 3.0 + 2.0 / 3.0 * 3.0, 1e-9);
  close_scene(&s);
}

/* Room for three to nine units on each device: with those of the old placement, those of the new
 * one are no more, and it is no slower. */
static void a_placement_beside_another_leaves_room_for_both(void) {
  int changed = 0;
  for (int turn = 0; turn < 60; turn++) {
    scene  s;
    int    old[64];
    ee_rng rng = ee_rng_at(5, (uint64_t)turn);
    open_scene(&s);
    for (int u = 0; u < s.units->n; u++) {
      s.work[u] = ee_rng_uniform(&rng);
      old[u] = s.device[u] = (int)ee_rng_below(&rng, DEVICES);
    }
    for (int d = 0; d < DEVICES; d++) {
      int had    = 0;
      s.speed[d] = 0.1 + ee_rng_uniform(&rng);
      for (int u = 0; u < s.units->n; u++) had += old[u] == d;
      s.memory[d] = had + (double)ee_rng_below(&rng, 3);
    }
    s.task.beside             = old;
    ee_placement_forecast was = forecast(&s), now;
    CU_ASSERT_EQUAL_FATAL(ee_placement_find(&s.task, true, s.device), EE_OK);
    now = forecast(&s);
    CU_ASSERT_TRUE(now.latency <= was.latency * (1.0 + 1e-9));
    for (int d = 0; d < DEVICES; d++) {
      int both = 0;
      for (int u = 0; u < s.units->n; u++) both += old[u] == d || s.device[u] == d;
      CU_ASSERT_TRUE(both <= (s.memory[d] > 0.0 ? s.memory[d] : both));
    }
    for (int u = 0; u < s.units->n; u++) changed += s.device[u] != old[u];
    close_scene(&s);
  }
  CU_ASSERT_TRUE(changed > 60);
}

/* Whether units and messages of a placement fit. */
static bool has_room(const scene *s, const int *device) {
  ee_unit_room room[DEVICES];
  bool         fits = true;
  CU_ASSERT_EQUAL_FATAL(ee_unit_memory_on(&s->takes, device, NULL, DEVICES, room), EE_OK);
  for (int d = 0; d < DEVICES; d++) fits &= (double)ee_unit_room_bytes(room[d]) <= s->memory[d];
  return fits;
}

/* Every placement of single units, by counting. */
static bool any_fits(const scene *s) {
  int  n = s->units->n, device[64] = {0};
  bool fits = has_room(s, device);
  for (int u = 0; u < n && !fits;) {
    device[u] = (device[u] + 1) % DEVICES;
    if (device[u] == 0) {
      u++;
      continue;
    }
    fits = has_room(s, device);
    u    = 0;
  }
  return fits;
}

/* Two branches with two stages on memories that hardly hold them.  Where nothing fits nothing is
 * found, and where something does, something is. */
static void placements_that_fit_are_found_in_small_memories(void) {
  int there = 0, found = 0;
  for (int turn = 0; turn < 60; turn++) {
    scene  s;
    ee_rng rng = ee_rng_at(7, (uint64_t)turn);
    open_small_scene(&s);
    for (int u = 0; u < s.units->n; u++) s.bytes[u] = ee_rng_below(&rng, 2000);
    for (int d = 0; d < DEVICES; d++) s.memory[d] = 1.0 + (double)ee_rng_below(&rng, 6000);
    ee_status status = ee_placement_find(&s.task, turn % 2 == 0, s.device);
    CU_ASSERT_TRUE(status == EE_ERR_ARG || has_room(&s, s.device));
    if (any_fits(&s)) {
      there++;
      found += status == EE_OK;
    } else {
      CU_ASSERT_EQUAL(status, EE_ERR_ARG);
    }
    close_scene(&s);
  }
  CU_ASSERT_TRUE(there >= 20 && there <= 50 && found == there);
}

static void devices_without_speed_or_memory_get_nothing(void) {
  scene s;
  open_scene(&s);
  s.speed[0] = s.speed[2] = 0.0;
  CU_ASSERT_EQUAL_FATAL(ee_placement_find(&s.task, true, s.device), EE_OK);
  for (int u = 0; u < s.units->n; u++) CU_ASSERT_TRUE(s.device[u] % 2 == 1);
  s.memory[1] = s.memory[3] = 2.0;
  CU_ASSERT_EQUAL(ee_placement_find(&s.task, true, s.device), EE_ERR_ARG);
  s.speed[1] = s.speed[3] = 0.0;
  CU_ASSERT_EQUAL(ee_placement_find(&s.task, true, s.device), EE_ERR_ARG);
  close_scene(&s);
}

const ee_fact ee_facts[] = {EE_FACT(branches_side_by_side_take_as_long_as_the_slowest),
                            EE_FACT(links_take_their_time_and_looking_ahead_hides_it),
                            EE_FACT(what_several_units_of_a_device_read_travels_once),
                            EE_FACT(the_best_placement_of_branches_is_found),
                            EE_FACT(no_placement_falls_below_the_bound),
                            EE_FACT(the_bound_is_what_work_and_speeds_allow),
                            EE_FACT(a_placement_beside_another_leaves_room_for_both),
                            EE_FACT(placements_that_fit_are_found_in_small_memories),
                            EE_FACT(devices_without_speed_or_memory_get_nothing),
                            {NULL, NULL}};
