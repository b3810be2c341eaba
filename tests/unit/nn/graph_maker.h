/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/model.h"
#include "ee/rng.h"

/**
 * @file graph_maker.h
 * Small graphs for tests: every function adds one value or node and gives back the value's index.
 * Names are what the test says, weights are random.  The graph is not finished.
 */

enum { MAKER_ROOM = 512 };  // values and nodes that a graph can have

#define SHAPE(...) maker_shape((const int64_t[]){__VA_ARGS__, -1})

static inline ee_shape maker_shape(const int64_t *dim) {
  ee_shape shape = {.rank = 0};
  while (dim[shape.rank] >= 0) {
    shape.dim[shape.rank] = dim[shape.rank];
    shape.rank++;
  }
  return shape;
}

static inline int maker_value(ee_model *m, const char *name, ee_value_kind kind, ee_shape shape) {
  ee_value *value = &m->value[m->n_values];
  snprintf(value->name, sizeof value->name, "%s", name);
  value->kind  = kind;
  value->shape = shape;
  return m->n_values++;
}

static inline ee_model *maker_begin(int n_classes, ee_shape input) {
  ee_model *m = calloc(1, sizeof *m);
  if (m == NULL) abort();
  m->value = calloc(MAKER_ROOM, sizeof *m->value);
  m->node  = calloc(MAKER_ROOM, sizeof *m->node);
  m->exit  = calloc(MAKER_ROOM, sizeof *m->exit);
  if (m->value == NULL || m->node == NULL || m->exit == NULL) abort();
  m->batched   = true;
  m->n_classes = n_classes;
  m->input     = maker_value(m, "input", EE_VALUE_INPUT, input);
  snprintf(m->name, sizeof m->name, "net");
  return m;
}

/* Weights in [-1/2, 1/2), the same for the same model and position. */
static inline int maker_constant(ee_model *m, const char *name, ee_shape shape) {
  int     v   = maker_value(m, name, EE_VALUE_CONSTANT, shape);
  int64_t n   = ee_shape_elements(&shape);
  ee_rng  rng = ee_rng_at(11, (uint64_t)v);

  m->value[v].data = malloc((size_t)n * sizeof(float));
  if (m->value[v].data == NULL) abort();
  for (int64_t i = 0; i < n; i++) m->value[v].data[i] = (float)(ee_rng_uniform(&rng) - 0.5);
  return v;
}

static inline ee_node *maker_node(ee_model *m, ee_op op, const char *name, int a, int b, int c,
                                  ee_shape out) {
  ee_node *node = &m->node[m->n_nodes++];
  snprintf(node->name, sizeof node->name, "%s", name);
  node->op    = op;
  node->n_in  = c >= 0 ? 3 : b >= 0 ? 2 : 1;
  node->in[0] = a;
  node->in[1] = b;
  node->in[2] = c;
  node->out   = maker_value(m, name, EE_VALUE_ACTIVATION, out);
  return node;
}

/* 3 x 3, padded by 1, as many channels out as in; with the weights @p w. */
static inline int maker_conv_with(ee_model *m, const char *name, int x, int w) {
  ee_node *node     = maker_node(m, EE_OP_CONV, name, x, w, -1, m->value[x].shape);
  node->attr.window = (ee_window){.n_spatial  = 2,
                                  .kernel     = {3, 3},
                                  .stride     = {1, 1},
                                  .dilation   = {1, 1},
                                  .pad_before = {1, 1},
                                  .pad_after  = {1, 1},
                                  .groups     = 1};
  return node->out;
}

static inline int maker_conv(ee_model *m, const char *name, int x) {
  char    weight[EE_NAME_BYTES];
  int64_t c = m->value[x].shape.dim[1];
  snprintf(weight, sizeof weight, "%s.w", name);
  return maker_conv_with(m, name, x, maker_constant(m, weight, SHAPE(c, c, 3, 3)));
}

static inline int maker_relu(ee_model *m, const char *name, int x) {
  ee_node *node = maker_node(m, EE_OP_ACTIVATION, name, x, -1, -1, m->value[x].shape);
  node->act     = (ee_activation){.kind = EE_ACT_RELU};
  return node->out;
}

static inline int maker_add(ee_model *m, const char *name, int a, int b) {
  return maker_node(m, EE_OP_ADD, name, a, b, -1, m->value[a].shape)->out;
}

static inline int maker_flatten(ee_model *m, const char *name, int x) {
  int64_t n = ee_shape_product(&m->value[x].shape, 1, m->value[x].shape.rank);
  return maker_node(m, EE_OP_RESHAPE, name, x, -1, -1, SHAPE(1, n))->out;
}

/* [1, k] times [k, n], plus a bias. */
static inline int maker_gemm(ee_model *m, const char *name, int x, int n) {
  char weight[EE_NAME_BYTES], bias[EE_NAME_BYTES];
  snprintf(weight, sizeof weight, "%s.w", name);
  snprintf(bias, sizeof bias, "%s.b", name);
  int      w            = maker_constant(m, weight, SHAPE(m->value[x].shape.dim[1], n));
  int      b            = maker_constant(m, bias, SHAPE(n));
  ee_node *node         = maker_node(m, EE_OP_GEMM, name, x, w, b, SHAPE(1, n));
  node->attr.gemm.alpha = 1.0f;
  node->attr.gemm.beta  = 1.0f;
  return node->out;
}

