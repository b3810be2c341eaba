/* SPDX-License-Identifier: Apache-2.0 */
/* Layer normalisation as exports of operator sets before 17 write it out:
 * (x - mean x) / sqrt(mean (x - mean x)^2 + epsilon), then times a scale, then plus a bias.  The
 * quotient becomes a LayerNormalization with ones as its scale; scale and bias join it one by one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "onnx_affine.h"
#include "onnx_fusion.h"

/* Whether @p v is x - mean(x), or x - y of that very y. */
static bool is_difference(const onnx_fusion *f, int v, int x, int mean) {
  const ee_node *d = ee_onnx_made_by(f, v, EE_OP_SUB);
  return d != NULL && d->in[0] == x && d->in[1] == mean;
}

/* The value that @p v is the square of; -1: of none. */
static int square_root_of(const onnx_fusion *f, int v) {
  const ee_node *power = ee_onnx_made_by(f, v, EE_OP_POW);
  const ee_node *mul   = ee_onnx_made_by(f, v, EE_OP_MUL);
  if (power != NULL && ee_onnx_is_number(f, power->in[1], 2.0)) return power->in[0];
  return mul != NULL && mul->in[0] == mul->in[1] ? mul->in[0] : -1;
}

/* The first axis of a mean over all axes from there on, which stay with one element; -1: it is
 * none of these. */
static int mean_axis(const onnx_fusion *f, const ee_node *mean) {
  const ee_shape *x    = ee_onnx_shape_of(f, mean->in[0]);
  const bool     *over = mean->attr.reduce.axis;
  int             axis = 0;
  while (axis < x->rank && !over[axis]) axis++;
  for (int i = axis; i < x->rank; i++) {
    if (!over[i]) return -1;
  }
  return axis < x->rank && ee_onnx_shape_of(f, mean->out)->rank == x->rank ? axis : -1;
}

/* A normalisation of *x over the axes from the result on; -1: @p quotient is none. */
static int find_normalised(const onnx_fusion *f, const ee_node *quotient, int *x, float *epsilon) {
  const ee_node *d    = ee_onnx_made_by(f, quotient->in[0], EE_OP_SUB);
  const ee_node *root = ee_onnx_made_by_function(f, quotient->in[1], EE_ACT_SQRT);
  if (d == NULL || root == NULL) return -1;
  const ee_node *mean = ee_onnx_made_by(f, d->in[1], EE_OP_REDUCE_MEAN);
  const ee_node *sum  = ee_onnx_made_by(f, root->in[0], EE_OP_ADD);
  *x                  = d->in[0];
  if (mean == NULL || sum == NULL || mean->in[0] != *x) return -1;
  int k = ee_onnx_number_input(f, sum, epsilon);
  if (k < 0 || !isfinite(*epsilon) || *epsilon < 0.0f) return -1;
  const ee_node *variance = ee_onnx_made_by(f, sum->in[1 - k], EE_OP_REDUCE_MEAN);
  if (variance == NULL) return -1;
  int squared = square_root_of(f, variance->in[0]);
  if (squared < 0 || !is_difference(f, squared, *x, d->in[1])) return -1;
  int axis = mean_axis(f, mean);
  return axis == mean_axis(f, variance) ? axis : -1;
}

static ee_shape row_of(const ee_shape *x, int axis) {
  ee_shape row = {.rank = x->rank - axis};
  for (int i = 0; i < row.rank; i++) row.dim[i] = x->dim[axis + i];
  return row;
}

static ee_status fuse_quotient(onnx_fusion *f, ee_node *node) {
  ee_node with = {.op = EE_OP_LAYER_NORM, .n_in = 2, .act = node->act};
  int     axis = find_normalised(f, node, &with.in[0], &with.attr.layer_norm.epsilon);
  if (axis < 0) return EE_OK;
  ee_shape row  = row_of(ee_onnx_shape_of(f, with.in[0]), axis);
  int64_t  n    = ee_shape_elements(&row);
  float   *ones = malloc((size_t)n * sizeof *ones);
  if (ones == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld numbers", (long long)n);
  for (int64_t i = 0; i < n; i++) ones[i] = 1.0f;
  with.attr.layer_norm.axis = axis;
  snprintf(with.name, sizeof with.name, "%s", node->name);
  EE_TRY(ee_onnx_constant(f->g, "ones", &row, ones, &with.in[1]));
  ee_onnx_replace(f, node, &with);
  return EE_OK;
}

/* Whether constant @p v has a number for each of @p row, and ones in front at most. */
static bool fits_row(const onnx_fusion *f, int v, const ee_shape *row) {
  const onnx_value *value = &f->g->value[v];
  if (value->kind != EE_VALUE_CONSTANT || value->data == NULL) return false;
  ee_shape own  = value->at[0];
  int      more = own.rank - row->rank;
  if (more < 0 || ee_shape_product(&own, 0, more) != 1) return false;
  for (int i = 0; i < row->rank; i++) {
    if (own.dim[more + i] != row->dim[i]) return false;
  }
  return true;
}

/* A copy of constant @p v of shape @p row, times @p factor if that is not NULL. */
static ee_status copy_row(onnx_graph *g, int v, const ee_shape *row, const float *factor,
                          int *made) {
  float *copy = ee_onnx_copy_floats(&g->value[v]);
  if (copy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the weights '%s'", g->value[v].name);
  for (int64_t i = 0; factor != NULL && i < ee_shape_elements(row); i++) copy[i] *= factor[i];
  return ee_onnx_constant(g, g->value[v].name, row, copy, made);
}

/* Let a Mul be the scale of the normalisation before it, and an Add its bias. */
static ee_status fuse_affine(onnx_fusion *f, ee_node *node) {
  for (int k = 0; k < 2; k++) {
    const ee_node *norm = ee_onnx_sole_producer(f, node->in[k]);
    if (norm == NULL || norm->op != EE_OP_LAYER_NORM || norm->n_in > 2) continue;
    ee_node  with = *norm;
    ee_shape row  = *ee_onnx_shape_of(f, norm->in[1]);
    if (!fits_row(f, node->in[1 - k], &row)) continue;
    if (!ee_shape_equal(ee_onnx_shape_of(f, norm->out), ee_onnx_shape_of(f, node->out))) continue;
    const onnx_value *scale = &f->g->value[norm->in[1]];
    if (node->op == EE_OP_MUL && (scale->kind != EE_VALUE_CONSTANT || scale->data == NULL))
      continue;
    if (node->op == EE_OP_MUL) {
      EE_TRY(copy_row(f->g, node->in[1 - k], &row, scale->data, &with.in[1]));
    } else {
      with.n_in = 3;
      EE_TRY(copy_row(f->g, node->in[1 - k], &row, NULL, &with.in[2]));
    }
    ee_onnx_replace(f, node, &with);
    return EE_OK;
  }
  return EE_OK;
}

ee_status ee_onnx_fuse_layer_norm(onnx_fusion *f, ee_node *node) {
  if (node->act.kind != EE_ACT_NONE) return EE_OK;
  if (node->op == EE_OP_DIV) return fuse_quotient(f, node);
  bool affine = node->op == EE_OP_MUL || node->op == EE_OP_ADD;
  return affine ? fuse_affine(f, node) : EE_OK;
}
