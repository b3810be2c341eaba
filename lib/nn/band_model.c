/* SPDX-License-Identifier: Apache-2.0 */
/* A model that computes some rows: a copy with other shapes and paddings, and with Slices where an
 * operator that is no window reads a value of which the band has more rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "band_rows.h"
#include "ee/backend.h"
#include "ee/tuning.h"
#include "graph.h"
#include "model_copy.h"

/* A Slice in front of input `in` of node `reader`. */
typedef struct crop {
  int     reader, in;
  int     place;  // in front of which node it stands: as early as can be, for Adds to be merged
  ee_rows rows;
} crop;

/* What is being made of what. */
typedef struct job {
  const ee_model   *from;
  const ee_backend *backend;
  const ee_band    *band;
  ee_model         *to;
  crop             *crops;  // shape [n_crops]
  int               n_crops;
  int              *start;  // shape [n_layers + 1], first node of each layer
  int              *maker;  // shape [n_values], node; -1: none
} job;

static bool is_inside(const job *j, const ee_node *node) {
  return node->layer >= j->band->begin && node->layer < j->band->end;
}

static bool is_cropped(const job *j, const ee_node *node, int i) {
  if (ee_node_has_window(node) || node->op == EE_OP_SLICE) return false;
  if (!ee_node_reads_activation(j->from, node, i)) return false;
  ee_rows held = j->band->held[node->in[i]];
  ee_rows need = ee_node_rows(j->from, node, i, j->band->held[node->out]);
  return held.begin != need.begin || held.end != need.end;
}

/* Behind its maker in the same layer, or where the layer begins. */
static int place_of(const job *j, int reader, int v) {
  int layer = j->from->node[reader].layer, maker = j->maker[v];
  return maker >= j->start[layer] ? maker + 1 : j->start[layer];
}

static void find_crops(job *j) {
  const ee_model *m = j->from;
  ee_graph_layer_starts(m, j->start);
  for (int v = 0; v < m->n_values; v++) j->maker[v] = -1;
  for (int k = 0; k < m->n_nodes; k++) {
    const ee_node *node = &m->node[k];
    j->maker[node->out] = k;
    for (int i = 0; i < node->n_in && is_inside(j, node); i++) {
      if (!is_cropped(j, node, i)) continue;
      j->crops[j->n_crops++] = (crop){k, i, place_of(j, k, node->in[i]),
                                      ee_node_rows(m, node, i, j->band->held[node->out])};
    }
  }
}

static void set_rows(ee_model *to, int v, ee_rows rows) {
  to->value[v].shape.dim[EE_ROW_AXIS] = rows.end - rows.begin;
}

/* In rows of the whole: windows begin at `first` and read nothing from `end` on; both are where
 * they were, seen from the rows that are held. */
static void shift_window(const job *j, const ee_node *of, ee_window *w) {
  ee_rows held = j->band->held[of->in[0]], out = j->band->held[of->out];
  int64_t first = out.begin * w->stride[0] - w->pad_before[0];
  int64_t end   = (out.end - 1) * w->stride[0] - w->pad_before[0] +
                (int64_t)w->dilation[0] * (w->kernel[0] - 1) + 1;
  int64_t padded   = ee_value_rows(j->from, of->in[0]) + w->pad_after[0];
  w->pad_before[0] = (int)(held.begin - first);
  w->pad_after[0]  = (int)((end < padded ? end : padded) - held.end);
}

static void shift_slice(const job *j, const ee_node *of, ee_node *to) {
  ee_rows rows                      = ee_node_rows(j->from, of, 0, j->band->held[of->out]);
  to->attr.slice.start[EE_ROW_AXIS] = (int)(rows.begin - j->band->held[of->in[0]].begin);
}

/* The way of the whole, which may follow from its height. */
static ee_method way_of(const job *j, const ee_node *of) {
  ee_method way = ee_backend_way(j->backend, j->from, of);
  if (way != EE_METHOD_BY_RULE) return way;
  return ee_tuning_applies(j->from) ? of->method : EE_METHOD_BY_RULE;
}

