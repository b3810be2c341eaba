/* SPDX-License-Identifier: Apache-2.0 */
/* Makes an array of what a view says: the source itself, a part of its columns, or, where the
 * source is a linear layer, the layer with those of its weights that are wanted, on rows in that
 * order.  So one layer for queries, keys and values becomes three, and nothing is moved. */
#include "onnx_view_value.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static ee_node node_of(const onnx_fusion *f, int like, ee_op op, int x) {
  ee_node node = {.op = op, .n_in = 1, .in = {x}};
  snprintf(node.name, sizeof node.name, "%s", f->g->value[like].name);
  return node;
}

/* The source itself, or in another shape. */
static bool is_source(const onnx_fusion *f, const onnx_view *view) {
  int64_t n = ee_shape_elements(ee_onnx_shape_of(f, view->source));
  for (int i = 0; i < view->rank; i++) n /= ee_onnx_view_length(view, i);
  return view->first == 0 && view->scale == 1.0 && n == 1 &&
         ee_onnx_view_is_run(view, 0, view->rank, 1);
}

static ee_status take_source(onnx_fusion *f, const onnx_view *view, ee_node *before, int *v) {
  ee_shape shape = ee_onnx_view_shape(view);
  *v             = view->source;
  if (ee_shape_equal(&shape, ee_onnx_shape_of(f, *v))) return EE_OK;
  ee_node node = node_of(f, view->source, EE_OP_RESHAPE, view->source);
  return ee_onnx_insert(f, before, &node, &shape, v);
}

/* Neighbouring columns of every row of the source. */
static bool is_columns(const onnx_fusion *f, const onnx_view *view) {
  const ee_shape *x    = ee_onnx_shape_of(f, view->source);
  int             last = view->rank - 1;
  if (x->rank < 2 || last < 1 || view->scale != 1.0) return false;
  int64_t columns = x->dim[x->rank - 1], rows = ee_shape_elements(x) / columns;
  for (int i = 0; i < last; i++) rows /= ee_onnx_view_length(view, i);
  return rows == 1 && columns <= INT_MAX && ee_onnx_view_is_run(view, 0, last, columns) &&
         ee_onnx_view_is_run(view, last, last + 1, 1) &&
         view->first + ee_onnx_view_length(view, last) <= columns;
}

static ee_status take_columns(onnx_fusion *f, const onnx_view *view, ee_node *before, int *v) {
  ee_shape shape = ee_onnx_view_shape(view), part = *ee_onnx_shape_of(f, view->source);
  ee_node  node = node_of(f, view->source, EE_OP_SLICE, view->source);
  for (int i = 0; i < part.rank; i++) node.attr.slice.step[i] = 1;
  node.attr.slice.start[part.rank - 1] = (int)view->first;
  part.dim[part.rank - 1]              = shape.dim[shape.rank - 1];
  EE_TRY(ee_onnx_insert(f, before, &node, &part, v));
  if (ee_shape_equal(&shape, &part)) return EE_OK;
  ee_node reshape = node_of(f, view->source, EE_OP_RESHAPE, *v);
  return ee_onnx_insert(f, before, &reshape, &shape, v);
}

/* y[rows, columns] = x[rows, depth] w + bias, with w(k, j) at k by_depth + j by_column. */
typedef struct linear {
  int          x;
  int64_t      depth, columns, by_depth, by_column;
  const float *w, *bias;  // bias NULL: none
  float        alpha, beta;
} linear;

static const float *constant_of(const onnx_fusion *f, int v) {
  return f->g->value[v].kind == EE_VALUE_CONSTANT ? f->g->value[v].data : NULL;
}

/* A bias of one number for each column. */
static bool find_bias(const onnx_fusion *f, const ee_node *node, linear *l) {
  if (node->n_in < 3 || node->in[2] < 0) return true;
  const ee_shape *c = &f->g->value[node->in[2]].at[0];
  l->bias           = constant_of(f, node->in[2]);
  return l->bias != NULL && c->rank > 0 && c->dim[c->rank - 1] == l->columns &&
         ee_shape_elements(c) == l->columns;
}

static bool find_linear(const onnx_fusion *f, int v, linear *l) {
  const ee_node *node = ee_onnx_maker(f, v);
  if (node == NULL || (node->op != EE_OP_MATMUL && node->op != EE_OP_GEMM)) return false;
  const ee_shape *x = &f->g->value[node->in[0]].at[0], *w = &f->g->value[node->in[1]].at[0];
  bool            gemm = node->op == EE_OP_GEMM, turned = gemm && node->attr.gemm.trans_b;
  *l = (linear){.x = node->in[0], .w = constant_of(f, node->in[1]), .alpha = 1.0F, .beta = 1.0F};
  if (l->w == NULL || w->rank != 2 || x->rank < 2 || (gemm && node->attr.gemm.trans_a))
    return false;
  l->depth     = w->dim[turned ? 1 : 0];
  l->columns   = w->dim[turned ? 0 : 1];
  l->by_depth  = turned ? 1 : l->columns;
  l->by_column = turned ? l->depth : 1;
  if (gemm) {
    l->alpha = node->attr.gemm.alpha;
    l->beta  = node->attr.gemm.beta;
  }
  return f->g->value[l->x].kind != EE_VALUE_CONSTANT && find_bias(f, node, l);
}

