/* SPDX-License-Identifier: Apache-2.0 */
/* Units of a model with bands: the chain in front, bands range by range with the exits between
 * them, the chain behind; each with where all that it reads comes from. */
#include "ee/band_units.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROW_AXIS = 2 };

/* What is being made. */
typedef struct making {
  const ee_model        *model;
  const ee_backend      *backend;
  const ee_band_plan    *plan;
  const ee_band_placing *placing;
  ee_units              *units;
  ee_rows               *given;  // shape [room for units]: rows that a band's readers take from it
  bool                  *keep;   // shape [n_nodes], scratch
} making;

static int device_of(const making *m, int layer) {
  return m->placing->device != NULL ? m->placing->device[layer] : 0;
}

static ee_rows all_rows(const ee_model *model, int v) {
  const ee_shape *shape = &model->value[v].shape;
  return (ee_rows){0, shape->rank > ROW_AXIS ? shape->dim[ROW_AXIS] : 1};
}

static ee_rows in_both(ee_rows a, ee_rows b) {
  int64_t begin = a.begin > b.begin ? a.begin : b.begin, end = a.end < b.end ? a.end : b.end;
  return (ee_rows){begin, end > begin ? end : begin};
}

static bool is_none(ee_rows rows) {
  return rows.begin >= rows.end;
}

static bool makes(const ee_unit *unit, int v) {
  for (int k = 0; k < unit->model->n_nodes; k++) {
    const ee_node *node = &unit->model->node[k];
    if (node->out == v && node->layer >= 0) return true;
  }
  return false;
}

static void add_input(ee_unit *unit, int v, int from, ee_rows rows) {
  unit->input[unit->n_inputs++] = (ee_unit_input){.value = v, .from = from, .rows = rows};
}

/* Rows @p need of value @p v, from all that make some of them; all of it if it has no rows. */
static void add_value(const making *m, int v, ee_rows need, ee_unit *unit) {
  if (v == m->model->input) add_input(unit, v, -1, need);
  for (int u = 0; u < m->units->n && v != m->model->input; u++) {
    const ee_unit *from = &m->units->unit[u];
    if (!makes(from, v)) continue;
    ee_rows rows = from->lane >= 0 ? in_both(need, m->given[u]) : need;
    if (!is_none(rows) || from->lane < 0) add_input(unit, v, u, rows);
  }
}

