/* SPDX-License-Identifier: Apache-2.0 */
/* Bands for the devices of a run: found by the planner, made into units both ways, and the better
 * of the two taken. */
#include "ee/band_choice.h"

#include <math.h>
#include <stdlib.h>

#include "ee/controller.h"
#include "ee/team.h"

/* Where bands can begin such that most work is in them; -1: nowhere. */
static int find_begin(const ee_model *model, const double *work, int *end) {
  int    best = -1;
  double most = 0.0;
  for (int begin = 0; begin < model->n_layers; begin++) {
    int    furthest = ee_bands_height(model, begin) > 0 ? ee_bands_furthest(model, begin) : begin;
    double inside   = 0.0;
    for (int l = begin; l < furthest; l++) inside += work[l];
    if (inside <= most) continue;
    most = inside;
    best = begin;
    *end = furthest;
  }
  return best;
}

/* Layers and heads that come after a cut. */
static double work_behind(const ee_run_setup *setup, const double *work, int cut) {
  double behind = 0.0;
  for (int l = cut; l < setup->model->n_layers; l++) behind += work[l];
  for (int e = 0; e < setup->model->n_exits; e++) {
    if (setup->model->exit[e].attach >= cut - 1) behind += ee_head_work(setup, e);
  }
  return behind;
}

