/* SPDX-License-Identifier: Apache-2.0 */
/* Is the first dimension a batch?  It is if every array follows it, and no operator mixes along
 * it. */
#include <stdio.h>

#include "onnx_graph.h"

static bool follows(const onnx_value *value) {
  ee_shape like = value->at[0];
  if (like.rank == 0 || like.dim[0] != 1) return false;
  like.dim[0] = 2;
  return ee_shape_equal(&like, &value->at[1]);
}

/* Operands are aligned at their last dimension: one of fewer dimensions puts its batch elsewhere.
 */
static bool operands_aligned(const onnx_graph *g, const ee_node *node) {
  int rank = g->value[node->out].at[0].rank;
  for (int k = 0; k < node->n_in; k++) {
    if (node->in[k] < 0) continue;
    const onnx_value *x = &g->value[node->in[k]];
    if (x->kind != EE_VALUE_CONSTANT && x->at[0].rank < rank) return false;
  }
  return true;
}

static bool is_constant(const onnx_graph *g, int v) {
  return g->value[v].kind == EE_VALUE_CONSTANT;
}

/* The scores have a dimension more than the result. */
static bool mask_follows(const onnx_graph *g, const ee_node *node) {
  if (node->n_in < 4 || is_constant(g, node->in[3])) return true;
  return g->value[node->in[3]].at[0].rank == g->value[node->out].at[0].rank + 1;
}

static bool keeps_samples_apart(const onnx_graph *g, const ee_node *node) {
  switch (node->op) {
    case EE_OP_SOFTMAX:
    case EE_OP_LOG_SOFTMAX:
      return node->attr.along.axis != 0;
    case EE_OP_CONCAT:
      return node->attr.along.axis != 0;
    case EE_OP_TRANSPOSE:
      return node->attr.transpose.perm[0] == 0;
    case EE_OP_REDUCE_MEAN:
      return !node->attr.reduce.axis[0];
    case EE_OP_PAD:
      return node->attr.pad.before[0] == 0 && node->attr.pad.after[0] == 0;
    case EE_OP_LAYER_NORM:
      return node->attr.layer_norm.axis != 0;
    case EE_OP_GATHER:
      return node->attr.gather.axis != 0 || is_constant(g, node->in[0]);
    case EE_OP_ATTENTION:
      return g->value[node->out].at[0].rank > 2 && mask_follows(g, node);
    case EE_OP_POW:
    case EE_OP_GEMM:
    case EE_OP_MATMUL:
    case EE_OP_ADD:
    case EE_OP_MUL:
    case EE_OP_SUB:
    case EE_OP_DIV:
      return operands_aligned(g, node);
    default:
      return true;
  }
}

void ee_onnx_check_batch(onnx_graph *g) {
  for (int i = 0; i < g->n_nodes && g->batched; i++) {
    const ee_node *node = &g->node[i];
    if (follows(&g->value[node->out]) && keeps_samples_apart(g, node)) continue;
    g->batched = false;
    snprintf(g->reason, sizeof g->reason, "%s '%s' mixes the first dimension", ee_op_name(node->op),
             node->name);
  }
}

/* The shape of the result of @p node at a batch of 2; false if there is none. */
static bool at_two(const onnx_graph *g, const ee_node *node, ee_shape *out) {
  ee_shape in[EE_MAX_NODE_INPUTS] = {{0}};
  for (int k = 0; k < node->n_in; k++) {
    if (node->in[k] >= 0) in[k] = g->value[node->in[k]].at[1];
  }
  switch (node->op) {
    case EE_OP_RESHAPE:
    case EE_OP_SLICE:
    case EE_OP_REDUCE_MEAN:
    case EE_OP_ATTENTION:
      *out = g->value[node->out].at[0];
      if (!follows(&g->value[node->in[0]]) || out->rank == 0 || out->dim[0] != 1) return false;
      out->dim[0] = 2;
      return true;
    default:
      return ee_onnx_infer(node, in, out) == EE_OK;
  }
}

static bool has_attention(const onnx_graph *g) {
  for (int i = 0; i < g->n_nodes; i++) {
    if (g->node[i].op == EE_OP_ATTENTION) return true;
  }
  return false;
}

void ee_onnx_find_batch(onnx_graph *g) {
  onnx_value *input = &g->value[g->input];
  if (!has_attention(g) || input->at[0].rank == 0 || input->at[0].dim[0] != 1) return;
  input->at[1]        = input->at[0];
  input->at[1].dim[0] = 2;
  g->batched          = true;
  for (int i = 0; i < g->n_nodes && g->batched; i++) {
    const ee_node *node = &g->node[i];
    g->batched          = at_two(g, node, &g->value[node->out].at[1]);
    if (!g->batched)
      snprintf(g->reason, sizeof g->reason, "%s '%s' moves the first dimension",
               ee_op_name(node->op), node->name);
  }
}
