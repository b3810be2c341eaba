/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding between the parts of a model on one device, as links between devices would. */
#include "whole_cuts.h"

#include <stdlib.h>

struct ee_whole_cuts {
  ee_link_values values;
  int            n;
  int           *cut;     // shape [n], rising
  ee_exec      **behind;  // shape [n], the layers behind each cut, up to the next
  unsigned char *room;    // for a value of a sample as it crosses
};

/* Most bytes of one sample that cross any of the cuts. */
static size_t most_bytes(const ee_model *model, const ee_whole_cuts *c) {
  size_t most = 1;
  for (int i = 0; i < c->n; i++) {
    size_t bytes = ee_link_cut_bytes(model, c->cut[i], c->values);
    if (bytes > most) most = bytes;
  }
  return most;
}

static ee_status make_room(ee_whole *w, const int *cuts) {
  ee_whole_cuts *c = w->cuts;
  c->cut           = calloc((size_t)c->n, sizeof *c->cut);
  c->behind        = calloc((size_t)c->n, sizeof *c->behind);
  if (c->cut != NULL && c->behind != NULL) {
    for (int i = 0; i < c->n; i++) c->cut[i] = cuts[i];
    c->room = malloc(most_bytes(w->model, c));
  }
  return c->room != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %d cuts", c->n);
}

ee_status ee_whole_round(ee_whole *whole, ee_link_values values, const int *cuts, int n) {
  ee_whole_cuts *c = calloc(1, sizeof *c);
  if (c == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d cuts", n);
  *c          = (ee_whole_cuts){.values = values, .n = n};
  whole->cuts = c;
  EE_TRY(make_room(whole, cuts));
  ee_exec_destroy(&whole->exec);
  EE_TRY(ee_exec_create(whole->resident, 0, cuts[0], whole->batch_limit, &whole->exec));
  for (int i = 0; i < n; i++) {
    int end = i + 1 < n ? cuts[i + 1] : whole->model->n_layers;
    EE_TRY(ee_exec_create(whole->resident, cuts[i], end, whole->batch_limit, &c->behind[i]));
  }
  return EE_OK;
}

/* All values alive across a cut, of n samples. */
static void round_values(const ee_whole *w, int cut, ee_exec *from, ee_exec *to, size_t n) {
  int            n_values;
  const int     *value  = ee_model_cut_values(w->model, cut, &n_values);
  ee_link_values values = ee_link_values_at(w->model, w->cuts->values, cut);
  for (int i = 0; i < n_values; i++) {
    size_t       one = (size_t)ee_model_value_elements(w->model, value[i]);
    const float *x   = ee_exec_value(from, value[i]);
    float       *y   = ee_exec_input(to, value[i]);
    for (size_t k = 0; k < n; k++) {
      ee_link_put(w->model, value[i], values, x + k * one, 1, w->cuts->room);
      ee_link_take(w->model, value[i], values, w->cuts->room, 1, y + k * one);
    }
  }
}

ee_status ee_whole_cross(ee_whole *whole, int n, int to, int *at, ee_exec **exec) {
  const ee_whole_cuts *c = whole->cuts;
  for (int i = 0; i < c->n; i++) {
    if (c->cut[i] < *at || *exec == c->behind[i] || c->cut[i] >= to) continue;
    if (*at < c->cut[i]) EE_TRY(ee_exec_run_layers(*exec, *at, c->cut[i], n));
    round_values(whole, c->cut[i], *exec, c->behind[i], (size_t)n);
    *at   = c->cut[i];
    *exec = c->behind[i];
  }
  return EE_OK;
}

void ee_whole_cuts_free(ee_whole *whole) {
  ee_whole_cuts *c = whole->cuts;
  if (c == NULL) return;
  for (int i = 0; i < c->n && c->behind != NULL; i++) ee_exec_destroy(&c->behind[i]);
  free(c->cut);
  free(c->behind);
  free(c->room);
  free(c);
  whole->cuts = NULL;
}
