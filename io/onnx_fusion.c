/* SPDX-License-Identifier: Apache-2.0 */
/* Who makes and who reads each value, while several nodes become one. */
#include "onnx_fusion.h"

#include <math.h>
#include <stdlib.h>

#define REMOVED EE_OP_COUNT

ee_status ee_onnx_fusion_open(onnx_fusion *f, onnx_graph *g) {
  *f          = (onnx_fusion){.g = g, .n = g->n_values};
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

/* The nodes that stay and the inserted ones, in order; *merged is the caller's. */
static ee_status merge(const onnx_fusion *f, ee_node **merged, int *n) {
  const onnx_graph *g    = f->g;
  size_t            most = (size_t)g->n_nodes + (size_t)f->n_inserted;
  ee_node          *node = malloc((most > 0 ? most : 1) * sizeof *node);
  if (node == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu nodes", most);
  *merged = node;
  *n      = 0;
  for (int i = 0, next = 0; i < g->n_nodes; i++) {
    while (next < f->n_inserted && f->before[next] == i) node[(*n)++] = f->inserted[next++];
    if (!ee_onnx_is_removed(&g->node[i])) node[(*n)++] = g->node[i];
  }
  return EE_OK;
}

ee_status ee_onnx_fusion_close(onnx_fusion *f) {
  ee_node  *merged = NULL;
  int       n      = 0;
  ee_status status = merge(f, &merged, &n);
  if (status == EE_OK) {
    free(f->g->node);
    f->g->node       = merged;
    f->g->n_nodes    = n;
    f->g->node_space = n > 0 ? n : 1;
  }
  free(f->uses);
  free(f->producer);
  free(f->inserted);
  free(f->before);
  *f = (onnx_fusion){0};
  return status;
}

bool ee_onnx_is_removed(const ee_node *node) {
  return node->op == REMOVED;
}

void ee_onnx_remove(ee_node *node) {
  node->op = REMOVED;
}

/* The node that makes @p v and was there before; NULL if none does. */
static ee_node *producer_of(const onnx_fusion *f, int v) {
  return v >= 0 && v < f->n && f->producer[v] >= 0 ? &f->g->node[f->producer[v]] : NULL;
}

ee_node *ee_onnx_maker(const onnx_fusion *f, int v) {
  ee_node *node  = producer_of(f, v);
  bool     there = node != NULL && !ee_onnx_is_removed(node);
  return there && node->act.kind == EE_ACT_NONE ? node : NULL;
}

ee_node *ee_onnx_made_by(const onnx_fusion *f, int v, ee_op op) {
  ee_node *node = producer_of(f, v);
  return node != NULL && node->op == op && node->act.kind == EE_ACT_NONE ? node : NULL;
}

ee_node *ee_onnx_made_by_function(const onnx_fusion *f, int v, ee_act act) {
  ee_node *node = producer_of(f, v);
  return node != NULL && node->op == EE_OP_ACTIVATION && node->act.kind == act ? node : NULL;
}

ee_node *ee_onnx_sole_producer(const onnx_fusion *f, int v) {
  ee_node *node = producer_of(f, v);
  bool     sole = node != NULL && f->uses[v] == 1 && !ee_onnx_is_removed(node);
  return sole && node->act.kind == EE_ACT_NONE ? node : NULL;
}

/* The number that @p v is; false if it is none. */
static bool number_of(const onnx_fusion *f, int v, float *number) {
  if (v < 0) return false;
  const onnx_value *value = &f->g->value[v];
  bool              one = value->kind == EE_VALUE_CONSTANT && ee_shape_elements(&value->at[0]) == 1;
  if (!one || value->data == NULL) return false;
  *number = value->data[0];
  return true;
}

int ee_onnx_number_input(const onnx_fusion *f, const ee_node *node, float *number) {
  float first, second;
  bool  is_first  = number_of(f, node->in[0], &first);
  bool  is_second = number_of(f, node->in[1], &second);
  if (is_first == is_second) return -1;
  *number = is_first ? first : second;
  return is_first ? 0 : 1;
}

bool ee_onnx_is_number(const onnx_fusion *f, int v, double number) {
  float x;
  return number_of(f, v, &x) && fabs((double)x - number) <= 1e-6 * fabs(number);
}

const ee_shape *ee_onnx_shape_of(const onnx_fusion *f, int v) {
  return &f->g->value[v].at[0];
}

static void count_uses(onnx_fusion *f, const ee_node *node, int more) {
  for (int k = 0; k < node->n_in; k++) {
    if (node->in[k] >= 0 && node->in[k] < f->n) f->uses[node->in[k]] += more;
  }
}

/* Remove nodes up to @p last that nobody reads any more; their inputs stand before them. */
static void remove_unread(onnx_fusion *f, int last) {
  for (int i = last; i >= 0; i--) {
    ee_node *node = &f->g->node[i];
    if (ee_onnx_is_removed(node) || f->uses[node->out] > 0) continue;
    count_uses(f, node, -1);
    ee_onnx_remove(node);
  }
}

void ee_onnx_replace(onnx_fusion *f, ee_node *node, const ee_node *with) {
  ee_node old = *node;
  *node       = *with;
  node->out   = old.out;
  count_uses(f, node, 1);
  count_uses(f, &old, -1);
  remove_unread(f, (int)(node - f->g->node) - 1);
}

static ee_status make_room(onnx_fusion *f) {
  if (f->n_inserted < f->space) return EE_OK;
  int      larger = f->space == 0 ? 16 : 2 * f->space;
  ee_node *node   = realloc(f->inserted, (size_t)larger * sizeof *node);
  if (node != NULL) f->inserted = node;
  int *before = realloc(f->before, (size_t)larger * sizeof *before);
  if (before != NULL) f->before = before;
  if (node == NULL || before == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d nodes", larger);
  f->space = larger;
  return EE_OK;
}

ee_status ee_onnx_insert(onnx_fusion *f, const ee_node *before, const ee_node *node,
                         const ee_shape *shape, int *v) {
  ee_shape at[2] = {*shape, *shape};
  EE_TRY(make_room(f));
  EE_TRY(ee_onnx_value_add(f->g, node->name, EE_VALUE_ACTIVATION,
                           ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, at, v));
  f->inserted[f->n_inserted]     = *node;
  f->inserted[f->n_inserted].out = *v;
  f->before[f->n_inserted++]     = (int)(before - f->g->node);
  count_uses(f, node, 1);
  return EE_OK;
}

static void rename_inputs(ee_node *node, int v, int instead) {
  for (int k = 0; k < node->n_in; k++) {
    if (node->in[k] == v) node->in[k] = instead;
  }
}

void ee_onnx_read_instead(onnx_fusion *f, int v, int instead) {
  onnx_graph *g    = f->g;
  int         made = f->producer[v];
  for (int i = made + 1; i < g->n_nodes; i++) rename_inputs(&g->node[i], v, instead);
  for (int i = 0; i < f->n_inserted; i++) rename_inputs(&f->inserted[i], v, instead);
  if (instead < f->n) f->uses[instead] += f->uses[v];
  f->uses[v] = 0;
  remove_unread(f, made);
}
