/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <float.h>
#include <math.h>

#include "ee/model.h"
#include "ee/rng.h"
#include "sealed.h"

/**
 * @file zoo.h
 * A model with every kind of attribute, filled in by hand: two exits, three layers.
 */

enum { CLASSES = 5, MAX_VALUES = 40, MAX_NODES = 20 };

static inline int add_value(ee_model *m, ee_value_kind kind, const char *name, ee_shape shape) {
  ee_value *value = &m->value[m->n_values];
  snprintf(value->name, sizeof value->name, "%s", name);
  value->kind  = kind;
  value->shape = shape;
  return m->n_values++;
}

/** Random bits of finite numbers, also of subnormal ones. */
static inline int add_constant(ee_model *m, const char *name, ee_shape shape) {
  int     v   = add_value(m, EE_VALUE_CONSTANT, name, shape);
  int64_t n   = ee_shape_elements(&shape);
  ee_rng  rng = ee_rng_at(7, (uint64_t)v);
  float  *x   = malloc((size_t)n * sizeof *x);
  CU_ASSERT_FATAL(x != NULL);
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)ee_rng_bits(&rng);
    memcpy(&x[i], &bits, sizeof bits);
    if (!isfinite(x[i])) x[i] = -FLT_MAX;
  }
  m->value[v].data = x;
  return v;
}

/** A node that reads @p n_in values, and the value it makes. */
static inline ee_node *add_node(ee_model *m, const char *name, ee_op op, const int *in, int n_in,
                                ee_shape shape) {
  ee_node *node = &m->node[m->n_nodes++];
  snprintf(node->name, sizeof node->name, "%s", name);
  node->op   = op;
  node->n_in = n_in;
  for (int i = 0; i < n_in; i++) node->in[i] = in[i];
  node->out = add_value(m, EE_VALUE_ACTIVATION, name, shape);
  return node;
}

#define IN(...) (const int[]){__VA_ARGS__}, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int))
#define SHAPE(...)                                       \
  (ee_shape) {                                           \
    (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), { \
      __VA_ARGS__                                        \
    }                                                    \
  }

/** Layer 0: convolution, pooling, normalisation in its own layer 1; returns what layer 1 makes. */
static inline int add_trunk(ee_model *m, int x) {
  int      w        = add_constant(m, "conv1/w: \xc3\xa4", SHAPE(4, 3, 3, 3));
  int      b        = add_constant(m, "conv1.b", SHAPE(4));
  ee_node *conv     = add_node(m, "conv1", EE_OP_CONV, IN(x, w, b), SHAPE(1, 4, 8, 8));
  conv->act         = (ee_activation){EE_ACT_LEAKY_RELU, 0.1f, 0.0f};
  conv->attr.window = (ee_window){2, {3, 3}, {1, 1}, {1, 1}, {1, 0}, {1, 2}, 1, false, false};

  ee_node *pool     = add_node(m, "pool", EE_OP_MAX_POOL, IN(conv->out), SHAPE(1, 4, 4, 4));
  pool->attr.window = (ee_window){2, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, 0, false, true};

  int      s = add_constant(m, "bn.scale", SHAPE(4)), o = add_constant(m, "bn.bias", SHAPE(4));
  int      u = add_constant(m, "bn.mean", SHAPE(4)), v = add_constant(m, "bn.var", SHAPE(4));
  ee_node *bn = add_node(m, "bn", EE_OP_BATCH_NORM, IN(pool->out, s, o, u, v), SHAPE(1, 4, 4, 4));
  bn->attr.batch_norm.epsilon = 1.1e-5f;
  return bn->out;
}

static inline int add_early_head(ee_model *m, int x) {
  ee_node *gap            = add_node(m, "gap", EE_OP_GLOBAL_AVERAGE_POOL, IN(x), SHAPE(1, 4, 1, 1));
  ee_node *flat           = add_node(m, "flat", EE_OP_RESHAPE, IN(gap->out), SHAPE(1, 4));
  int      w              = add_constant(m, "early.w", SHAPE(CLASSES, 4));
  ee_node *gemm           = add_node(m, "early", EE_OP_GEMM, IN(flat->out, w), SHAPE(1, CLASSES));
  gemm->attr.gemm.alpha   = 0.3f;
  gemm->attr.gemm.beta    = FLT_MIN;
  gemm->attr.gemm.trans_b = true;
  return gemm->out;
}

