/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of each value a band has: from its result back to where its layers begin. */
#include "ee/bands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "band_rows.h"
#include "ee/backend.h"
#include "graph.h"

enum { SENTENCE = 320 };

/* What runs through a range of layers. */
typedef struct range {
  const ee_model *model;
  int             begin, end;
  int             first, last;  // nodes
} range;

static bool range_of(const ee_model *model, int begin, int end, range *r) {
  *r = (range){.model = model, .begin = begin, .end = end};
  if (begin < 0 || begin >= end || end > model->n_layers) return false;
  while (r->first < model->n_nodes && ee_node_owner(model, &model->node[r->first]) < begin) {
    r->first++;
  }
  r->last = r->first;
  while (r->last < model->n_nodes && ee_node_owner(model, &model->node[r->last]) < end) r->last++;
  return true;
}

int64_t ee_bands_height(const ee_model *model, int cut) {
  int        n;
  const int *live = ee_model_cut_values(model, cut, &n);
  int64_t    height =
      n > 0 && model->value[live[0]].shape.rank == 4 ? ee_value_rows(model, live[0]) : 0;
  for (int i = 1; i < n && height > 0; i++) {
    bool alike = model->value[live[i]].shape.rank == 4 && ee_value_rows(model, live[i]) == height;
    if (!alike) height = 0;
  }
  return height;
}

static bool is_alive(const ee_model *model, int cut, int v) {
  int        n;
  const int *live  = ee_model_cut_values(model, cut, &n);
  bool       found = false;
  for (int i = 0; i < n && !found; i++) found = live[i] == v;
  return found;
}

/* A node of a head may only read, beside what its head makes, what the band hands on. */
static bool head_reads_result(const range *r, const ee_node *node) {
  bool all = true;
  for (int i = 0; i < node->n_in && all; i++) {
    if (!ee_node_reads_activation(r->model, node, i)) continue;
    bool inner = false;
    for (int k = r->first; k < r->last && !inner; k++) {
      const ee_node *other = &r->model->node[k];
      inner                = other->layer < 0 && other->out == node->in[i];
    }
    all = inner || is_alive(r->model, r->end, node->in[i]);
  }
  return all;
}

/* Why the range cannot be cut because of @p node; false if it can. */
static bool says_no(const range *r, const ee_node *node, char text[SENTENCE]) {
  const ee_model *model = r->model;
  if (node->layer >= 0) {
    const char *why = ee_node_mixes_rows(model, node);
    if (why == NULL) return false;
    snprintf(text, SENTENCE, "node '%s' (%s) of layer %d %s; let the range end before that layer",
             node->name, ee_op_name(node->op), node->layer, why);
    return true;
  }
  const ee_exit *exit = &model->exit[node->exit];
  if (exit->attach == r->end - 1 && head_reads_result(r, node)) return false;
  snprintf(text, SENTENCE,
           "exit '%s' behind layer %d needs whole pictures; let the range end at cut %d, if what "
           "the exit reads is alive there",
           exit->name, exit->attach, exit->attach + 1);
  return true;
}

static bool find_fault(const ee_model *model, int begin, int end, char text[SENTENCE]) {
  range r;
  if (!range_of(model, begin, end, &r)) {
    snprintf(text, SENTENCE, "layers [%d, %d) are no range of the model's %d", begin, end,
             model->n_layers);
    return true;
  }
  for (int k = r.first; k < r.last; k++) {
    if (says_no(&r, &model->node[k], text)) return true;
  }
  if (ee_bands_height(model, end) > 0) return false;
  snprintf(text, SENTENCE,
           "the values at cut %d are not pictures of shape [1, C, H, W] with as many rows each",
           end);
  return true;
}

ee_status ee_bands_check(const ee_model *model, int begin, int end) {
  char text[SENTENCE];
  if (!find_fault(model, begin, end, text)) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "layers [%d, %d) cannot be cut into bands: %s", begin, end, text);
}

int ee_bands_longest(const ee_model *model, int begin) {
  char text[SENTENCE];
  int  longest = begin;
  for (int end = begin + 1; end <= model->n_layers; end++) {
    if (!find_fault(model, begin, end, text)) longest = end;
  }
  return longest;
}

int ee_bands_furthest(const ee_model *model, int begin) {
  int end = begin, next;
  while ((next = ee_bands_longest(model, end)) > end) end = next;
  return end;
}

/* Rows that are made at once, by the node that makes a value or by those whose results it adds or
 * joins; @p step: shape [n_values]. */