/* Everything at the cut of @p part where the unit begins; rows of a band as it holds them. */
static ee_status add_inputs(const making *m, const ee_model *part, ee_unit *unit) {
  int        n;
  const int *live = ee_model_cut_values(part, unit->begin, &n);
  size_t     most = (size_t)n * ((size_t)m->units->n + 1);
  unit->input     = calloc(most + 1, sizeof *unit->input);
  if (unit->input == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the inputs of '%s'", unit->name);
  for (int i = 0; i < n; i++) {
    ee_rows need = unit->held != NULL ? unit->held[live[i]] : all_rows(m->model, live[i]);
    add_value(m, live[i], need, unit);
  }
  return EE_OK;
}

/* The model of layers [begin, end) and of the head of @p exit, if it is none of -1. */
static ee_status make_part(const making *m, int begin, int end, int exit, ee_model **part) {
  for (int k = 0; k < m->model->n_nodes; k++) {
    const ee_node *node = &m->model->node[k];
    bool           head = node->layer < 0 && node->exit == exit;
    m->keep[k]          = head || (node->layer >= begin && node->layer < end);
  }
  return ee_part_model(m->model, m->keep, exit, part);
}

static double flops_of(const ee_unit *unit) {
  double flops = unit->exit >= 0 ? unit->model->head_flops[unit->exit] : 0.0;
  for (int l = unit->begin; l < unit->end; l++) flops += unit->model->layer[l].flops;
  return flops;
}

/* The first exit that needs layers up to @p end. */
static int stage_of(const ee_model *model, int end) {
  int exit = 0;
  while (exit + 1 < model->n_exits && model->exit[exit].attach < end - 1) exit++;
  return exit;
}

static bool reads_bands(const making *m, const ee_unit *unit) {
  for (int i = 0; i < unit->n_inputs; i++) {
    int from = unit->input[i].from;
    if (from >= 0 && m->units->unit[from].lane >= 0) return true;
  }
  return false;
}

/* What a unit that is no band has of each value. */
static ee_status hold_all(const making *m, ee_unit *unit) {
  unit->held = calloc((size_t)unit->model->n_values, sizeof *unit->held);
  if (unit->held == NULL) return EE_FAIL(EE_ERR_NOMEM, "for rows of '%s'", unit->name);
  for (int v = 0; v < m->model->n_values; v++) {
    if (m->model->value[v].kind != EE_VALUE_CONSTANT) unit->held[v] = all_rows(m->model, v);
  }
  return EE_OK;
}

/* Layers [begin, end), none where they are equal, and then the head of @p exit, none if -1. */
static ee_status add_chain_unit(making *m, int begin, int end, int exit) {
  ee_unit *unit = &m->units->unit[m->units->n];
  int      last = begin < end ? end : begin + 1;
  unit->begin   = begin;
  unit->end     = last;
  unit->exit    = exit;
  unit->stage   = exit >= 0 ? exit : stage_of(m->model, last);
  unit->device  = device_of(m, begin);
  if (begin < end) {
    snprintf(unit->name, sizeof unit->name, "layers %d-%d", begin, end - 1);
  } else {
    snprintf(unit->name, sizeof unit->name, "exit %.80s", m->model->exit[exit].name);
  }
  EE_TRY(make_part(m, begin, end, exit, &unit->model));
  unit->flops = flops_of(unit);
  EE_TRY(add_inputs(m, unit->model, unit));
  if (reads_bands(m, unit)) EE_TRY(hold_all(m, unit));
  m->units->n++;
  return EE_OK;
}

/* Heads behind layer @p layer, from exit @p exit on. */
static ee_status add_heads(making *m, int layer, int exit) {
  for (int e = exit; e < m->model->n_exits; e++) {
    if (m->model->exit[e].attach == layer) EE_TRY(add_chain_unit(m, layer, layer, e));
  }
  return EE_OK;
}

static int exit_behind(const ee_model *model, int layer) {
  int e = 0;
  while (e < model->n_exits && model->exit[e].attach != layer) e++;
  return e < model->n_exits ? e : -1;
}

/* A unit up to each exit and each change of the device; more exits behind a layer are heads. */
static ee_status add_chain(making *m, int begin, int end) {
  for (int first = begin, l = begin; l < end; l++) {
    int  exit = exit_behind(m->model, l);
    bool ends = exit >= 0 || l + 1 == end || device_of(m, l + 1) != device_of(m, first);
    if (!ends) continue;
    EE_TRY(add_chain_unit(m, first, l + 1, exit));
    if (exit >= 0) EE_TRY(add_heads(m, l, exit + 1));
    first = l + 1;
  }
  return EE_OK;
}

/* A range of layers that is made in bands. */
typedef struct range {
  int             begin, end, device, lane;
  const ee_model *part;
} range;

static ee_status add_band(making *m, const range *r, ee_rows rows) {
  ee_unit *unit = &m->units->unit[m->units->n];
  ee_band  band;
  unit->begin  = r->begin;
  unit->end    = r->end;
  unit->stage  = stage_of(m->model, r->end);
  unit->lane   = r->lane;
  unit->device = r->device;
  snprintf(unit->name, sizeof unit->name, "layers %d-%d rows %lld-%lld", r->begin, r->end - 1,
           (long long)rows.begin, (long long)rows.end - 1);
  ee_status status = ee_band_find(r->part, m->backend, r->begin, r->end, rows, &band);
  if (status == EE_OK) status = ee_band_model(r->part, m->backend, &band, &unit->model);
  if (status != EE_OK) {
    ee_band_free(&band);
    return status;
  }
  unit->held            = band.held;
  unit->flops           = flops_of(unit);
  m->given[m->units->n] = rows;
  EE_TRY(add_inputs(m, r->part, unit));
  m->units->n++;
  return EE_OK;
}

/* Whether another device than the range's has some of rows @p need of value @p v. */
static bool is_elsewhere(const making *m, const range *r, int v, ee_rows need) {
  int source = m->placing->source;
  if (v == m->model->input) return source >= 0 && source != r->device;
  for (int u = 0; u < m->units->n; u++) {
    const ee_unit *from = &m->units->unit[u];
    if (from->device == r->device || !makes(from, v)) continue;
    if (from->lane < 0 || !is_none(in_both(need, m->given[u]))) return true;
  }
  return false;
}

/* Whether row @p row needs nothing that the device does not have. */
static ee_status is_inner(const making *m, const range *r, int64_t row, bool *inner) {
  int        n;
  const int *live = ee_model_cut_values(r->part, r->begin, &n);
  ee_band    band;
  ee_rows    rows   = {row, row + 1};
  ee_status  status = ee_band_find(r->part, m->backend, r->begin, r->end, rows, &band);
  *inner            = true;
  for (int i = 0; i < n && *inner && status == EE_OK; i++) {
    ee_rows need = band.held[live[i]];
    *inner       = is_none(need) || !is_elsewhere(m, r, live[i], need);
  }
  ee_band_free(&band);
  return status;
}

/* Rows of @p rows between the first and the last that need nothing of others; none if there are no
 * such rows. */
static ee_status find_inner(const making *m, const range *r, ee_rows rows, ee_rows *found) {
  bool inner = false;
  *found     = rows;
  while (!inner && !is_none(*found)) {
    EE_TRY(is_inner(m, r, found->begin, &inner));
    if (!inner) found->begin++;
  }
  inner = false;
  while (!inner && !is_none(*found)) {
    EE_TRY(is_inner(m, r, found->end - 1, &inner));
    if (!inner) found->end--;
  }
  return EE_OK;
}

static ee_status add_device(making *m, const range *r, ee_rows rows) {
  if (rows.begin == rows.end) return EE_OK;
  if (!m->placing->apart) return add_band(m, r, rows);
  ee_rows inner;
  EE_TRY(find_inner(m, r, rows, &inner));
  if (is_none(inner)) return add_band(m, r, rows);
  ee_rows above = {rows.begin, inner.begin}, below = {inner.end, rows.end};
  EE_TRY(add_band(m, r, inner));
  if (!is_none(above)) EE_TRY(add_band(m, r, above));
  return is_none(below) ? EE_OK : add_band(m, r, below);
}

static const int64_t *rows_of(const ee_band_plan *plan, int k) {
  return plan->row + (size_t)k * ((size_t)plan->n_devices + 1);
}

static bool has_band(const ee_band_plan *plan, int d) {
  for (int k = 0; k < plan->n_ranges; k++) {
    if (rows_of(plan, k)[d] < rows_of(plan, k)[d + 1]) return true;
  }
  return false;
}

static ee_status add_range(making *m, int k) {
  const ee_band_plan *p    = m->plan;
  const int64_t      *row  = rows_of(p, k);
  ee_model           *part = NULL;
  range               r    = {.begin = p->cut[k], .end = p->cut[k + 1]};
  EE_TRY(make_part(m, r.begin, r.end, -1, &part));
  ee_status status = EE_OK;
  r.part           = part;
  for (int lane = 0; r.device < p->n_devices && status == EE_OK; r.device++) {
    if (!has_band(p, r.device)) continue;
    r.lane = lane++;
    status = add_device(m, &r, (ee_rows){row[r.device], row[r.device + 1]});
  }
  ee_model_destroy(&part);
  EE_TRY(status);
  return add_heads(m, r.end - 1, 0);
}

/* Ranges one behind the other, each with all rows of its end. */
static ee_status check_plan(const ee_model *model, const ee_band_plan *p) {
  if (p->n_ranges < 1 || p->n_devices < 1) {
    return EE_FAIL(EE_ERR_ARG, "a plan of %d ranges for %d devices", p->n_ranges, p->n_devices);
  }
  for (int k = 0; k < p->n_ranges; k++) {
    const int64_t *row = rows_of(p, k);
    EE_TRY(ee_bands_check(model, p->cut[k], p->cut[k + 1]));
    bool rises = row[0] == 0 && row[p->n_devices] == ee_bands_height(model, p->cut[k + 1]);
    for (int d = 0; d < p->n_devices; d++) rises &= row[d] <= row[d + 1];
    if (rises) continue;
    return EE_FAIL(EE_ERR_ARG, "bands at cut %d do not share its %lld rows out", p->cut[k + 1],
                   (long long)ee_bands_height(model, p->cut[k + 1]));
  }
  return EE_OK;
}

static ee_status check_placing(const ee_model *model, const ee_band_placing *placing) {
  for (int l = 0; l < model->n_layers && placing->device != NULL; l++) {
    if (placing->device[l] >= 0) continue;
    return EE_FAIL(EE_ERR_ARG, "layer %d is given to device %d", l, placing->device[l]);
  }
  return EE_OK;
}

static ee_status add_all(making *m) {
  const ee_band_plan *p = m->plan;
  if (m->given == NULL || m->keep == NULL) return EE_FAIL(EE_ERR_NOMEM, "for units of bands");
  EE_TRY(add_chain(m, 0, p->cut[0]));
  for (int k = 0; k < p->n_ranges; k++) EE_TRY(add_range(m, k));
  return add_chain(m, p->cut[p->n_ranges], m->model->n_layers);
}

ee_status ee_band_units(const ee_model *model, const ee_backend *backend, const ee_band_plan *plan,
                        const ee_band_placing *placing, ee_units **units) {
  *units = NULL;
  EE_TRY(check_plan(model, plan));
  EE_TRY(check_placing(model, placing));
  making m     = {.model = model, .backend = backend, .plan = plan, .placing = placing};
  int    lanes = 0, room = 3 * plan->n_ranges * plan->n_devices + model->n_layers + model->n_exits;
  for (int d = 0; d < plan->n_devices; d++) lanes += has_band(plan, d);
  EE_TRY(ee_units_create(model, room, lanes, &m.units));
  m.units->n = 0;
  m.given    = calloc((size_t)room, sizeof *m.given);
  m.keep     = calloc((size_t)model->n_nodes, sizeof *m.keep);

  ee_status status = add_all(&m);
  free(m.given);
  free(m.keep);
  if (status != EE_OK) {
    m.units->n = room;  // the one that was being made too
    ee_units_destroy(&m.units);
  }
  *units = m.units;
  return status;
}
