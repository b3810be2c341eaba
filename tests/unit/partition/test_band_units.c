/* SPDX-License-Identifier: Apache-2.0 */
/* Bands as units: run one after the other they answer, bit by bit, what one device does. */
#include "ee/band_units.h"

#include <math.h>

#include "ee/backend.h"
#include "ee/exec.h"
#include "ee/winograd.h"
#include "ee_test.h"
#include "plan_case.h"

enum { NETWORKS = 60, HEIGHT = 26, BATCH = 2 };

/* Something that runs layers of a model, with its weights. */
typedef struct runner {
  ee_resident *res;
  ee_exec     *exec;
} runner;

static runner runner_of(const ee_model *m, const ee_backend *backend, int begin, int end) {
  runner r = {NULL, NULL};
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, backend, &r.res), EE_OK);
  for (int l = begin; l < end; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(r.res, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(r.res, begin, end, BATCH, &r.exec), EE_OK);
  return r;
}

static void end_runner(runner *r) {
  ee_exec_destroy(&r->exec);
  ee_resident_destroy(&r->res);
}

static size_t bytes_of(const ee_model *m, int v) {
  return (size_t)(BATCH * ee_model_value_elements(m, v)) * sizeof(float);
}

static void keep_logits(const ee_model *m, runner *r, int exit, float *logits) {
  const float *made   = NULL;
  size_t       floats = (size_t)(BATCH * m->n_classes);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(r->exec, exit, BATCH, &made), EE_OK);
  memcpy(logits + (size_t)exit * floats, made, floats * sizeof *made);
}

/* The oracle: one device.  @p logits: shape [n_exits, BATCH, n_classes]. */
static void run_alone(const ee_model *m, const ee_backend *backend, const float *input,
                      float *logits) {
  runner r = runner_of(m, backend, 0, m->n_layers);
  memcpy(ee_exec_input(r.exec, m->input), input, bytes_of(m, m->input));
  for (int e = 0, l = 0; e < m->n_exits; e++) {
    if (l <= m->exit[e].attach) {
      CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(r.exec, l, m->exit[e].attach + 1, BATCH), EE_OK);
    }
    l = m->exit[e].attach + 1;
    keep_logits(m, &r, e, logits);
  }
  end_runner(&r);
}

static ee_rows held_of(const ee_model *m, const ee_rows *held, int v) {
  return held != NULL ? held[v] : (ee_rows){0, m->value[v].shape.dim[2]};
}

/* Let nobody read what nobody sent. */
static void spoil_inputs(const ee_unit *unit, runner *r) {
  int        n;
  const int *live = ee_model_cut_values(unit->model, unit->begin, &n);
  for (int i = 0; i < n; i++) {
    float *at = ee_exec_input(r->exec, live[i]);
    if (at != NULL) memset(at, 0xff, bytes_of(unit->model, live[i]));
  }
}

static void bring_input(const ee_units *units, const ee_unit *unit, runner *all, int i,
                        const float *input) {
  const ee_model      *m    = units->whole;
  const ee_unit_input *in   = &unit->input[i];
  const ee_unit       *from = in->from >= 0 ? &units->unit[in->from] : NULL;
  const float         *data = from != NULL ? ee_exec_value(all[in->from].exec, in->value) : input;
  float               *to   = ee_exec_input(all[unit - units->unit].exec, in->value);
  CU_ASSERT_PTR_NOT_NULL_FATAL(data);
  CU_ASSERT_PTR_NOT_NULL_FATAL(to);
  if (from != NULL && from->lane >= 0) CU_ASSERT_PTR_NOT_NULL(unit->held);
  if (m->value[in->value].shape.rank != 4) {
    memcpy(to, data, bytes_of(m, in->value));
    return;
  }
  ee_rows has  = held_of(m, from != NULL ? from->held : NULL, in->value);
  ee_rows want = held_of(m, unit->held, in->value);
  CU_ASSERT_TRUE_FATAL(has.begin <= in->rows.begin && in->rows.end <= has.end);
  CU_ASSERT_TRUE_FATAL(want.begin <= in->rows.begin && in->rows.end <= want.end);
  ee_rows_copy(&m->value[in->value].shape, BATCH, in->rows, data, has, to, want);
}

/* All units, one after the other. */
static void walk(const ee_units *units, const ee_backend *backend, const float *input,
                 float *logits) {
  runner *all = calloc((size_t)units->n, sizeof *all);
  if (all == NULL) abort();
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    all[u]              = runner_of(unit->model, backend, unit->begin, unit->end);
    spoil_inputs(unit, &all[u]);
    for (int i = 0; i < unit->n_inputs; i++) bring_input(units, unit, all, i, input);
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(all[u].exec, unit->begin, unit->end, BATCH), EE_OK);
    if (unit->exit >= 0) keep_logits(unit->model, &all[u], unit->exit, logits);
  }
  for (int u = 0; u < units->n; u++) end_runner(&all[u]);
  free(all);
}

