/* SPDX-License-Identifier: Apache-2.0 */
/* Which layer or head each node belongs to, where heads are attached, and the order of nodes. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

enum { NO_EXIT = -1, TRUNK = -2 };

/* What a value leads to. */
typedef struct leads {
  int exit;   // the only exit; NO_EXIT: none; TRUNK: the last exit or more than one
  int least;  // the first of the exits; INT_MAX: none
} leads;

static void join(leads *to, leads from) {
  if (to->exit == NO_EXIT) {
    to->exit = from.exit;
  } else if (from.exit != NO_EXIT && from.exit != to->exit) {
    to->exit = TRUNK;
  }
  if (to->least > from.least) to->least = from.least;
}

/* One sweep against the order of the nodes; a value's readers are all seen before its maker. */
static void find_leads(const ee_model *model, leads *to) {
  int last = model->n_exits - 1;
  for (int v = 0; v < model->n_values; v++) to[v] = (leads){NO_EXIT, INT_MAX};
  for (int e = 0; e <= last; e++) {
    to[model->exit[e].logits] = (leads){e == last ? TRUNK : e, e};
    if (model->exit[e].has_score) to[model->exit[e].score] = (leads){e, e};
  }
  for (int n = model->n_nodes - 1; n >= 0; n--) {
    const ee_node *node = &model->node[n];
    for (int i = 0; i < node->n_in; i++) {
      if (ee_node_reads_activation(model, node, i)) join(&to[node->in[i]], to[node->out]);
    }
  }
}

static ee_status check_leads(const ee_model *model, const leads *to) {
  for (int n = 0; n < model->n_nodes; n++) {
    if (to[model->node[n].out].exit != NO_EXIT) continue;
    return EE_FAIL(EE_ERR_FORMAT, "no exit needs node '%s' (%s); leave it out of the model",
                   model->node[n].name, ee_op_name(model->node[n].op));
  }
  if (to[model->input].exit == NO_EXIT) {
    return EE_FAIL(EE_ERR_FORMAT, "no exit depends on the input '%s'",
                   model->value[model->input].name);
  }
  for (int e = 0; e < model->n_exits; e++) {
    const ee_exit *exit  = &model->exit[e];
    int            early = to[exit->logits].least;
    if (exit->has_score && early == e) early = to[exit->score].least;
    if (early == e) continue;
    return EE_FAIL(EE_ERR_FORMAT, "exit '%s' is computed from exit '%s' and must stand after it",
                   model->exit[early].name, exit->name);
  }
  return EE_OK;
}

bool ee_node_has_weights(const ee_model *model, const ee_node *node) {
  if (node->op == EE_OP_GATHER) return ee_node_reads_constant(model, node, 0);
  bool may = node->op == EE_OP_CONV || node->op == EE_OP_GEMM || node->op == EE_OP_MATMUL ||
             node->op == EE_OP_BATCH_NORM;
  for (int i = 0; may && i < node->n_in; i++) {
    if (ee_node_reads_constant(model, node, i)) return true;
  }
  return false;
}

/* Nodes in front of the first weights join layer 0.  @p opener: shape [n_nodes], the node that
 * opens each layer; -1 if a model without weights has none. */
static int assign_nodes(ee_model *model, const leads *to, int *opener) {
  int n_layers = 0;
  opener[0]    = -1;
  for (int n = 0; n < model->n_nodes; n++) {
    ee_node *node = &model->node[n];
    int      exit = to[node->out].exit;
    if (exit == TRUNK && ee_node_has_weights(model, node)) opener[n_layers++] = n;
    node->layer = exit != TRUNK ? -1 : n_layers > 0 ? n_layers - 1 : 0;
    node->exit  = exit != TRUNK ? exit : -1;
  }
  return n_layers > 0 ? n_layers : 1;
}

/* @p made_in: shape [n_values], layer that makes each value; -1: input, constant or in a head. */
static void attach_exits(ee_model *model, int *made_in) {
  int last = model->n_exits - 1;
  for (int v = 0; v < model->n_values; v++) made_in[v] = -1;
  for (int n = 0; n < model->n_nodes; n++) made_in[model->node[n].out] = model->node[n].layer;
  for (int e = 0; e <= last; e++) {
    ee_exit *exit  = &model->exit[e];
    int      layer = made_in[exit->logits];
    if (exit->has_score && layer < made_in[exit->score]) layer = made_in[exit->score];
    exit->attach = e == last ? model->n_layers - 1 : layer > 0 ? layer : 0;
  }
  for (const ee_node *node = model->node; node < model->node + model->n_nodes; node++) {
    if (node->exit < 0) continue;
    ee_exit *e = &model->exit[node->exit];
    for (int i = 0; i < node->n_in; i++) {
      int layer = node->in[i] >= 0 ? made_in[node->in[i]] : -1;
      if (e->attach < layer) e->attach = layer;
    }
  }
}

