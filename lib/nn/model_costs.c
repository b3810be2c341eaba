/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point operations and weight bytes of layers and heads. */
#include <stdlib.h>

#include "graph.h"

static double elements(const ee_model *model, int v) {
  return (double)ee_model_value_elements(model, v);
}

/* Multiply-adds of one output element of Conv, Gemm or MatMul. */
static double depth(const ee_model *model, const ee_node *node) {
  const ee_shape *a = &model->value[node->in[0]].shape, *b = &model->value[node->in[1]].shape;
  switch (node->op) {
    case EE_OP_CONV:
      return (double)ee_shape_product(b, 1, b->rank);
    case EE_OP_GEMM:
      return (double)a->dim[node->attr.gemm.trans_a ? 0 : 1];
    default:
      return (double)a->dim[a->rank - 1];
  }
}

static double window_elements(const ee_window *window) {
  double n = 1.0;
  for (int d = 0; d < window->n_spatial; d++) n *= window->kernel[d];
  return n;
}

/* Scores, softmax and context, for every stack of matrices in front. */
static double attention_flops(const ee_model *model, const ee_node *node) {
  const ee_shape *k = &model->value[node->in[1]].shape, *y = &model->value[node->out].shape;
  double          stacks = (double)ee_shape_product(y, 0, y->rank - 2);
  double          rows = (double)y->dim[y->rank - 2], width = (double)y->dim[y->rank - 1];
  double          keys = (double)k->dim[k->rank - 2], depth = (double)k->dim[k->rank - 1];
  return stacks * rows * keys * (2.0 * (depth + width) + 5.0 * node->attr.attention.n_heads);
}

static double op_flops(const ee_model *model, const ee_node *node) {
  double out = elements(model, node->out);
  switch (node->op) {
    case EE_OP_CONV:
    case EE_OP_GEMM:
    case EE_OP_MATMUL:
      return 2.0 * out * depth(model, node);
    case EE_OP_MAX_POOL:
    case EE_OP_AVERAGE_POOL:
      return out * window_elements(&node->attr.window);
    case EE_OP_GLOBAL_AVERAGE_POOL:
    case EE_OP_REDUCE_MEAN:
      return elements(model, node->in[0]);
    case EE_OP_BATCH_NORM:
      return 2.0 * out;
    case EE_OP_ADD:
    case EE_OP_MUL:
    case EE_OP_SUB:
    case EE_OP_DIV:
    case EE_OP_POW:
      return out;
    case EE_OP_SOFTMAX:
    case EE_OP_LOG_SOFTMAX:
    case EE_OP_LAYER_NORM:
      return 5.0 * out;
    case EE_OP_ATTENTION:
      return attention_flops(model, node);
    default:
      return 0.0;  // moves data only; an activation is counted where it is applied
  }
}

double ee_node_flops(const ee_model *model, const ee_node *node) {
  double act = node->act.kind == EE_ACT_NONE ? 0.0 : elements(model, node->out);
  return op_flops(model, node) + act;
}

static ee_status count_weight_bytes(ee_model *model, int layer) {
  int *list, n;
  EE_TRY(ee_model_layer_constants(model, layer, &list, &n));
  size_t bytes    = 0;
  bool   overflow = false;
  for (int i = 0; i < n; i++) {
    size_t more = (size_t)ee_model_value_elements(model, list[i]) * sizeof(float);
    overflow |= __builtin_add_overflow(bytes, more, &bytes);
  }
  free(list);
  if (overflow) {
    return EE_FAIL(EE_ERR_FORMAT, "layer '%s' has more weights than can be addressed",
                   model->layer[layer].name);
  }
  model->layer[layer].weight_bytes = bytes;
  return EE_OK;
}

ee_status ee_graph_costs(ee_model *model) {
  free(model->head_flops);
  model->head_flops = calloc((size_t)model->n_exits, sizeof *model->head_flops);
  if (model->head_flops == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %d exits", model->n_exits);
  }
  for (const ee_node *node = model->node; node < model->node + model->n_nodes; node++) {
    double flops = ee_node_flops(model, node);
    if (node->layer >= 0) model->layer[node->layer].flops += flops;
    if (node->exit >= 0) model->head_flops[node->exit] += flops;
  }
  for (int layer = 0; layer < model->n_layers; layer++) EE_TRY(count_weight_bytes(model, layer));
  return EE_OK;
}