static bool is_cut_apart(const ee_units *units) {
  for (int u = 1; u < units->n; u++) {
    const ee_unit *a = &units->unit[u - 1], *b = &units->unit[u];
    if (a->lane >= 0 && a->lane == b->lane && a->begin == b->begin) return true;
  }
  return false;
}

/* Compare; *apart is set if a band is more than one unit. */
static void check_plan(const ee_model *m, const ee_backend *backend, const plan_case *c,
                       bool *apart) {
  ee_units *units  = NULL;
  size_t    floats = (size_t)(m->n_exits * BATCH * m->n_classes);
  float    *input = malloc(bytes_of(m, m->input)), *alone = calloc(floats, sizeof *alone);
  float    *shared = calloc(floats, sizeof *shared);
  ee_rng    rng    = ee_rng_at(3, 8);
  if (input == NULL || alone == NULL || shared == NULL) abort();
  for (int64_t i = 0; i < BATCH * ee_model_value_elements(m, m->input); i++) {
    input[i] = (float)(ee_rng_uniform(&rng) - 0.5);
  }
  CU_ASSERT_EQUAL_FATAL(ee_band_units(m, backend, &c->plan, &c->placing, &units), EE_OK);
  CU_ASSERT_EQUAL(ee_units_check(units, c->plan.n_devices), EE_OK);
  *apart |= is_cut_apart(units);
  run_alone(m, backend, input, alone);
  walk(units, backend, input, shared);
  CU_ASSERT_EQUAL(memcmp(alone, shared, floats * sizeof *alone), 0);
  ee_units_destroy(&units);
  free(input);
  free(alone);
  free(shared);
}

static void check_random(const char *name) {
  bool apart = false;
  for (uint64_t seed = 0; seed < NETWORKS; seed++) {
    ee_rng    rng = ee_rng_at(seed, 6);
    plan_case c;
    ee_model *m = picture_random(seed, HEIGHT + (int64_t)(seed % 7), PICTURE_ANY);
    add_exits(m, &rng);
    int begin = 0, longest = 0;
    for (int l = 0; l < m->n_layers && longest <= begin; l++) {
      begin   = ee_rng_below(&rng, 3) > 0 ? l : l + 1;
      longest = begin < m->n_layers ? ee_bands_longest(m, begin) : 0;
    }
    random_plan(m, begin, 1 + (int)(seed % MOST_DEVICES), &rng, &c);
    if (c.plan.n_ranges > 0) check_plan(m, ee_backend_by_name(name), &c, &apart);
    ee_model_destroy(&m);
  }
  CU_ASSERT_TRUE(apart);
}

static void units_of_random_networks_answer_like_one_device_on_ref(void) {
  check_random("ref");
}

static void units_of_random_networks_answer_like_one_device_on_blis(void) {
  check_random("blis");
}

static void units_of_random_networks_answer_like_one_device_on_simd(void) {
  check_random("simd");
}

static void units_of_random_networks_answer_like_one_device_without_winograd(void) {
  ee_winograd_set(EE_WINOGRAD_OFF);
  check_random("simd");
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
}

/* 1 to 5 devices, with borders apart and without. */
static void check_stages(ee_model *m) {
  bool apart = false;
  for (int devices = 1; devices <= MOST_DEVICES; devices++) {
    ee_rng    rng = ee_rng_at((uint64_t)devices, 7);
    plan_case c;
    random_plan(m, 0, devices, &rng, &c);
    for (int pass = 0; pass < 2; pass++) {
      c.placing.apart = pass == 1;
      check_plan(m, ee_backend_by_name("simd"), &c, &apart);
    }
  }
  CU_ASSERT_TRUE(apart);
  ee_model_destroy(&m);
}

static void stages_of_vgg_answer_like_one_device(void) {
  check_stages(picture_vgg());
}

static int node_of(const ee_model *m, const char *name) {
  return (int)(maker_find(m, name) - m->node);
}

/* Two exits behind the same layer, one in front of the bands' last range and one inside. */
static void stages_of_resnet_with_exits_answer_like_one_device(void) {
  ee_model *m = picture_resnet(40);
  picture_exit(m, "early", node_of(m, "one.sum"));
  picture_exit(m, "other", node_of(m, "one.sum"));
  picture_exit(m, "late", node_of(m, "two.sum"));
  CU_ASSERT_EQUAL(m->n_exits, 4);
  check_stages(m);
}

