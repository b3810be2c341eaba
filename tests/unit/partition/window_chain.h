/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include "ee/model.h"

/**
 * @file window_chain.h
 * Models that are a chain of convolutions, without weights in memory: for what depends on shapes
 * alone.  A classifier that mixes all rows ends each.
 */

enum { CHAIN_MOST = 32 };

/** A convolution, or a pooling if it has no channels; as wide as high. */
typedef struct chain_window {
  int channels, kernel, stride, pad;
} chain_window;

static inline int chain_value(ee_model *m, ee_value_kind kind, ee_shape shape) {
  ee_value *value = &m->value[m->n_values];
  snprintf(value->name, sizeof value->name, "value %d", m->n_values);
  value->kind  = kind;
  value->shape = shape;
  return m->n_values++;
}

static inline ee_node *chain_node(ee_model *m, ee_op op, int x, int w, ee_shape out) {
  ee_node *node = &m->node[m->n_nodes];
  snprintf(node->name, sizeof node->name, "node %d", m->n_nodes++);
  node->op    = op;
  node->n_in  = w >= 0 ? 2 : 1;
  node->in[0] = x;
  node->in[1] = w;
  node->out   = chain_value(m, EE_VALUE_ACTIVATION, out);
  return node;
}

static inline int chain_layer(ee_model *m, int x, chain_window c) {
  ee_shape in = m->value[x].shape, out = in;
  int      w = -1;
  for (int d = 2; d < 4; d++) out.dim[d] = (in.dim[d] + 2 * c.pad - c.kernel) / c.stride + 1;
  if (c.channels > 0) {
    out.dim[1] = c.channels;
    w          = chain_value(m, EE_VALUE_CONSTANT,
                             (ee_shape){4, {c.channels, in.dim[1], c.kernel, c.kernel}});
  }
  ee_node *node     = chain_node(m, w < 0 ? EE_OP_MAX_POOL : EE_OP_CONV, x, w, out);
  node->attr.window = (ee_window){.n_spatial  = 2,
                                  .kernel     = {c.kernel, c.kernel},
                                  .stride     = {c.stride, c.stride},
                                  .dilation   = {1, 1},
                                  .pad_before = {c.pad, c.pad},
                                  .pad_after  = {c.pad, c.pad},
                                  .groups     = 1};
  return node->out;
}

/** Finished; layers [0, convolutions) can be cut into bands. */
static inline ee_model *chain_make(int channels, int side, const chain_window *window, int n) {
  ee_model *m = calloc(1, sizeof *m);
  if (m == NULL) abort();
  m->value = calloc(3 * CHAIN_MOST, sizeof *m->value);
  m->node  = calloc(CHAIN_MOST, sizeof *m->node);
  m->exit  = calloc(1, sizeof *m->exit);
  if (m->value == NULL || m->node == NULL || m->exit == NULL) abort();
  m->batched   = true;
  m->n_classes = 2;
  m->n_exits   = 1;
  m->input     = chain_value(m, EE_VALUE_INPUT, (ee_shape){4, {1, channels, side, side}});
  int x        = m->input;
  for (int i = 0; i < n; i++) x = chain_layer(m, x, window[i]);
  x                     = chain_layer(m, x, (chain_window){1, 1, 1, 0});
  int64_t pixels        = ee_shape_elements(&m->value[x].shape);
  x                     = chain_node(m, EE_OP_RESHAPE, x, -1, (ee_shape){2, {1, pixels}})->out;
  int      w            = chain_value(m, EE_VALUE_CONSTANT, (ee_shape){2, {pixels, 2}});
  ee_node *gemm         = chain_node(m, EE_OP_GEMM, x, w, (ee_shape){2, {1, 2}});
  gemm->attr.gemm.alpha = 1.0F;
  m->exit[0].logits     = gemm->out;
  if (ee_model_finish(m) != EE_OK) abort();
  return m;
}
