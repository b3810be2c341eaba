/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm and MatMul with constant weights: rows are the pixels of a tile, features its channels.
 * alpha is in the packed weights, beta in the bias. */
#include "simd_linear.h"

#include <string.h>

#include "activation.h"
#include "meter.h"
#include "simd_act.h"
#include "simd_panels.h"

#define STEP 8000000  // floating-point operations between two progress calls

/* y[rows, outputs] = x[rows, depth] w[depth, outputs] + bias. */
typedef struct product {
  int64_t        rows;
  bool           transposed;  // w is stored as [outputs, depth]
  ee_simd_panels panels;
} product;

static product product_of(const ee_node *node, const ee_shape *x, const ee_shape *w) {
  const ee_simd_kernels *k = ee_simd_kernels_get();
  product                p = {.transposed = node->op == EE_OP_GEMM && node->attr.gemm.trans_b};
  p.panels.lanes           = k->lanes;
  p.panels.depth           = w->dim[p.transposed ? 1 : 0];
  p.panels.outputs         = w->dim[p.transposed ? 0 : 1];
  p.rows                   = ee_shape_elements(x) / p.panels.depth;
  int64_t most             = (p.panels.outputs + k->lanes - 1) / k->lanes;
  p.panels.vectors         = most < 4 ? (int)most : 4;
  return p;
}

static product product_in_model(const ee_model *model, const ee_node *node) {
  return product_of(node, &model->value[node->in[0]].shape, &model->value[node->in[1]].shape);
}

/* The same number for every row: none, or one for each feature. */
static bool bias_fits(const ee_model *model, const ee_node *node, int64_t outputs) {
  if (node->n_in < 3 || node->in[2] < 0) return true;
  const ee_value *c = &model->value[node->in[2]];
  return c->kind == EE_VALUE_CONSTANT && ee_shape_elements(&c->shape) == outputs &&
         c->shape.dim[c->shape.rank - 1] == outputs;
}

bool ee_simd_linear_can(const ee_model *model, const ee_node *node) {
  const ee_value *x = &model->value[node->in[0]], *w = &model->value[node->in[1]];
  bool            forward = node->op == EE_OP_MATMUL || !node->attr.gemm.trans_a;
  if (!forward || w->kind != EE_VALUE_CONSTANT || w->shape.rank != 2 || x->shape.rank < 2 ||
      x->kind == EE_VALUE_CONSTANT || ee_shape_elements(&w->shape) == 0) {
    return false;
  }
  return bias_fits(model, node, product_in_model(model, node).panels.outputs);
}

size_t ee_simd_linear_prepared_bytes(const ee_model *model, const ee_node *node) {
  product p = product_in_model(model, node);
  return (size_t)ee_simd_panels_floats(&p.panels) * sizeof(float);
}

void ee_simd_linear_prepare(const ee_model *model, const ee_node *node,
                            const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  product      p     = product_in_model(model, node);
  bool         gemm  = node->op == EE_OP_GEMM;
  float        alpha = gemm ? node->attr.gemm.alpha : 1.0F;
  float        beta  = gemm ? node->attr.gemm.beta : 1.0F;
  const float *w = constant[1], *c = constant[2];
  memset(packed, 0, (size_t)ee_simd_panels_floats(&p.panels) * sizeof *packed);
  for (int64_t o = 0; o < p.panels.outputs; o++) {
    for (int64_t k = 0; k < p.panels.depth; k++) {
      packed[ee_simd_weight_place(&p.panels, o, k)] =
          alpha * w[p.transposed ? o * p.panels.depth + k : k * p.panels.outputs + o];
    }
    if (c != NULL) packed[ee_simd_weights_floats(&p.panels) + o] = beta * c[o];
  }
}

/* A panel whose last vector reaches beyond the features is computed beside the result. */
size_t ee_simd_linear_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  (void)model, (void)node, (void)n;
  return EE_SIMD_MAX_PIXELS * EE_SIMD_MAX_VECTORS * EE_SIMD_BLOCK * sizeof(float);
}

static void multiply_tile(const product *p, const ee_simd_kernels *kernels, ee_simd_panel panel,
                          int64_t rows, ee_simd_tile t, float *beside) {
  int64_t width = panel.vectors * p->panels.lanes, left = p->panels.outputs - panel.first;
  float  *out = t.out;
  if (left < width) {
    t.out      = beside;
    t.out_step = width;
  }
  t.ahead = t.weights;
  kernels->tile[panel.vectors][rows](&t);
  for (int64_t r = 0; r < rows && left < width; r++) {
    memcpy(out + r * p->panels.outputs, beside + r * width, (size_t)left * sizeof *out);
  }
}

static void multiply_panel(const product *p, const ee_kernel_call *call, ee_simd_panel panel,
                           ee_meter *meter) {
  const ee_simd_kernels *kernels = ee_simd_kernels_get();
  ee_simd_limits         limits  = ee_simd_limits_of(&call->act);
  const float           *packed  = call->prepared;
  int64_t most = kernels->max_pixels[panel.vectors], tiles = (p->rows + most - 1) / most;
  for (int64_t i = 0, r = 0; i < tiles; i++) {
    int64_t      n = (p->rows - r + tiles - i - 1) / (tiles - i);
    ee_simd_tile t = {.in       = call->in[0] + r * p->panels.depth,
                      .in_step  = p->panels.depth,
                      .rows     = 1,
                      .runs     = 1,
                      .length   = p->panels.depth,
                      .weights  = packed + panel.place,
                      .bias     = packed + ee_simd_weights_floats(&p->panels) + panel.first,
                      .out      = call->out + r * p->panels.outputs + panel.first,
                      .out_step = p->panels.outputs,
                      .low      = limits.low,
                      .high     = limits.high};
    multiply_tile(p, kernels, panel, n, t, call->scratch);
    ee_meter_add(meter, 2 * p->panels.depth * n * panel.vectors * p->panels.lanes);
    r += n;
  }
}

void ee_simd_linear_run(const ee_kernel_call *call) {
  product  p     = product_of(call->node, &call->in_shape[0], &call->in_shape[1]);
  ee_meter meter = {.call = call, .step = STEP};
  for (int64_t i = 0; i < ee_simd_panel_count(&p.panels); i++) {
    multiply_panel(&p, call, ee_simd_panel_at(&p.panels, i), &meter);
  }
  if (!ee_simd_limits_of(&call->act).whole) {
    ee_act_apply(&call->act, call->out, call->out, p.rows * p.panels.outputs);
  }
}