/* Whether all that the unit reads is on its device. */
static bool reads_own(const ee_units *units, const ee_unit *unit, int source) {
  bool own = true;
  for (int i = 0; i < unit->n_inputs; i++) {
    int from   = unit->input[i].from;
    int device = from >= 0 ? units->unit[from].device : source;
    own &= device < 0 || device == unit->device;
  }
  return own;
}

/* Of a band in parts the first, and only the first, is what can begin at once. */
static void inner_rows_wait_for_nobody(void) {
  ee_model *m     = picture_resnet(40);
  int       parts = 0;
  for (uint64_t seed = 0; seed < 60; seed++) {
    ee_rng    rng   = ee_rng_at(seed, 7);
    ee_units *units = NULL;
    plan_case c;
    random_plan(m, 0, 2 + (int)(seed % 3), &rng, &c);
    c.placing.apart = true;
    CU_ASSERT_EQUAL_FATAL(ee_band_units(m, &ee_backend_ref, &c.plan, &c.placing, &units), EE_OK);
    for (int u = 1; u < units->n; u++) {
      const ee_unit *a = &units->unit[u - 1], *b = &units->unit[u];
      if (a->lane < 0 || a->lane != b->lane || a->begin != b->begin) continue;
      bool first = u < 2 || a[-1].lane != a->lane || a[-1].begin != a->begin;
      CU_ASSERT_EQUAL(reads_own(units, a, c.placing.source), first);
      CU_ASSERT_FALSE(reads_own(units, b, c.placing.source));
      parts++;
    }
    ee_units_destroy(&units);
  }
  CU_ASSERT_TRUE(parts > 20);
  ee_model_destroy(&m);
}

/* Mark what unit @p u needs, itself included. */
static void mark_needed(const ee_units *units, int u, bool *needed) {
  if (u < 0 || needed[u]) return;
  needed[u] = true;
  for (int i = 0; i < units->unit[u].n_inputs; i++) {
    mark_needed(units, units->unit[u].input[i].from, needed);
  }
}

static void the_stage_of_a_unit_is_the_first_exit_that_needs_it(void) {
  ee_model *m     = picture_resnet(40);
  ee_rng    rng   = ee_rng_at(2, 7);
  ee_units *units = NULL;
  plan_case c;
  picture_exit(m, "early", node_of(m, "one.sum"));
  picture_exit(m, "late", node_of(m, "two.sum"));
  random_plan(m, 1, 3, &rng, &c);
  c.placing.apart = true;
  CU_ASSERT_EQUAL_FATAL(ee_band_units(m, &ee_backend_ref, &c.plan, &c.placing, &units), EE_OK);
  int  *stage  = calloc((size_t)units->n, sizeof *stage);
  bool *needed = calloc((size_t)units->n, sizeof *needed);
  if (stage == NULL || needed == NULL) abort();
  for (int e = m->n_exits - 1; e >= 0; e--) {
    memset(needed, 0, (size_t)units->n * sizeof *needed);
    mark_needed(units, ee_units_of_exit(units, e), needed);
    for (int u = 0; u < units->n; u++) stage[u] = needed[u] ? e : stage[u];
  }
  for (int u = 0; u < units->n; u++) CU_ASSERT_EQUAL(units->unit[u].stage, stage[u]);
  free(stage);
  free(needed);
  ee_units_destroy(&units);
  ee_model_destroy(&m);
}

/* What the planner counted for a chain of layers, from its own lists of rows. */
static void units_compute_and_send_what_the_planner_counted(void) {
  ee_model      *m        = picture_vgg();
  double         speed[3] = {2e9, 1e9, 1.4e9}, rate[9], bytes = 0.0, flops = 0.0;
  ee_band_costs *costs = NULL;
  ee_band_plan  *plan  = NULL;
  ee_units      *units = NULL;
  for (int k = 0; k < 9; k++) rate[k] = 2e7;
  ee_band_fleet   fleet   = {.n_devices = 3, .speed = speed, .bandwidth = rate, .source = 0};
  ee_band_placing placing = {.source = 0};
  int             end     = ee_bands_longest(m, 0);
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(m, &ee_backend_simd, 0, end, NULL, &costs), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(costs, &fleet, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_band_units(m, &ee_backend_simd, plan, &placing, &units), EE_OK);
  CU_ASSERT_EQUAL(units->n_lanes, 3);
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    CU_ASSERT_EQUAL(unit->lane, unit->begin < end ? unit->device : -1);
    for (int i = 0; i < unit->n_inputs && unit->lane >= 0; i++) {
      const ee_unit_input *in     = &unit->input[i];
      int                  device = in->from < 0 ? 0 : units->unit[in->from].device;
      double               rows   = (double)(in->rows.end - in->rows.begin);
      double               row    = 4.0 * (double)ee_model_value_elements(m, in->value) /
                   (double)m->value[in->value].shape.dim[2];
      if (device != unit->device) bytes += rows * row;
    }
    if (unit->lane >= 0) flops += unit->flops;
  }
  CU_ASSERT_TRUE(plan->bytes > 0.0);
  CU_ASSERT_DOUBLE_EQUAL(bytes, plan->bytes, 1e-6 * plan->bytes);
  CU_ASSERT_DOUBLE_EQUAL(flops, plan->flops, 1e-6 * plan->flops);
  ee_units_destroy(&units);
  ee_band_plan_destroy(&plan);
  ee_band_costs_destroy(&costs);
  ee_model_destroy(&m);
}

