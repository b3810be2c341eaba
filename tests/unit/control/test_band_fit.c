/* SPDX-License-Identifier: Apache-2.0 */
/* Bands for devices with little memory, next to all bands that there are. */
#include <math.h>

#include "../nn/graph_maker.h"
#include "ee/band_choice.h"
#include "ee/rng.h"
#include "ee/team.h"
#include "ee_test.h"

enum { DEVICES = 2, LAYERS = 3, CONVOLUTIONS = 4, ROWS = 6, CASES = 40, WINDOW = 2 };

typedef struct scene {
  ee_model     *model;
  ee_fleet     *fleet;
  ee_run_setup  setup;
  ee_band_field field;
  ee_band_wish  wish;
} scene;

/* Convolutions one behind the other; bands do not reach the last one, which ends in a classifier.
 */
static ee_model *make_model(void) {
  const char *name[CONVOLUTIONS] = {"a", "b", "c", "d"};
  ee_model   *m                  = maker_begin(4, SHAPE(1, 2, ROWS, 5));
  int         x                  = m->input;
  for (int l = 0; l < CONVOLUTIONS; l++) x = maker_relu(m, name[l], maker_conv(m, name[l], x));
  maker_head(m, "final", x);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

static void open_scene(scene *s, ee_rng *rng) {
  *s = (scene){.model = make_model(), .wish = {.borders = EE_BORDERS_TOGETHER, .window = WINDOW}};
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(DEVICES, &s->fleet), EE_OK);
  for (int d = 0; d < DEVICES; d++) {
    s->fleet->device[d].flops = 1e6 * (0.5 + ee_rng_uniform(rng));
  }
  for (int k = 0; k < DEVICES * DEVICES; k++) {
    s->fleet->link[k].bandwidth = 1e6 * (0.2 + 2.0 * ee_rng_uniform(rng));
    s->fleet->link[k].latency   = 1e-5 * ee_rng_uniform(rng);
  }
  s->setup = (ee_run_setup){.model       = s->model,
                            .backend     = &ee_backend_ref,
                            .fleet       = s->fleet,
                            .host_flops  = 1e9,
                            .batch_limit = 1,
                            .slots       = 2};
  CU_ASSERT_EQUAL_FATAL(ee_band_field_find(&s->setup, &s->field), EE_OK);
}

static void close_scene(scene *s) {
  ee_band_field_free(&s->field);
  ee_fleet_destroy(&s->fleet);
  ee_model_destroy(&s->model);
}

static ee_band_choice choose(const scene *s) {
  ee_band_choice choice;
  CU_ASSERT_EQUAL_FATAL(ee_band_choose(&s->setup, &s->field, DEVICES, &s->wish, &choice), EE_OK);
  return choice;
}

/* Whether units fit, by what their ranks would count. */
static bool fits(const scene *s, const ee_units *units) {
  int             device[64];
  ee_unit_memory  memory;
  ee_unit_room    room[DEVICES];
  ee_unit_buffers buffers = ee_team_buffers(units, NULL, WINDOW);
  CU_ASSERT_EQUAL_FATAL(ee_unit_memory_find(units, &ee_backend_ref, &buffers, &memory), EE_OK);
  for (int u = 0; u < units->n; u++) device[u] = units->unit[u].device;
  CU_ASSERT_EQUAL_FATAL(ee_unit_memory_on(&memory, device, NULL, DEVICES, room), EE_OK);
  ee_unit_memory_free(&memory);
  bool fit = true;
  for (int d = 0; d < DEVICES; d++) {
    double most = s->fleet->device[d].memory;
    fit &= most <= 0.0 || (double)ee_unit_room_bytes(room[d]) <= most;
  }
  return fit;
}