/* The rows of the layer's input that make those of @p view, each whole. */
static bool rows_of(const onnx_fusion *f, const onnx_view *view, const linear *l, onnx_view *rows) {
  int     last    = view->rank - 1;
  int64_t highest = view->first;
  if (last < 1 || view->scale != 1.0) return false;
  for (int k = view->start[last]; k < view->n; k++) {
    if (view->factor[k].stride < 0) return false;
    highest += (view->factor[k].size - 1) * view->factor[k].stride;
  }
  if (highest >= l->columns) return false;
  onnx_view x = ee_onnx_view_of(f, l->x);
  *rows       = (onnx_view){.source = x.source, .first = x.first, .scale = x.scale};
  for (int i = 0; i <= last; i++) {
    if (!ee_onnx_view_add_dimension(rows)) return false;
    for (int k = view->start[i]; i < last && k < view->start[i + 1]; k++) {
      onnx_factor row = {view->factor[k].size, view->factor[k].stride / l->columns};
      if (view->factor[k].stride % l->columns != 0) return false;
      if (!ee_onnx_view_pick(&x, 0, x.rank - 1, row, rows)) return false;
    }
  }
  onnx_factor row = {l->depth, 1};
  return ee_onnx_view_pick(&x, x.rank - 1, x.rank, row, rows) && is_source(f, rows);
}

/* Column @p j of the view, counted in the layer's. */
static int64_t column_at(const onnx_view *view, int64_t j) {
  int64_t at = view->first;
  for (int k = view->n - 1; k >= view->start[view->rank - 1]; k--) {
    at += j % view->factor[k].size * view->factor[k].stride;
    j /= view->factor[k].size;
  }
  return at;
}

/* Constants in[1] and in[2] of @p node: the columns of @p l that the view has. */
static ee_status pick_weights(onnx_fusion *f, const onnx_view *view, const linear *l,
                              ee_node *node) {
  int64_t n = ee_onnx_view_length(view, view->rank - 1);
  float  *w = calloc((size_t)(l->depth * n), sizeof *w), *bias = calloc((size_t)n, sizeof *bias);
  if (w == NULL || bias == NULL) {
    free(w);
    free(bias);
    return EE_FAIL(EE_ERR_NOMEM, "for the weights of '%s'", node->name);
  }
  for (int64_t j = 0; j < n; j++) {
    int64_t c = column_at(view, j);
    for (int64_t k = 0; k < l->depth; k++)
      w[k * n + j] = l->alpha * l->w[k * l->by_depth + c * l->by_column];
    if (l->bias != NULL) bias[j] = l->beta * l->bias[c];
  }
  ee_status status = ee_onnx_constant(
      f->g, node->name, &(ee_shape){.rank = 2, .dim = {l->depth, n}}, w, &node->in[1]);
  if (status == EE_OK) {
    return ee_onnx_constant(f->g, node->name, &(ee_shape){.rank = 1, .dim = {n}}, bias,
                            &node->in[2]);
  }
  free(bias);
  return status;
}

static ee_status take_linear(onnx_fusion *f, const onnx_view *view, const linear *l,
                             ee_node *before, int *v) {
  ee_shape  shape = ee_onnx_view_shape(view);
  ee_node   node  = node_of(f, view->source, EE_OP_MATMUL, -1);
  onnx_view rows;
  if (!rows_of(f, view, l, &rows))
    return EE_FAIL(EE_ERR_STATE, "'%s' is no view of a layer", node.name);
  EE_TRY(take_source(f, &rows, before, &node.in[0]));
  node.n_in = 3;
  EE_TRY(pick_weights(f, view, l, &node));
  return ee_onnx_insert(f, before, &node, &shape, v);
}

onnx_source ee_onnx_view_source(const onnx_fusion *f, const onnx_view *view) {
  linear    l;
  onnx_view rows;
  if (is_source(f, view)) return ONNX_WHOLE;
  if (find_linear(f, view->source, &l) && rows_of(f, view, &l, &rows)) return ONNX_LINEAR;
  return is_columns(f, view) ? ONNX_COLUMNS : ONNX_NO_SOURCE;
}

ee_status ee_onnx_view_value(onnx_fusion *f, const onnx_view *view, ee_node *before, int *v) {
  switch (ee_onnx_view_source(f, view)) {
    case ONNX_WHOLE:
      return take_source(f, view, before, v);
    case ONNX_COLUMNS:
      return take_columns(f, view, before, v);
    case ONNX_LINEAR:
      return ee_onnx_view_layer(f, view, before, v);
    case ONNX_NO_SOURCE:
      break;
  }
  return EE_FAIL(EE_ERR_STATE, "'%s' is no view of an array", f->g->value[view->source].name);
}

bool ee_onnx_view_is_layer(const onnx_fusion *f, const onnx_view *view) {
  linear    l;
  onnx_view rows;
  if (!find_linear(f, view->source, &l) || !rows_of(f, view, &l, &rows)) return false;
  ee_shape shape = ee_onnx_view_shape(&rows);
  return ee_shape_equal(&shape, ee_onnx_shape_of(f, rows.source));
}

ee_status ee_onnx_view_layer(onnx_fusion *f, const onnx_view *view, ee_node *before, int *v) {
  linear l;
  if (!find_linear(f, view->source, &l))
    return EE_FAIL(EE_ERR_STATE, "'%s' is no linear layer", f->g->value[view->source].name);
  return take_linear(f, view, &l, before, v);
}
