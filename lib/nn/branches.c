/* SPDX-License-Identifier: Apache-2.0 */
#include "branches.h"

#include <stdlib.h>
#include <string.h>

#include "graph.h"

enum { MOST_ROOTS = 64 };

typedef uint64_t roots;  // a set of nodes that read the value where branches begin

/* Branches as they begin at one value. */
typedef struct fork {
  const ee_model *model;
  int             value;
  int             n_roots;
  int             of_root[MOST_ROOTS];  // branch
  int             n_lanes;
  roots          *from;  // shape [n_values]: what it depends on
  double         *work;  // shape [MOST_ROOTS]: of each branch [FLOP]
} fork;

static bool reads(const ee_model *model, const ee_node *node, int v) {
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] == v && ee_node_reads_activation(model, node, i)) return true;
  }
  return false;
}

/* False if more nodes read the value than can be told apart. */
static bool spread_roots(fork *f) {
  const ee_model *m = f->model;
  memset(f->from, 0, (size_t)m->n_values * sizeof *f->from);
  f->n_roots = 0;
  for (int k = 0; k < m->n_nodes; k++) {
    const ee_node *node = &m->node[k];
    roots          all  = 0;
    for (int i = 0; i < node->n_in; i++) all |= node->in[i] >= 0 ? f->from[node->in[i]] : 0;
    if (reads(m, node, f->value)) {
      if (f->n_roots == MOST_ROOTS) return false;
      all |= (roots)1 << f->n_roots++;
    }
    f->from[node->out] = all;
  }
  return true;
}

/* Branches of the roots in @p set, as a set. */
static roots lanes_of(const fork *f, roots set) {
  roots lanes = 0;
  for (int r = 0; r < f->n_roots; r++) {
    if (set >> r & 1) lanes |= (roots)1 << f->of_root[r];
  }
  return lanes;
}

static int count(roots set) {
  return __builtin_popcountll(set);
}

/* The branches of @p lanes become the first of them. */
static void merge(fork *f, roots lanes) {
  int first = __builtin_ctzll(lanes);
  for (int r = 0; r < f->n_roots; r++) {
    if (lanes >> f->of_root[r] & 1) f->of_root[r] = first;
  }
}

/* Until every node that has weights depends on one branch or on all: what adds up some branches on
 * the way to all has none.  Branches are then numbered from 0 on. */
static void settle(fork *f) {
  roots all     = 0;
  bool  changed = true;
  for (int r = 0; r < f->n_roots; r++) f->of_root[r] = r;
  while (changed) {
    changed = false;
    all     = lanes_of(f, f->n_roots == MOST_ROOTS ? ~(roots)0 : ((roots)1 << f->n_roots) - 1);
    for (int k = 0; k < f->model->n_nodes && !changed; k++) {
      const ee_node *node = &f->model->node[k];
      roots lanes = ee_node_has_weights(f->model, node) ? lanes_of(f, f->from[node->out]) : 0;
      changed     = count(lanes) > 1 && lanes != all;
      if (changed) merge(f, lanes);
    }
  }
  f->n_lanes = count(all);
  for (int r = 0; r < f->n_roots; r++) {
    f->of_root[r] = count(all & (((roots)1 << f->of_root[r]) - 1));
  }
}

/* Branch of a node, or where else it lies. */
static int lane_of(const fork *f, const ee_node *node) {
  roots lanes = lanes_of(f, f->from[node->out]);
  if (lanes == 0) return EE_BEFORE_BRANCHES;
  return count(lanes) > 1 ? EE_BEHIND_BRANCHES : __builtin_ctzll(lanes);
}

static bool exits_join(const fork *f) {
  for (int e = 0; e < f->model->n_exits; e++) {
    roots lanes = lanes_of(f, f->from[f->model->exit[e].logits]);
    if (count(lanes) != f->n_lanes) return false;
  }
  return true;
}

/* Operations of all branches; 0 if these are none, or one has no operations. */
static double work_of(fork *f) {
  double total = 0.0;
  if (!spread_roots(f) || f->n_roots < 2) return 0.0;
  settle(f);
  if (f->n_lanes < 2 || !exits_join(f)) return 0.0;
  memset(f->work, 0, MOST_ROOTS * sizeof *f->work);
  for (int k = 0; k < f->model->n_nodes; k++) {
    int lane = lane_of(f, &f->model->node[k]);
    if (lane >= 0) f->work[lane] += ee_node_flops(f->model, &f->model->node[k]);
  }
  for (int l = 0; l < f->n_lanes; l++) {
    if (f->work[l] <= 0.0) return 0.0;
    total += f->work[l];
  }
  return total;
}

static double work_of_model(const ee_model *model) {
  double total = 0.0;
  for (int k = 0; k < model->n_nodes; k++) total += ee_node_flops(model, &model->node[k]);
  return total;
}

/* Value where the branches with the most work begin; -1 if less than half of the model's is in any:
 * a shortcut beside a block is no branch. */
static int best_value(fork *f) {
  double most = 0.5 * work_of_model(f->model);
  int    best = -1;
  for (int v = 0; v < f->model->n_values; v++) {
    if (f->model->value[v].kind == EE_VALUE_CONSTANT) continue;
    f->value    = v;
    double work = work_of(f);
    if (work > most) {
      most = work;
      best = v;
    }
  }
  return best;
}

ee_status ee_find_branches(const ee_model *model, int *lane, int *n_lanes) {
  fork f     = {.model = model,
                .from  = calloc((size_t)model->n_values, sizeof *f.from),
                .work  = calloc(MOST_ROOTS, sizeof *f.work)};
  *n_lanes   = 0;
  bool there = f.from != NULL && f.work != NULL;
  f.value    = there ? best_value(&f) : -1;
  if (f.value >= 0) {
    work_of(&f);
    *n_lanes = f.n_lanes;
    for (int k = 0; k < model->n_nodes; k++) lane[k] = lane_of(&f, &model->node[k]);
  }
  free(f.from);
  free(f.work);
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %d values", model->n_values);
}
