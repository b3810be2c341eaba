/* SPDX-License-Identifier: Apache-2.0 */
/* Units as data: room for them, whether they fit together, their weights. */
#include "ee/units.h"

#include <stdlib.h>
#include <string.h>

ee_status ee_units_create(const ee_model *whole, int n, int n_lanes, ee_units **units) {
  *units      = NULL;
  ee_units *u = calloc(1, sizeof *u);
  if (u != NULL) u->unit = calloc((size_t)n + 1, sizeof *u->unit);
  if (u == NULL || u->unit == NULL) {
    free(u);
    return EE_FAIL(EE_ERR_NOMEM, "for %d units", n);
  }
  u->whole   = whole;
  u->n       = n;
  u->n_lanes = n_lanes;
  for (int i = 0; i < n; i++) u->unit[i].exit = u->unit[i].lane = -1;
  *units = u;
  return EE_OK;
}

bool ee_unit_may_be_absent(const ee_units *units, int u) {
  for (int k = 0; k < units->n; k++) {
    const ee_unit *reader = &units->unit[k];
    for (int i = 0; i < reader->n_inputs; i++) {
      bool inside = reader->lane == units->unit[u].lane;
      if (reader->input[i].from == u && !inside && !reader->joins) return false;
    }
  }
  return units->unit[u].lane >= 0;
}

int ee_units_of_exit(const ee_units *units, int exit) {
  for (int u = 0; u < units->n; u++) {
    if (units->unit[u].exit == exit) return u;
  }
  return -1;
}

/* Whether unit @p u makes value @p v. */
static bool makes(const ee_unit *unit, int v) {
  const ee_model *m = unit->model;
  for (int k = 0; k < m->n_nodes; k++) {
    int layer = m->node[k].layer;
    if (m->node[k].out == v && layer >= unit->begin && layer < unit->end) return true;
  }
  return false;
}

static ee_status check_input(const ee_units *units, int u, const ee_unit_input *in) {
  const ee_unit *unit  = &units->unit[u];
  bool           known = in->from < 0 ? in->value == units->whole->input
                                      : in->from < u && makes(&units->unit[in->from], in->value);
  if (known) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "unit '%s' reads value %d, which unit %d does not make before it",
                 unit->name, in->value, in->from);
}

static ee_status check_unit(const ee_units *units, int u, int n_devices) {
  const ee_unit *unit = &units->unit[u];
  if (unit->device < 0 || unit->device >= n_devices) {
    return EE_FAIL(EE_ERR_ARG, "unit '%s' is given to device %d; there are %d", unit->name,
                   unit->device, n_devices);
  }
  for (int i = 0; i < unit->n_inputs; i++) EE_TRY(check_input(units, u, &unit->input[i]));
  return EE_OK;
}

ee_status ee_units_check(const ee_units *units, int n_devices) {
  for (int u = 0; u < units->n; u++) EE_TRY(check_unit(units, u, n_devices));
  for (int e = 0; e < units->whole->n_exits; e++) {
    int n = 0;
    for (int u = 0; u < units->n; u++) n += units->unit[u].exit == e;
    if (n != 1) return EE_FAIL(EE_ERR_ARG, "%d units have exit %d; expected one", n, e);
  }
  return EE_OK;
}

/* Where each constant of a layer's blob begins: shape [n_values] [floats]; -1: not in it. */
static ee_status places_of(const ee_model *whole, int layer, int64_t *place) {
  int    *list, n;
  int64_t at = 0;
  EE_TRY(ee_model_layer_constants(whole, layer, &list, &n));
  for (int v = 0; v < whole->n_values; v++) place[v] = -1;
  for (int i = 0; i < n; i++) {
    place[list[i]] = at;
    at += ee_model_value_elements(whole, list[i]);
  }
  free(list);
  return EE_OK;
}

/* With @p list, the constants that the unit wants, and where they are in the whole blob. */
static ee_status pick(const ee_unit *unit, int layer, const int *list, int n, const int64_t *place,
                      const float *whole_blob, float **blob) {
  size_t bytes = unit->model->layer[layer].weight_bytes;
  *blob        = malloc(bytes + 1);
  if (*blob == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu bytes of weights", bytes);
  float *to = *blob;
  for (int i = 0; i < n; i++) {
    size_t elements = (size_t)ee_model_value_elements(unit->model, list[i]);
    memcpy(to, whole_blob + place[list[i]], elements * sizeof *to);
    to += elements;
  }
  return EE_OK;
}

ee_status ee_unit_blob(const ee_model *whole, const ee_unit *unit, int layer,
                       const float *whole_blob, float **blob) {
  *blob = NULL;
  if (unit->model->layer[layer].weight_bytes == 0) return EE_OK;
  int       n = 0, *list = NULL;
  int64_t  *place  = malloc((size_t)whole->n_values * sizeof *place);
  ee_status status = place == NULL ? EE_FAIL(EE_ERR_NOMEM, "for %d values", whole->n_values)
                                   : places_of(whole, layer, place);
  if (status == EE_OK) status = ee_model_layer_constants(unit->model, layer, &list, &n);
  if (status == EE_OK) status = pick(unit, layer, list, n, place, whole_blob, blob);
  free(list);
  free(place);
  return status;
}

void ee_units_destroy(ee_units **units) {
  ee_units *u = *units;
  if (u == NULL) return;
  for (int i = 0; i < u->n; i++) {
    ee_model_destroy(&u->unit[i].model);
    free(u->unit[i].input);
    free(u->unit[i].held);
  }
  free(u->unit);
  free(u);
  *units = NULL;
}
