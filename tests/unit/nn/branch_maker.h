/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "graph_maker.h"

/** @file branch_maker.h  Networks of branches that are joined after each stage, as DistrEE's are.
 */

typedef enum { MAKER_MEAN, MAKER_CONCAT, MAKER_CROOKED } maker_join;

enum { MAKER_FEATURES = 6 };

/* A factor for every element. */
static inline int maker_times(ee_model *m, const char *name, int x, float factor) {
  char constant[64];
  snprintf(constant, sizeof constant, "%.40s.factor", name);
  int c               = maker_constant(m, constant, SHAPE(1));
  m->value[c].data[0] = factor;
  return maker_node(m, EE_OP_MUL, name, x, c, -1, m->value[x].shape)->out;
}

static inline int maker_concat(ee_model *m, const char *name, const int *x, int n) {
  int64_t  columns = n * m->value[x[0]].shape.dim[1];
  ee_node *node    = maker_node(m, EE_OP_CONCAT, name, x[0], -1, -1, SHAPE(1, columns));
  node->n_in       = n;
  for (int i = 0; i < n; i++) node->in[i] = x[i];
  node->attr.along.axis = 1;
  return node->out;
}

/* One feature of several: their mean, all side by side, or a mean with a bend in it. */
static inline int maker_joined(ee_model *m, maker_join join, const char *name, const int *x,
                               int n) {
  char step[64];
  if (join == MAKER_CONCAT) return maker_concat(m, name, x, n);
  int sum = x[0];
  for (int i = 1; i < n; i++) {
    snprintf(step, sizeof step, "%.40s.add%d", name, i);
    sum = maker_add(m, step, sum, x[i]);
    if (join == MAKER_CROOKED && i == 1) sum = maker_relu(m, "bend", sum);
  }
  return maker_times(m, name, sum, 1.0f / (float)n);
}

/* A number that says how two successive features differ. */
static inline void maker_difference_score(ee_model *m, int now, int before) {
  ee_exit *e = &m->exit[m->n_exits - 1];
  char     minus[32], size[32];
  snprintf(minus, sizeof minus, "%.12s.minus", e->name);
  snprintf(size, sizeof size, "%.12s.size", e->name);
  int d        = maker_node(m, EE_OP_SUB, minus, now, before, -1, m->value[now].shape)->out;
  e->score     = maker_gemm(m, size, d, 1);
  e->has_score = true;
}

/* Not finished: @p lanes branches with @p stages stages each behind a layer of their own, the last
 * exit behind the last stage. */
static inline ee_model *maker_branches(int lanes, int stages, maker_join join) {
  enum { MOST = 8 };
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       at[MOST], feature[MOST], before = -1;
  char      name[32];
  for (int k = 0; k < lanes; k++) at[k] = m->input;
  for (int s = 0; s < stages; s++) {
    for (int k = 0; k < lanes; k++) {
      for (int i = 0; i < 1 + k % 2; i++) {  // branches differ
        snprintf(name, sizeof name, "b%d.s%d.%d", k, s, i);
        at[k] = maker_relu(m, name, maker_conv(m, name, at[k]));
      }
      snprintf(name, sizeof name, "b%d.p%d", k, s);
      feature[k] = maker_gemm(m, name, maker_flatten(m, name, at[k]), MAKER_FEATURES);
    }
    snprintf(name, sizeof name, "fuse%d", s);
    int fused = maker_joined(m, join, name, feature, lanes);
    snprintf(name, sizeof name, "exit%d", s);
    maker_exit(m, name, maker_gemm(m, name, fused, m->n_classes));
    if (s > 0 && s < stages - 1) maker_difference_score(m, fused, before);
    before = fused;
  }
  return m;
}