static inline int add_middle(ee_model *m, int x) {
  ee_node *pad            = add_node(m, "pad", EE_OP_PAD, IN(x), SHAPE(1, 4, 5, 5));
  pad->attr.pad.mode      = 2;
  pad->attr.pad.value     = -0.25f;
  pad->attr.pad.before[2] = pad->attr.pad.after[3] = 1;

  ee_node *mean     = add_node(m, "mean", EE_OP_AVERAGE_POOL, IN(pad->out), SHAPE(1, 4, 4, 4));
  mean->attr.window = (ee_window){2, {2, 2}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 0, true, false};

  ee_node *turn   = add_node(m, "turn", EE_OP_TRANSPOSE, IN(mean->out), SHAPE(1, 4, 4, 4));
  int      axis[] = {0, 2, 3, 1};
  memcpy(turn->attr.transpose.perm, axis, sizeof axis);

  ee_node *join         = add_node(m, "join", EE_OP_CONCAT, IN(turn->out, x), SHAPE(1, 8, 4, 4));
  join->attr.along.axis = 1;
  ee_node *clip         = add_node(m, "clip", EE_OP_ACTIVATION, IN(join->out), SHAPE(1, 8, 4, 4));
  clip->act             = (ee_activation){EE_ACT_CLIP, -INFINITY, 6.0f};
  return clip->out;
}

static inline int add_last(ee_model *m, int x) {
  ee_node *mean             = add_node(m, "squeeze", EE_OP_REDUCE_MEAN, IN(x), SHAPE(1, 8));
  mean->attr.reduce.axis[2] = mean->attr.reduce.axis[3] = true;
  ee_node *soft            = add_node(m, "soft", EE_OP_SOFTMAX, IN(mean->out), SHAPE(1, 8));
  soft->attr.along.axis    = 1;
  soft->attr.along.flatten = true;
  ee_shape one             = {.rank = 0};
  int      k               = add_constant(m, "scalar", one);
  ee_node *mul             = add_node(m, "mul", EE_OP_MUL, IN(soft->out, k), SHAPE(1, 8));
  int      w               = add_constant(m, "last.w", SHAPE(8, CLASSES));
  ee_node *last            = add_node(m, "last", EE_OP_MATMUL, IN(mul->out, w), SHAPE(1, CLASSES));
  last->act                = (ee_activation){EE_ACT_HARD_SIGMOID, 1.0f / 3.0f, 0.5f};
  return last->out;
}

/** A score of the first exit of a model that is filled in, from its logits; finish it again. */
static inline void add_score(ee_model *m) {
  int      w           = add_constant(m, "score.w", SHAPE(CLASSES, 1));
  ee_node *gemm        = add_node(m, "score", EE_OP_MATMUL, IN(m->exit[0].logits, w), SHAPE(1, 1));
  gemm->act            = (ee_activation){EE_ACT_SIGMOID, 0.0f, 0.0f};
  m->exit[0].has_score = true;
  m->exit[0].score     = gemm->out;
}

static inline void add_facts(ee_model *m) {
  static const char *const name[CLASSES] = {"ant", "bee", "cat", "dog with a long name", ""};
  snprintf(m->name, sizeof m->name, "zoo");
  m->provenance = strdup("by hand, for a test");
  m->n_classes  = CLASSES;
  m->class_name = calloc(CLASSES, sizeof *m->class_name);
  for (int k = 0; k < CLASSES; k++) m->class_name[k] = strdup(name[k]);
  m->preprocess =
      (ee_preprocess){3, 1.0f / 255, calloc(3, sizeof(float)), calloc(3, sizeof(float))};
  for (int c = 0; c < 3; c++) {
    m->preprocess.mean[c] = 0.1f * (float)(c + 1);
    m->preprocess.std[c]  = 0.7f / (float)(c + 3);
  }
}

static inline void profile(ee_model *m) {
  for (int l = 0; l < m->n_layers; l++) m->layer[l].seconds = 1e-3 / (l + 3);
  for (int e = 0; e < m->n_exits; e++) m->head_seconds[e] = 1e-5 / (e + 7);
  m->copy_seconds = 0.7e-10 / 3;
  for (int e = 0; e < m->n_exits; e++) m->exit[e].temperature = 1.3f + (float)e / 3.0f;
}

/** The model, finished; to be destroyed by the caller. */
static inline ee_model *make_model(void) {
  ee_model *m = calloc(1, sizeof *m);
  m->value    = calloc(MAX_VALUES, sizeof *m->value);
  m->node     = calloc(MAX_NODES, sizeof *m->node);
  m->exit     = calloc(2, sizeof *m->exit);
  m->batched  = true;
  m->n_exits  = 2;
  add_facts(m);
  m->input          = add_value(m, EE_VALUE_INPUT, "image", SHAPE(1, 3, 8, 8));
  int trunk         = add_trunk(m, m->input);
  m->exit[0].logits = add_early_head(m, trunk);
  m->exit[1].logits = add_last(m, add_middle(m, trunk));
  snprintf(m->exit[0].name, EE_NAME_BYTES, "early exit");
  snprintf(m->exit[1].name, EE_NAME_BYTES, "last exit");
  if (ee_model_finish(m) != EE_OK) CU_FAIL_FATAL(ee_status_message());
  profile(m);
  return m;
}