/* Something to be sorted: by place, then as it stood. */
typedef struct sort_key {
  int place, turn, old;
} sort_key;

static int compare_keys(const void *a, const void *b) {
  const sort_key *x = a, *y = b;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  if (x->turn != y->turn) return x->turn < y->turn ? -1 : 1;
  return (x->old > y->old) - (x->old < y->old);
}

static ee_status sort_exits(ee_model *model) {
  size_t    n    = (size_t)model->n_exits;
  sort_key *key  = calloc(n, sizeof *key);
  ee_exit  *exit = calloc(n, sizeof *exit);
  double   *time = calloc(n, sizeof *time);
  int      *now  = calloc(n, sizeof *now);
  if (key == NULL || exit == NULL || time == NULL || now == NULL) {
    free(key);
    free(exit);
    free(time);
    free(now);
    return EE_FAIL(EE_ERR_NOMEM, "for %d exits", model->n_exits);
  }
  for (int e = 0; e < model->n_exits; e++) key[e] = (sort_key){model->exit[e].attach, 0, e};
  qsort(key, n, sizeof *key, compare_keys);
  for (int e = 0; e < model->n_exits; e++) {
    exit[e]         = model->exit[key[e].old];
    time[e]         = model->head_seconds != NULL ? model->head_seconds[key[e].old] : 0.0;
    now[key[e].old] = e;
    if (exit[e].temperature == 0.0f) exit[e].temperature = 1.0f;
  }
  for (int i = 0; i < model->n_nodes; i++) {
    if (model->node[i].exit >= 0) model->node[i].exit = now[model->node[i].exit];
  }
  free(key);
  free(now);
  free(model->exit);
  free(model->head_seconds);
  model->exit         = exit;
  model->head_seconds = time;
  return EE_OK;
}

/* Layers in order, each followed by its heads.  A head needs only its own nodes and layers up to
 * its own, so the order stays topological. */
static ee_status sort_nodes(ee_model *model) {
  size_t    n    = (size_t)model->n_nodes;
  sort_key *key  = calloc(n + 1, sizeof *key);
  ee_node  *node = calloc(n + 1, sizeof *node);
  if (key == NULL || node == NULL) {
    free(key);
    free(node);
    return EE_FAIL(EE_ERR_NOMEM, "for %d nodes", model->n_nodes);
  }
  for (int i = 0; i < model->n_nodes; i++) {
    key[i] = (sort_key){ee_node_owner(model, &model->node[i]), model->node[i].exit, i};
  }
  qsort(key, n, sizeof *key, compare_keys);
  for (int i = 0; i < model->n_nodes; i++) node[i] = model->node[key[i].old];
  free(key);
  free(model->node);
  model->node = node;
  return EE_OK;
}

/* Profiled seconds that are there already stay if they are of as many layers. */
static ee_status make_layers(ee_model *model, int n_layers, const int *opener) {
  ee_layer *layer = calloc((size_t)n_layers, sizeof *layer);
  if (layer == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d layers", n_layers);
  bool keep = model->layer != NULL && model->n_layers == n_layers;
  for (int l = 0; l < n_layers; l++) {
    const char *name = opener[l] >= 0 ? model->node[opener[l]].name : model->name;
    memcpy(layer[l].name, name, EE_NAME_BYTES);
    if (name[0] == '\0') snprintf(layer[l].name, EE_NAME_BYTES, "layer %d", l);
    if (keep) layer[l].seconds = model->layer[l].seconds;
  }
  free(model->layer);
  model->layer    = layer;
  model->n_layers = n_layers;
  return EE_OK;
}

/* With scratch memory for both: @p to of all values, @p index of all values or nodes. */
static ee_status find_layers(ee_model *model, leads *to, int *index) {
  find_leads(model, to);
  EE_TRY(check_leads(model, to));
  int n_layers = assign_nodes(model, to, index);
  EE_TRY(make_layers(model, n_layers, index));
  attach_exits(model, index);
  EE_TRY(sort_exits(model));
  return sort_nodes(model);
}

ee_status ee_graph_layers(ee_model *model) {
  int    larger = model->n_values > model->n_nodes ? model->n_values : model->n_nodes;
  leads *to     = calloc((size_t)model->n_values, sizeof *to);
  int   *index  = calloc((size_t)larger, sizeof *index);

  ee_status status = EE_OK;
  if (to == NULL || index == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for %d values", model->n_values);
  } else {
    status = find_layers(model, to, index);
  }
  free(to);
  free(index);
  return status;
}