static void find_steps(const range *r, const ee_backend *backend, int64_t *step) {
  const ee_model *model = r->model;
  for (int v = 0; v < model->n_values; v++) step[v] = 1;
  for (int k = r->first; k < r->last; k++) {
    const ee_node *node = &model->node[k];
    if (node->layer < 0) continue;
    int64_t of = 1;
    for (int i = 0; i < node->n_in && !ee_node_has_window(node); i++) {
      bool same = ee_node_reads_activation(model, node, i) &&
                  ee_value_rows(model, node->in[i]) == ee_value_rows(model, node->out);
      if (same && of < step[node->in[i]]) of = step[node->in[i]];
    }
    ee_method way = ee_backend_way(backend, model, node);
    if (way == EE_METHOD_WINOGRAD_2) of = 2;
    if (way == EE_METHOD_WINOGRAD_4) of = 4;
    step[node->out] = of;
  }
}

static bool is_none(ee_rows rows) {
  return rows.begin == rows.end;
}

static void need_too(ee_rows *all, ee_rows rows) {
  if (is_none(*all)) *all = rows;
  if (all->begin > rows.begin) all->begin = rows.begin;
  if (all->end < rows.end) all->end = rows.end;
}

static ee_rows widen(ee_rows rows, int64_t step, int64_t height) {
  int64_t end = (rows.end + step - 1) / step * step;
  return (ee_rows){rows.begin / step * step, end < height ? end : height};
}

static void hold_results(const range *r, ee_band *band) {
  int        n;
  const int *live = ee_model_cut_values(r->model, r->end, &n);
  for (int i = 0; i < n; i++) band->held[live[i]] = band->rows;
}

/* Every value is met by all its readers before its maker. */
static void hold_needs(const range *r, const int64_t *step, ee_band *band) {
  const ee_model *model = r->model;
  for (int k = r->last - 1; k >= r->first; k--) {
    const ee_node *node = &model->node[k];
    ee_rows       *out  = &band->held[node->out];
    if (node->layer < 0 || is_none(*out)) continue;
    *out = widen(*out, step[node->out], ee_value_rows(model, node->out));
    for (int i = 0; i < node->n_in; i++) {
      if (!ee_node_reads_activation(model, node, i)) continue;
      need_too(&band->held[node->in[i]], ee_node_rows(model, node, i, *out));
    }
  }
}

ee_status ee_band_find(const ee_model *model, const ee_backend *backend, int begin, int end,
                       ee_rows rows, ee_band *band) {
  *band = (ee_band){.begin = begin, .end = end, .rows = rows};
  EE_TRY(ee_bands_check(model, begin, end));
  int64_t height = ee_bands_height(model, end);
  if (rows.begin < 0 || rows.begin >= rows.end || rows.end > height) {
    return EE_FAIL(EE_ERR_ARG, "rows [%lld, %lld) are none of the %lld rows at cut %d",
                   (long long)rows.begin, (long long)rows.end, (long long)height, end);
  }
  if (backend->open != NULL) EE_TRY(backend->open());
  int64_t *step = calloc((size_t)model->n_values, sizeof *step);
  band->held    = calloc((size_t)model->n_values, sizeof *band->held);
  range r;
  bool  there = step != NULL && band->held != NULL && range_of(model, begin, end, &r);
  if (there) {
    find_steps(&r, backend, step);
    hold_results(&r, band);
    hold_needs(&r, step, band);
  }
  free(step);
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for rows of %d values", model->n_values);
}

void ee_band_free(ee_band *band) {
  free(band->held);
  *band = (ee_band){0};
}

double ee_band_flops(const ee_model *model, const ee_band *band, int layer) {
  double flops = 0.0;
  for (const ee_node *node = model->node; node < model->node + model->n_nodes; node++) {
    ee_rows rows = band->held[node->out];
    if (node->layer != layer || is_none(rows)) continue;
    double height = (double)ee_value_rows(model, node->out);
    flops += ee_node_flops(model, node) * (double)(rows.end - rows.begin) / height;
  }
  return flops;
}

ee_rows ee_rows_above(ee_rows need, ee_rows own) {
  int64_t end = need.end < own.begin ? need.end : own.begin;
  return (ee_rows){need.begin, end > need.begin ? end : need.begin};
}

ee_rows ee_rows_below(ee_rows need, ee_rows own) {
  int64_t begin = need.begin > own.end ? need.begin : own.end;
  return (ee_rows){begin < need.end ? begin : need.end, need.end};
}

void ee_rows_copy(const ee_shape *shape, int64_t n, ee_rows rows, const float *from,
                  ee_rows from_has, float *to, ee_rows to_has) {
  int64_t width = shape->dim[3], from_plane = (from_has.end - from_has.begin) * width;
  int64_t to_plane = (to_has.end - to_has.begin) * width;
  from += (rows.begin - from_has.begin) * width;
  to += (rows.begin - to_has.begin) * width;
  for (int64_t plane = 0; plane < n * shape->dim[1]; plane++) {
    memcpy(to + plane * to_plane, from + plane * from_plane,
           (size_t)((rows.end - rows.begin) * width) * sizeof *to);
  }
}