/* Exits at both ends of ranges and within what is cut into bands. */
static void planned_bands_pass_exits(void) {
  ee_model      *m        = picture_resnet(40);
  double         speed[3] = {2e9, 1e9, 1.4e9}, behind[64] = {0.0};
  bool           apart = false;
  ee_band_costs *costs = NULL;
  ee_band_plan  *plan  = NULL;
  picture_exit(m, "early", node_of(m, "one.sum"));
  picture_exit(m, "late", node_of(m, "two.sum"));
  int early = m->exit[0].attach + 1, end = ee_bands_furthest(m, 0);
  CU_ASSERT_EQUAL(ee_bands_longest(m, 0), early);
  CU_ASSERT_TRUE(end > m->exit[1].attach + 1);
  ee_band_fleet fleet = {.n_devices = 3, .speed = speed, .source = 0, .behind = behind};
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(m, &ee_backend_simd, 0, end, NULL, &costs), EE_OK);
  CU_ASSERT_PTR_NULL(costs->range[costs->n_cuts - 1].until);
  for (int k = 0; k + 1 < costs->n_cuts; k++) behind[k] = 1e12;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(costs, &fleet, &plan), EE_OK);
  int passed = 0;
  for (int k = 0; k <= plan->n_ranges; k++) {
    passed += plan->cut[k] == early || plan->cut[k] == m->exit[1].attach + 1;
  }
  CU_ASSERT_EQUAL(passed, 2);
  plan_case c = {.plan = *plan, .placing = {.apart = true}};
  check_plan(m, &ee_backend_simd, &c, &apart);
  ee_band_plan_destroy(&plan);
  ee_band_costs_destroy(&costs);
  ee_model_destroy(&m);
}

static void check_refused(const ee_model *m, const plan_case *c) {
  ee_units *units = NULL;
  CU_ASSERT_EQUAL(ee_band_units(m, &ee_backend_ref, &c->plan, &c->placing, &units), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(units);
}

static void plans_that_do_not_fit_the_model_are_refused(void) {
  ee_model *m   = picture_resnet(40);
  ee_rng    rng = ee_rng_at(1, 1);
  plan_case c;
  random_plan(m, 0, 3, &rng, &c);
  c.row[3]++;
  check_refused(m, &c);
  c.row[3]--;
  c.row[0] = 1;
  check_refused(m, &c);
  c.row[0] = 0;
  c.row[1] = c.row[2] + 1;
  check_refused(m, &c);
  c.plan.n_devices = 0;
  check_refused(m, &c);
  random_plan(m, 0, 2, &rng, &c);
  c.cut[c.plan.n_ranges] = m->n_layers;
  check_refused(m, &c);
  random_plan(m, 0, 2, &rng, &c);
  c.placing.device = c.device;
  c.device[0]      = -1;
  check_refused(m, &c);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(units_of_random_networks_answer_like_one_device_on_ref),
    EE_FACT(units_of_random_networks_answer_like_one_device_on_blis),
    EE_FACT(units_of_random_networks_answer_like_one_device_on_simd),
    EE_FACT(units_of_random_networks_answer_like_one_device_without_winograd),
    EE_FACT(stages_of_vgg_answer_like_one_device),
    EE_FACT(stages_of_resnet_with_exits_answer_like_one_device),
    EE_FACT(inner_rows_wait_for_nobody),
    EE_FACT(the_stage_of_a_unit_is_the_first_exit_that_needs_it),
    EE_FACT(units_compute_and_send_what_the_planner_counted),
    EE_FACT(planned_bands_pass_exits),
    EE_FACT(plans_that_do_not_fit_the_model_are_refused),
    {NULL, NULL},
};
