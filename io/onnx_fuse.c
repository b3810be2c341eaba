/* SPDX-License-Identifier: Apache-2.0 */
/* Makes fewer nodes of a graph: what scales and shifts the channels of a convolution or Gemm goes
 * into its weights, and activations go into the node before them. */
#include <stdlib.h>

#include "onnx_affine.h"
#include "onnx_graph.h"

#define REMOVED EE_OP_COUNT

typedef struct fusion {
  onnx_graph *g;
  int         n;         // values when it began; later ones are constants of one user
  int        *uses;      // shape [n], by nodes and as output of the graph
  int        *producer;  // shape [n], node; -1: none
} fusion;

static ee_status open_fusion(fusion *f, onnx_graph *g) {
  *f          = (fusion){.g = g, .n = g->n_values};
  f->uses     = calloc((size_t)f->n, sizeof *f->uses);
  f->producer = calloc((size_t)f->n, sizeof *f->producer);
  if (f->uses == NULL || f->producer == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d values", f->n);
  for (int v = 0; v < f->n; v++) f->producer[v] = -1;
  for (int i = 0; i < g->n_outputs; i++) f->uses[g->output[i]] += 2;  // must stay as it is
  for (int i = 0; i < g->n_nodes; i++) {
    const ee_node *node    = &g->node[i];
    f->producer[node->out] = i;
    for (int k = 0; k < node->n_in; k++) {
      if (node->in[k] >= 0) f->uses[node->in[k]]++;
    }
  }
  return EE_OK;
}

/* The node that makes @p v for one user only and applies no activation yet; NULL if none does. */
static ee_node *sole_producer(const fusion *f, int v) {
  if (v < 0 || v >= f->n || f->uses[v] != 1 || f->producer[v] < 0) return NULL;
  ee_node *node = &f->g->node[f->producer[v]];
  return node->act.kind == EE_ACT_NONE && node->op != REMOVED ? node : NULL;
}

/* Let @p first make what @p second made. */
static void join(fusion *f, ee_node *first, ee_node *second) {
  first->out              = second->out;
  f->producer[first->out] = (int)(first - f->g->node);
  second->op              = REMOVED;
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

static void fuse_activation(fusion *f, ee_node *node) {
  ee_node *before = sole_producer(f, node->in[0]);
  if (before == NULL || !takes_activation(before->op)) return;
  before->act = node->act;
  join(f, before, node);
}

/* Input k of @p node as a constant that no other node uses. */
static ee_status own_constant(fusion *f, ee_node *node, int k) {
  onnx_graph *g = f->g;
  int         v = node->in[k];
  if (v >= f->n || f->uses[v] == 1) return EE_OK;
  float *copy = ee_onnx_copy_floats(&g->value[v]);
  if (copy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the weights '%s'", g->value[v].name);
  EE_TRY(ee_onnx_constant(g, g->value[v].name, &g->value[v].at[0], copy, &node->in[k]));
  f->uses[v]--;
  return EE_OK;
}

/* Put @p node's scale and shift into the weights of the node before it, if there is one. */
static ee_status fold_affine(fusion *f, ee_node *node) {
  onnx_affine affine;
  int         x      = ee_onnx_affine_input(f->g, node);
  ee_node    *before = x >= 0 ? sole_producer(f, node->in[x]) : NULL;
  int64_t     n      = before != NULL ? ee_onnx_foldable_channels(f->g, before) : 0;
  if (n == 0 || !ee_onnx_affine_fits(f->g, node, x, n)) return EE_OK;

  EE_TRY(own_constant(f, before, 1));
  EE_TRY(ee_onnx_own_bias(f->g, before, n));
  EE_TRY(ee_onnx_affine_of(f->g, node, x, n, &affine));
  ee_onnx_apply_affine(f->g, before, &affine);
  ee_onnx_affine_free(&affine);
  join(f, before, node);
  return EE_OK;
}

static void drop_removed(onnx_graph *g) {
  int kept = 0;
  for (int i = 0; i < g->n_nodes; i++) {
    if (g->node[i].op != REMOVED) g->node[kept++] = g->node[i];
  }
  g->n_nodes = kept;
}

ee_status ee_onnx_fuse(onnx_graph *g) {
  fusion    f;
  ee_status status = open_fusion(&f, g);
  for (int i = 0; i < g->n_nodes && status == EE_OK; i++) {
    if (g->node[i].op == EE_OP_ACTIVATION)
      fuse_activation(&f, &g->node[i]);
    else
      status = fold_affine(&f, &g->node[i]);
  }
  free(f.uses);
  free(f.producer);
  drop_removed(g);
  return status;
}
