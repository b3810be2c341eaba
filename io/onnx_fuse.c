/* SPDX-License-Identifier: Apache-2.0 */
/* Makes fewer nodes of a graph: what scales and shifts the channels of a convolution or Gemm goes
 * into its weights, activations go into the node before them, and what several nodes of a
 * transformer compute is one. */

#include <math.h>

#include "onnx_affine.h"
#include "onnx_fusion.h"

/* Let @p first make what @p second made. */
static void join(onnx_fusion *f, ee_node *first, ee_node *second) {
  first->out              = second->out;
  f->producer[first->out] = (int)(first - f->g->node);
  ee_onnx_remove(second);
}

static bool takes_activation(ee_op op) {
  switch (op) {
    case EE_OP_CONV:
    case EE_OP_GEMM:
    case EE_OP_MATMUL:
    case EE_OP_BATCH_NORM:
    case EE_OP_ADD:
    case EE_OP_MUL:
    case EE_OP_SUB:
    case EE_OP_DIV:
      return true;
    default:
      return false;
  }
}

static void fuse_activation(onnx_fusion *f, ee_node *node) {
  ee_node *before = ee_onnx_sole_producer(f, node->in[0]);
  if (before == NULL || !takes_activation(before->op)) return;
  before->act = node->act;
  join(f, before, node);
}

/* Input k of @p node as a constant that no other node uses. */
static ee_status own_constant(onnx_fusion *f, ee_node *node, int k) {
  onnx_graph *g = f->g;
  int         v = node->in[k];
  if (v >= f->n || f->uses[v] == 1) return EE_OK;
  float *copy = ee_onnx_copy_floats(&g->value[v]);
  if (copy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the weights '%s'", g->value[v].name);
  EE_TRY(ee_onnx_constant(g, g->value[v].name, &g->value[v].at[0], copy, &node->in[k]));
  f->uses[v]--;
  return EE_OK;
}

/* Weights were finite, and so was what @p node brought; dividing by zero makes them infinite. */
static ee_status check_folded(const onnx_graph *g, const ee_node *into, const ee_node *node) {
  for (int k = 1; k < 3; k++) {
    const onnx_value *value = &g->value[into->in[k]];
    int64_t           n     = ee_shape_elements(&value->at[0]);
    for (int64_t i = 0; i < n; i++) {
      if (isfinite(value->data[i])) continue;
      return EE_FAIL(EE_ERR_FORMAT,
                     "node '%s' (%s) would make weights of node '%s' that are not finite; its "
                     "constant must be smaller, or not 0 where it divides",
                     node->name, ee_op_name(node->op), into->name);
    }
  }
  return EE_OK;
}

/* Put @p node's scale and shift into the weights of the node before it, if there is one. */
static ee_status fold_affine(onnx_fusion *f, ee_node *node) {
  onnx_affine affine;
  int         x      = ee_onnx_affine_input(f->g, node);
  ee_node    *before = x >= 0 ? ee_onnx_sole_producer(f, node->in[x]) : NULL;
  int64_t     n      = before != NULL ? ee_onnx_foldable_channels(f->g, before) : 0;
  if (n == 0 || !ee_onnx_affine_fits(f->g, node, x, n)) return EE_OK;

  EE_TRY(own_constant(f, before, 1));
  EE_TRY(ee_onnx_own_bias(f->g, before, n));
  EE_TRY(ee_onnx_affine_of(f->g, node, x, n, &affine));
  ee_onnx_apply_affine(f->g, before, &affine);
  ee_onnx_affine_free(&affine);
  EE_TRY(check_folded(f->g, before, node));
  join(f, before, node);
  return EE_OK;
}

typedef ee_status (*pattern_fn)(onnx_fusion *f, ee_node *node);

/* Each pattern at each node. */
static ee_status try_all(onnx_fusion *f, const pattern_fn *pattern, size_t n) {
  for (int i = 0; i < f->g->n_nodes; i++) {
    for (size_t p = 0; p < n; p++) {
      if (!ee_onnx_is_removed(&f->g->node[i])) EE_TRY(pattern[p](f, &f->g->node[i]));
    }
  }
  return EE_OK;
}

/* A linear layer's bias, and what exports write out though a node could do it: each in one node. */
static ee_status fuse_patterns(onnx_fusion *f) {
  static const pattern_fn pattern[] = {ee_onnx_fuse_bias, ee_onnx_fuse_layer_norm,
                                       ee_onnx_fuse_gelu};
  return try_all(f, pattern, sizeof pattern / sizeof pattern[0]);
}

static ee_status fuse_attention(onnx_fusion *f) {
  static const pattern_fn pattern[] = {ee_onnx_fuse_attention};
  return try_all(f, pattern, 1);
}

static ee_status fuse_one_head(onnx_fusion *f) {
  static const pattern_fn pattern[] = {ee_onnx_fuse_one_head};
  return try_all(f, pattern, 1);
}

static ee_status fuse_bare_head(onnx_fusion *f) {
  static const pattern_fn pattern[] = {ee_onnx_fuse_bare_head};
  return try_all(f, pattern, 1);
}

static ee_status fuse_moves(onnx_fusion *f) {
  static const pattern_fn pattern[] = {ee_onnx_fuse_moves};
  return try_all(f, pattern, 1);
}

static ee_status fuse_neighbours(onnx_fusion *f) {
  for (int i = 0; i < f->g->n_nodes; i++) {
    if (f->g->node[i].op == EE_OP_ACTIVATION)
      fuse_activation(f, &f->g->node[i]);
    else
      EE_TRY(fold_affine(f, &f->g->node[i]));
  }
  return EE_OK;
}

/* A pass over the graph with the nodes as they are now. */
static ee_status run_pass(onnx_graph *g, ee_status (*pass)(onnx_fusion *f)) {
  onnx_fusion f;
  ee_status   status = ee_onnx_fusion_open(&f, g);
  if (status == EE_OK) status = pass(&f);
  ee_status closed = ee_onnx_fusion_close(&f);
  return status != EE_OK ? status : closed;
}

/* Attention, and what moves its operands. */
static ee_status fuse_tokens(onnx_graph *g) {
  EE_TRY(run_pass(g, fuse_attention));
  EE_TRY(run_pass(g, fuse_one_head));
  EE_TRY(run_pass(g, fuse_bare_head));
  EE_TRY(run_pass(g, fuse_moves));
  return run_pass(g, fuse_moves);  // what stood behind a layer that has gone
}

ee_status ee_onnx_fuse(onnx_graph *g) {
  EE_TRY(run_pass(g, fuse_patterns));
  EE_TRY(fuse_tokens(g));
  ee_onnx_find_batch(g);
  return run_pass(g, fuse_neighbours);
}