static ee_node node_of(const job *j, int k) {
  const ee_node *of = &j->from->node[k];
  ee_node        to = *of;
  if (!is_inside(j, of)) return to;
  to.method = way_of(j, of);
  if (ee_node_has_window(of)) shift_window(j, of, &to.attr.window);
  if (of->op == EE_OP_SLICE) shift_slice(j, of, &to);
  for (int c = 0; c < j->n_crops; c++) {
    if (j->crops[c].reader == k) to.in[j->crops[c].in] = j->from->n_values + c;
  }
  return to;
}

static ee_node slice_of(const job *j, int c) {
  const ee_node *reader = &j->from->node[j->crops[c].reader];
  int            v      = reader->in[j->crops[c].in];
  ee_node        slice  = {.op    = EE_OP_SLICE,
                           .n_in  = 1,
                           .in    = {v},
                           .out   = j->from->n_values + c,
                           .layer = reader->layer,
                           .exit  = -1};
  snprintf(slice.name, sizeof slice.name, "rows for %.80s", reader->name);
  for (int i = 0; i < EE_MAX_RANK; i++) slice.attr.slice.step[i] = 1;
  slice.attr.slice.start[EE_ROW_AXIS] = (int)(j->crops[c].rows.begin - j->band->held[v].begin);
  return slice;
}

static void fill_nodes(const job *j) {
  ee_model *to = j->to;
  to->n_nodes  = 0;
  for (int k = 0; k < j->from->n_nodes; k++) {
    for (int c = 0; c < j->n_crops; c++) {
      if (j->crops[c].place == k) to->node[to->n_nodes++] = slice_of(j, c);
    }
    to->node[to->n_nodes++] = node_of(j, k);
  }
}

static void fill_values(const job *j) {
  const ee_model *from = j->from;
  ee_model       *to   = j->to;
  for (int v = 0; v < from->n_values; v++) {
    ee_rows held = j->band->held[v];
    if (held.begin < held.end) set_rows(to, v, held);
  }
  for (int c = 0; c < j->n_crops; c++) {
    int v             = from->n_values + c;
    to->value[v]      = from->value[from->node[j->crops[c].reader].in[j->crops[c].in]];
    to->value[v].kind = EE_VALUE_ACTIVATION;
    snprintf(to->value[v].name, sizeof to->value[v].name, "rows %d", c);
    set_rows(to, v, j->crops[c].rows);
  }
  to->n_values = from->n_values + j->n_crops;
}

static ee_status copy_constants(const job *j) {
  for (int layer = j->band->begin; layer < j->band->end; layer++) {
    EE_TRY(ee_model_copy_constants(j->from, j->from, layer, j->to));
    j->to->layer[layer].flops = ee_band_flops(j->from, j->band, layer);
  }
  return EE_OK;
}

static ee_status make(job *j) {
  size_t inputs = 0;
  for (int k = 0; k < j->from->n_nodes; k++) inputs += (size_t)j->from->node[k].n_in;
  j->crops = calloc(inputs + 1, sizeof *j->crops);
  j->start = calloc((size_t)j->from->n_layers + 1, sizeof *j->start);
  j->maker = calloc((size_t)j->from->n_values, sizeof *j->maker);
  if (j->crops == NULL || j->start == NULL || j->maker == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for a band of model '%s'", j->from->name);
  }
  find_crops(j);
  EE_TRY(ee_model_outline(j->from, j->n_crops, &j->to));
  j->to->is_band = true;
  fill_values(j);
  fill_nodes(j);
  return copy_constants(j);
}

ee_status ee_band_model(const ee_model *model, const ee_backend *backend, const ee_band *band,
                        ee_model **made) {
  job       j      = {.from = model, .backend = backend, .band = band};
  ee_status status = make(&j);
  free(j.crops);
  free(j.start);
  free(j.maker);
  if (status != EE_OK) ee_model_destroy(&j.to);
  *made = j.to;
  return status;
}