static ee_status count(const ee_run_setup *setup, const double *work, ee_band_field *field) {
  const ee_model *m   = setup->model;
  int             end = 0, begin = find_begin(m, work, &end);
  if (begin < 0) {
    return EE_FAIL(EE_ERR_ARG,
                   "no layer of model %s can be cut into bands of rows; bands are for convolutions "
                   "and pooling of pictures",
                   m->name);
  }
  EE_TRY(ee_band_costs_of(m, setup->backend, begin, end, work, &field->costs));
  field->behind = calloc((size_t)field->costs->n_cuts, sizeof *field->behind);
  if (field->behind == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d cuts", field->costs->n_cuts);
  for (int k = 0; k < field->costs->n_cuts; k++) {
    field->behind[k] = work_behind(setup, work, field->costs->cut[k]);
  }
  return EE_OK;
}

ee_status ee_band_field_find(const ee_run_setup *setup, ee_band_field *field) {
  int     n    = setup->model->n_layers;
  double *work = calloc((size_t)n, sizeof *work);
  *field       = (ee_band_field){0};
  if (work == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the work of %d layers", n);
  for (int l = 0; l < n; l++) work[l] = ee_layer_work(setup, l);
  ee_status status = count(setup, work, field);
  free(work);
  return status;
}

void ee_band_field_free(ee_band_field *field) {
  ee_band_costs_destroy(&field->costs);
  free(field->behind);
  field->behind = NULL;
}

/* What is being chosen. */
typedef struct choosing {
  const ee_run_setup  *setup;
  const ee_band_field *field;
  const ee_band_wish  *wish;
  ee_band_choice      *choice;
} choosing;

/* The device with most rows at the end of range @p k. */
static int widest(const ee_band_plan *plan, int k) {
  const int64_t *row  = plan->row + (size_t)k * ((size_t)plan->n_devices + 1);
  int            best = 0;
  for (int d = 1; d < plan->n_devices; d++) {
    if (row[d + 1] - row[d] > row[best + 1] - row[best]) best = d;
  }
  return best;
}

/* @p device: shape [n_layers]. */
static void place(const ee_band_plan *plan, int n_layers, int *device) {
  int end = plan->cut[plan->n_ranges];
  for (int l = end - 1; l < n_layers; l++) device[l] = plan->last;
  for (int k = 0; k + 1 < plan->n_ranges; k++) device[plan->cut[k + 1] - 1] = widest(plan, k);
}

static double expected(const ee_model *model, const double *share, const double *seconds) {
  double sum = 0.0;
  if (share == NULL) return seconds[model->n_exits - 1];
  for (int e = 0; e < model->n_exits; e++) {
    if (share[e] > 0.0) sum += share[e] * seconds[e];
  }
  return sum;
}

/* @p reach: shape [n_exits]. */
static void find_reach(const ee_model *model, const double *share, double *reach) {
  double left = 0.0;
  for (int e = 0; e < model->n_exits; e++) {
    reach[e] = fmax(1.0 - left, 0.0);
    if (share != NULL) left += share[e];
  }
}

/* What units promise; @p block: shape [n of units + n_exits], scratch. */
static ee_status forecast(const choosing *c, const ee_band_fleet *fleet, double *block,
                          ee_band_choice *to) {
  const ee_model *m    = c->setup->model;
  double         *work = block + m->n_exits;
  for (int u = 0; u < to->units->n; u++) work[u] = ee_unit_work(c->setup, &to->units->unit[u]);
  EE_TRY(ee_units_forecast(to->units, work, fleet, EE_BAND_AHEAD, to->seconds, NULL));
  to->latency = expected(m, c->wish->share, to->seconds);
  find_reach(m, c->wish->share, block);
  return ee_units_load_of(to->units, work, fleet, block, &to->load);
}

static ee_status make_units(const choosing *c, const ee_band_fleet *fleet, const int *device,
                            bool apart, ee_band_choice *to) {
  const ee_model *m       = c->setup->model;
  ee_band_placing placing = {.device = device, .source = fleet->source, .apart = apart};
  *to = (ee_band_choice){.apart = apart, .seconds = calloc((size_t)m->n_exits, sizeof(double))};
  if (to->seconds == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", m->n_exits);
  EE_TRY(ee_band_units(m, c->setup->backend, c->choice->plan, &placing, &to->units));
  size_t  n     = (size_t)to->units->n + (size_t)m->n_exits;
  double *block = calloc(n, sizeof *block);
  if (block == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d units", to->units->n);
  ee_status status = forecast(c, fleet, block, to);
  free(block);
  return status;
}

/* Take over units and promises of @p from if they are earlier. */
static void take_better(ee_band_choice *choice, ee_band_choice *from) {
  bool better = choice->units == NULL || from->latency < choice->latency * (1.0 - 1e-9);
  if (!better) return;
  ee_band_plan  *plan = choice->plan;
  ee_band_choice old  = *choice;
  *choice             = *from;
  choice->plan        = plan;
  old.plan            = NULL;
  *from               = old;
}

static ee_status try_both(const choosing *c, const ee_band_fleet *fleet, const int *device) {
  for (int apart = 0; apart < 2; apart++) {
    ee_band_choice one;
    if (c->wish->borders == (apart ? EE_BORDERS_TOGETHER : EE_BORDERS_APART)) continue;
    ee_status status = make_units(c, fleet, device, apart == 1, &one);
    if (status == EE_OK) take_better(c->choice, &one);
    ee_band_choice_free(&one);
    EE_TRY(status);
  }
  return EE_OK;
}

static ee_status find_memory(const ee_run_setup *setup, int n_devices, ee_band_choice *choice) {
  choice->memory = calloc((size_t)n_devices, sizeof *choice->memory);
  if (choice->memory == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d devices", n_devices);
  for (int u = 0; u < choice->units->n; u++) {
    const ee_unit *unit = &choice->units->unit[u];
    ee_memory_need need;
    EE_TRY(ee_exec_memory(unit->model, setup->backend, unit->begin, unit->end, 1, &need));
    choice->memory[unit->device] += (double)(need.weights + need.packed + need.arena);
  }
  return EE_OK;
}

static ee_status choose(const ee_chain *chain, void *context) {
  const choosing *c      = context;
  int             layers = chain->n_layers;
  ee_band_fleet   fleet  = {.n_devices = chain->n_devices,
                            .speed     = chain->speed,
                            .bandwidth = chain->bandwidth,
                            .latency   = chain->latency,
                            .source    = chain->source,
                            .behind    = c->field->behind,
                            .most      = c->wish->most,
                            .share     = c->wish->height};
  EE_TRY(ee_band_plan_find(c->field->costs, &fleet, &c->choice->plan));
  int *device = calloc((size_t)layers, sizeof *device);
  if (device == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d layers", layers);
  place(c->choice->plan, layers, device);
  ee_status status = try_both(c, &fleet, device);
  free(device);
  EE_TRY(status);
  return find_memory(c->setup, chain->n_devices, c->choice);
}

ee_status ee_band_choose(const ee_run_setup *setup, const ee_band_field *field, int n_devices,
                         const ee_band_wish *wish, ee_band_choice *choice) {
  choosing c = {.setup = setup, .field = field, .wish = wish, .choice = choice};
  *choice    = (ee_band_choice){0};
  return ee_first_chain(setup, n_devices, wish->share, choose, &c);
}

void ee_band_choice_free(ee_band_choice *choice) {
  ee_band_plan_destroy(&choice->plan);
  ee_units_destroy(&choice->units);
  free(choice->seconds);
  free(choice->memory);
  *choice = (ee_band_choice){0};
}