static inline void maker_exit(ee_model *m, const char *name, int logits) {
  ee_exit *e = &m->exit[m->n_exits++];
  snprintf(e->name, sizeof e->name, "%s", name);
  e->logits = logits;
}

/* Flatten and a linear classifier, as an exit of this name. */
static inline void maker_head(ee_model *m, const char *name, int x) {
  char flat[EE_NAME_BYTES];
  snprintf(flat, sizeof flat, "%s.flat", name);
  maker_exit(m, name, maker_gemm(m, name, maker_flatten(m, flat, x), m->n_classes));
}

/* A linear score, of one number, of the newest exit. */
static inline void maker_score(ee_model *m, int x) {
  ee_exit *e = &m->exit[m->n_exits - 1];
  char     flat[32], score[24];
  snprintf(flat, sizeof flat, "%.12s.score.flat", e->name);
  snprintf(score, sizeof score, "%.12s.score", e->name);
  e->score     = maker_gemm(m, score, maker_flatten(m, flat, x), 1);
  e->has_score = true;
}

static inline const ee_node *maker_find(const ee_model *m, const char *name) {
  for (int i = 0; i < m->n_nodes; i++) {
    if (strcmp(m->node[i].name, name) == 0) return &m->node[i];
  }
  return NULL;
}

static inline bool maker_is_ready(const ee_model *m, const ee_node *node, const bool *made) {
  for (int i = 0; i < node->n_in; i++) {
    int v = node->in[i];
    if (v >= 0 && m->value[v].kind == EE_VALUE_ACTIVATION && !made[v]) return false;
  }
  return true;
}

/* Put nodes in a random order that is topological, and early exits in any order. */
static inline void maker_shuffle(ee_model *m, ee_rng *rng) {
  bool     made[MAKER_ROOM] = {false}, taken[MAKER_ROOM] = {false};
  ee_node *node = calloc(MAKER_ROOM, sizeof *node);
  if (node == NULL) abort();
  for (int n = 0; n < m->n_nodes;) {
    int i = (int)ee_rng_below(rng, (uint64_t)m->n_nodes);
    if (taken[i] || !maker_is_ready(m, &m->node[i], made)) continue;
    taken[i]             = true;
    made[m->node[i].out] = true;
    node[n++]            = m->node[i];
  }
  free(m->node);
  m->node = node;
  for (int e = m->n_exits - 2; e > 0; e--) {
    int     other  = (int)ee_rng_below(rng, (uint64_t)e + 1);
    ee_exit swap   = m->exit[e];
    m->exit[e]     = m->exit[other];
    m->exit[other] = swap;
  }
}

/* A score of the newest exit that reads @p x, @p other or the logits; or none. */
static inline void maker_random_score(ee_model *m, int x, int other, ee_rng *rng) {
  const int from[] = {x, other, m->exit[m->n_exits - 1].logits};
  uint64_t  pick   = ee_rng_below(rng, 4);
  if (pick < 3) maker_score(m, from[pick]);
}

/* A head on @p x, or on the sum of @p x and @p other. */
static inline void maker_random_head(ee_model *m, const char *name, int x, int other, ee_rng *rng) {
  char both[EE_NAME_BYTES];
  snprintf(both, sizeof both, "%s.both", name);
  maker_head(m, name, ee_rng_below(rng, 2) == 0 ? x : maker_add(m, both, x, other));
}

/**
 * A random residual net of 3 x 3 convolutions on [1, 2, 4, 4] with 3 classes: skips over any number
 * of layers, activations as nodes of their own, tied weights, weightless nodes in front, and exits
 * whose heads read one or two values and may have a score.  Nodes stand in random topological
 * order.
 */
static inline ee_model *maker_random(uint64_t seed) {
  ee_rng    rng = ee_rng_at(seed, 0), scores = ee_rng_at(seed, 1);
  ee_model *m        = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       seen[32] = {m->input}, n = 1, weights = -1;
  if (ee_rng_below(&rng, 3) == 0) seen[n++] = maker_relu(m, "front", m->input);
  for (int i = 0, layers = 3 + (int)ee_rng_below(&rng, 6); i < layers; i++) {
    char name[32];
    int  x = seen[n - 1], from = seen[ee_rng_below(&rng, (uint64_t)n)];
    bool tied = weights >= 0 && ee_rng_below(&rng, 4) == 0;
    snprintf(name, sizeof name, "conv%d", i);
    x       = tied ? maker_conv_with(m, name, x, weights) : maker_conv(m, name, x);
    weights = m->node[m->n_nodes - 1].in[1];
    snprintf(name, sizeof name, "add%d", i);
    if (ee_rng_below(&rng, 2) == 0) x = maker_add(m, name, x, from);
    snprintf(name, sizeof name, "relu%d", i);
    if (ee_rng_below(&rng, 2) == 0) x = maker_relu(m, name, x);
    snprintf(name, sizeof name, "exit%d", i);
    if (i + 1 < layers && ee_rng_below(&rng, 3) > 0) {
      maker_random_head(m, name, x, from, &rng);
      maker_random_score(m, x, from, &scores);
    }
    seen[n++] = x;
  }
  maker_head(m, "final", seen[n - 1]);
  maker_shuffle(m, &rng);
  return m;
}