static double seconds_of(const scene *s, const ee_units *units) {
  double speed[DEVICES], bandwidth[DEVICES * DEVICES], latency[DEVICES * DEVICES], work[64], end;
  for (int d = 0; d < DEVICES; d++) speed[d] = s->fleet->device[d].flops;
  for (int k = 0; k < DEVICES * DEVICES; k++) {
    bandwidth[k] = s->fleet->link[k].bandwidth;
    latency[k]   = s->fleet->link[k].latency;
  }
  for (int u = 0; u < units->n; u++) work[u] = ee_unit_work(&s->setup, &units->unit[u]);
  ee_band_fleet fleet = {
      .n_devices = DEVICES, .speed = speed, .bandwidth = bandwidth, .latency = latency};
  CU_ASSERT_EQUAL_FATAL(ee_units_forecast(units, work, &fleet, EE_BAND_AHEAD, &end, NULL), EE_OK);
  return end;
}

/* Seconds of a sample with the plan's bands; INFINITY if they do not fit. */
static double try(const scene *s, const ee_band_plan *plan) {
  ee_units       *units                    = NULL;
  int             device[CONVOLUTIONS + 1] = {0};
  ee_band_placing placing                  = {.device = device};
  for (int l = plan->cut[plan->n_ranges] - 1; l < s->model->n_layers; l++) device[l] = plan->last;
  CU_ASSERT_EQUAL_FATAL(ee_band_units(s->model, &ee_backend_ref, plan, &placing, &units), EE_OK);
  double seconds = fits(s, units) ? seconds_of(s, units) : INFINITY;
  ee_units_destroy(&units);
  return seconds;
}

/* All heights of the ranges from @p k on. */
static double least_from(const scene *s, ee_band_plan *plan, int k) {
  double least = INFINITY;
  if (k == plan->n_ranges) return try(s, plan);
  int64_t *row = plan->row + (size_t)k * (DEVICES + 1);
  for (row[1] = 0, row[2] = ROWS; row[1] <= ROWS; row[1]++) {
    least = fmin(least, least_from(s, plan, k + 1));
  }
  return least;
}

/* All bands there are: ends, exchanges, heights, and who does what follows. */
static double least_of_all(const scene *s) {
  double least = INFINITY;
  for (int end = 1; end <= LAYERS; end++) {
    for (int inside = 0; inside < 1 << (end - 1); inside++) {
      int          cut[LAYERS + 1]             = {0};
      int64_t      row[LAYERS * (DEVICES + 1)] = {0};
      ee_band_plan plan                        = {.n_devices = DEVICES, .cut = cut, .row = row};
      for (int c = 1; c <= end; c++) {
        if (c == end || (inside >> (c - 1) & 1)) cut[++plan.n_ranges] = c;
      }
      for (plan.last = 0; plan.last < DEVICES; plan.last++) {
        least = fmin(least, least_from(s, &plan, 0));
      }
    }
  }
  return least;
}

/* Where no bands fit none are found; where some do some are, not much slower than the best. */
static void bands_that_fit_are_found_in_small_memories(void) {
  int there = 0, found = 0, good = 0;
  for (int turn = 0; turn < CASES; turn++) {
    scene  s;
    ee_rng rng = ee_rng_at(31, (uint64_t)turn);
    open_scene(&s, &rng);
    ee_band_choice free_of_limits = choose(&s);
    for (int d = 0; d < DEVICES; d++) {
      double all                = (double)ee_unit_room_bytes(free_of_limits.room[d]);
      s.fleet->device[d].memory = all * (0.5 + 0.7 * ee_rng_uniform(&rng));
    }
    ee_band_choice choice = choose(&s);
    double         least  = least_of_all(&s);
    if (choice.lacking <= 0.0) {
      CU_ASSERT_TRUE(fits(&s, choice.units));
      CU_ASSERT_TRUE(choice.latency >= least * (1.0 - 1e-9));
    }
    there += least < INFINITY;
    found += choice.lacking <= 0.0;
    good += choice.lacking <= 0.0 && choice.latency <= 1.1 * least;
    ee_band_choice_free(&free_of_limits);
    ee_band_choice_free(&choice);
    close_scene(&s);
  }
  CU_ASSERT_TRUE(there >= CASES / 2 && there < CASES);
  CU_ASSERT_EQUAL(found, there);
  CU_ASSERT_EQUAL(good, there);
}

const ee_fact ee_facts[] = {EE_FACT(bands_that_fit_are_found_in_small_memories), {NULL, NULL}};
