/* SPDX-License-Identifier: Apache-2.0 */
/* Bands for the devices of a run: found by the planner, made into units both ways, and the better
 * of the two taken. */
#include "ee/band_choice.h"

#include <math.h>
#include <stdlib.h>

#include "band_choosing.h"
#include "ee/controller.h"
#include "ee/exec.h"
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

/* As they come and packed, of layers [begin, end) [byte]. */
static ee_status weights_of(const ee_run_setup *setup, int begin, int end, double *bytes) {
  ee_memory_need need = {0};
  if (begin < end) EE_TRY(ee_exec_memory(setup->model, setup->backend, begin, end, 1, &need));
  *bytes = (double)(need.weights + need.packed);
  return EE_OK;
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
  int n         = field->costs->n_cuts;
  field->behind = calloc(3 * (size_t)n, sizeof *field->behind);
  if (field->behind == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d cuts", n);
  field->held        = field->behind + n;
  field->held_behind = field->held + n;
  for (int k = 0; k < n; k++) {
    field->behind[k] = work_behind(setup, work, field->costs->cut[k]);
    EE_TRY(weights_of(setup, begin, field->costs->cut[k], &field->held[k]));
    EE_TRY(weights_of(setup, field->costs->cut[k], m->n_layers, &field->held_behind[k]));
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
static ee_status forecast(const ee_band_choosing *c, const ee_band_fleet *fleet, double *block,
                          ee_band_choice *to) {
  const ee_model *m    = c->setup->model;
  double         *work = block + m->n_exits;
  for (int u = 0; u < to->units->n; u++) work[u] = ee_unit_work(c->setup, &to->units->unit[u]);
  EE_TRY(ee_units_forecast(to->units, work, fleet, EE_BAND_AHEAD, to->seconds, NULL));
  to->latency = expected(m, c->wish->share, to->seconds);
  find_reach(m, c->wish->share, block);
  return ee_units_load_of(to->units, work, fleet, block, &to->load);
}

static ee_status make_units(const ee_band_choosing *c, const ee_band_fleet *fleet,
                            const ee_band_plan *plan, const int *device, bool apart,
                            ee_band_choice *to) {
  const ee_model *m       = c->setup->model;
  ee_band_placing placing = {.device = device, .source = fleet->source, .apart = apart};
  *to = (ee_band_choice){.apart = apart, .seconds = calloc((size_t)m->n_exits, sizeof(double))};
  if (to->seconds == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", m->n_exits);
  EE_TRY(ee_band_units(m, c->setup->backend, plan, &placing, &to->units));
  size_t  n     = (size_t)to->units->n + (size_t)m->n_exits;
  double *block = calloc(n, sizeof *block);
  if (block == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d units", to->units->n);
  ee_status status = forecast(c, fleet, block, to);
  free(block);
  return status;
}

static ee_status count_memory(const ee_band_choosing *c, const ee_unit_memory *memory,
                              ee_band_choice *to) {
  int  devices = c->chain->n_devices, n = to->units->n;
  int *device = calloc((size_t)n + 1, sizeof *device);
  to->room    = calloc((size_t)devices, sizeof *to->room);
  bool there  = device != NULL && to->room != NULL;
  for (int u = 0; u < n && there; u++) device[u] = to->units->unit[u].device;
  ee_status status = there ? ee_unit_memory_on(memory, device, NULL, devices, to->room)
                           : EE_FAIL(EE_ERR_NOMEM, "for %d units on %d devices", n, devices);
  free(device);
  return status;
}

double ee_band_lacks(const ee_band_choosing *c, const ee_band_choice *choice, int d) {
  double bytes = (double)ee_unit_room_bytes(choice->room[d]), most = c->chain->memory[d];
  return most > 0.0 && bytes > most ? bytes - most : 0.0;
}

static ee_status find_memory(const ee_band_choosing *c, ee_band_choice *to) {
  int             window  = c->wish->window > 0 ? c->wish->window : ee_team_defaults().window;
  ee_unit_buffers buffers = ee_team_buffers(to->units, c->setup->policy, window);
  ee_unit_memory  memory;
  ee_status       status = ee_unit_memory_find(to->units, c->setup->backend, &buffers, &memory);
  if (status == EE_OK) status = count_memory(c, &memory, to);
  ee_unit_memory_free(&memory);
  EE_TRY(status);
  to->crowded = -1;
  for (int d = 0; d < c->chain->n_devices; d++) {
    double lacks = ee_band_lacks(c, to, d);
    if (lacks <= 0.0) continue;
    to->lacking += lacks;
    if (to->crowded < 0 || lacks > ee_band_lacks(c, to, to->crowded)) to->crowded = d;
  }
  return EE_OK;
}

bool ee_band_choice_is_better(const ee_band_choice *a, const ee_band_choice *b) {
  if (a->lacking != b->lacking) return a->lacking < b->lacking;
  return a->latency < b->latency * (1.0 - 1e-9);
}

/* Take over units and promises of @p from if they are better. */
static void take_better(ee_band_choice *choice, ee_band_choice *from) {
  if (choice->units != NULL && !ee_band_choice_is_better(from, choice)) return;
  ee_band_plan  *plan = choice->plan;
  ee_band_choice old  = *choice;
  *choice             = *from;
  choice->plan        = plan;
  old.plan            = NULL;
  *from               = old;
}

static ee_status try_both(const ee_band_choosing *c, const ee_band_fleet *fleet, const int *device,
                          ee_band_choice *choice) {
  bool tight = false;
  for (int apart = 0; apart < 2; apart++) {
    ee_band_choice one;
    if (c->wish->borders == (apart ? EE_BORDERS_TOGETHER : EE_BORDERS_APART)) continue;
    ee_status status = make_units(c, fleet, choice->plan, device, apart == 1, &one);
    if (status == EE_OK) status = find_memory(c, &one);
    if (status == EE_OK) tight |= one.lacking > 0.0;
    if (status == EE_OK) take_better(choice, &one);
    ee_band_choice_free(&one);
    EE_TRY(status);
  }
  choice->tight = tight;
  return EE_OK;
}

/* Rows of a window are kept where they are read and where they come in. */
static ee_band_burden burden_of(const ee_band_choosing *c, const double *price) {
  int window = c->wish->window > 0 ? c->wish->window : ee_team_defaults().window;
  return (ee_band_burden){.held        = c->field->held,
                          .held_behind = c->field->held_behind,
                          .kept        = 4.0 * window,
                          .price       = price};
}

static ee_band_fleet fleet_of(const ee_band_choosing *c) {
  const ee_chain *chain = c->chain;
  return (ee_band_fleet){.n_devices = chain->n_devices,
                         .speed     = chain->speed,
                         .bandwidth = chain->bandwidth,
                         .latency   = chain->latency,
                         .source    = chain->source,
                         .behind    = c->field->behind,
                         .most      = c->wish->most,
                         .share     = c->wish->height};
}

static ee_status make_choice(const ee_band_choosing *c, const ee_band_fleet *fleet,
                             ee_band_choice *choice) {
  int  layers = c->chain->n_layers;
  int *device = calloc((size_t)layers, sizeof *device);
  if (device == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d layers", layers);
  place(choice->plan, layers, device);
  ee_status status = try_both(c, fleet, device, choice);
  free(device);
  return status;
}

ee_status ee_band_choice_of(const ee_band_choosing *c, ee_band_plan **plan,
                            ee_band_choice *choice) {
  ee_band_fleet fleet = fleet_of(c);
  *choice             = (ee_band_choice){.plan = *plan};
  *plan               = NULL;
  EE_TRY(ee_band_plan_count(c->field->costs, &fleet, choice->plan));
  return make_choice(c, &fleet, choice);
}

ee_status ee_band_choice_at(const ee_band_choosing *c, const double *price,
                            ee_band_choice *choice) {
  ee_band_fleet  fleet  = fleet_of(c);
  ee_band_burden burden = burden_of(c, price);
  if (price != NULL) fleet.burden = &burden;
  *choice = (ee_band_choice){0};
  EE_TRY(ee_band_plan_find(c->field->costs, &fleet, &choice->plan));
  return make_choice(c, &fleet, choice);
}

/* A choice for a chain's devices. */
typedef struct asked {
  ee_band_choosing choosing;
  ee_band_choice  *choice;
} asked;

static ee_status choose(const ee_chain *chain, void *context) {
  asked *a          = context;
  a->choosing.chain = chain;
  EE_TRY(ee_band_choice_at(&a->choosing, NULL, a->choice));
  return a->choice->tight && a->choosing.wish->height == NULL ? ee_band_fit(&a->choosing, a->choice)
                                                              : EE_OK;
}

ee_status ee_band_choose(const ee_run_setup *setup, const ee_band_field *field, int n_devices,
                         const ee_band_wish *wish, ee_band_choice *choice) {
  asked a = {.choosing = {.setup = setup, .field = field, .wish = wish}, .choice = choice};
  *choice = (ee_band_choice){0};
  return ee_first_chain(setup, n_devices, wish->share, choose, &a);
}

void ee_band_choice_free(ee_band_choice *choice) {
  ee_band_plan_destroy(&choice->plan);
  ee_units_destroy(&choice->units);
  free(choice->seconds);
  free(choice->room);
  *choice = (ee_band_choice){0};
}
