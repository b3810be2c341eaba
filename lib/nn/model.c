/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a model, and its end. */
#include "ee/model.h"

#include <stdlib.h>
#include <string.h>

#include "graph.h"

static const char *const op_names[] = {
#define X(name, text) text,
    EE_OP_LIST(X)
#undef X
};

static const char *const act_names[] = {
#define X(name, text) text,
    EE_ACT_LIST(X)
#undef X
};

static int find_name(const char *const *names, int n, const char *name) {
  int i = 0;
  while (i < n && strcmp(names[i], name) != 0) i++;
  return i;
}

const char *ee_op_name(ee_op op) {
  return (unsigned)op < EE_OP_COUNT ? op_names[op] : "unknown operator";
}

const char *ee_act_name(ee_act act) {
  return (unsigned)act < EE_ACT_COUNT ? act_names[act] : "unknown activation";
}

ee_op ee_op_by_name(const char *name) {
  return (ee_op)find_name(op_names, EE_OP_COUNT, name);
}

ee_act ee_act_by_name(const char *name) {
  return (ee_act)find_name(act_names, EE_ACT_COUNT, name);
}

bool ee_model_has_scores(const ee_model *model) {
  for (int e = 0; e < model->n_exits; e++) {
    if (model->exit[e].has_score) return true;
  }
  return false;
}

int64_t ee_model_value_elements(const ee_model *model, int v) {
  return ee_shape_elements(&model->value[v].shape);
}

const int *ee_model_cut_values(const ee_model *model, int cut, int *n) {
  *n = model->cut_start[cut + 1] - model->cut_start[cut];
  return model->cut_value + model->cut_start[cut];
}

size_t ee_model_cut_bytes(const ee_model *model, int cut) {
  int        n;
  const int *value = ee_model_cut_values(model, cut, &n);
  size_t     bytes = 0;
  for (int i = 0; i < n; i++) {
    bytes += (size_t)ee_model_value_elements(model, value[i]) * sizeof(float);
  }
  return bytes;
}

int ee_node_owner(const ee_model *model, const ee_node *node) {
  return node->layer >= 0 ? node->layer : model->exit[node->exit].attach;
}

bool ee_node_reads_constant(const ee_model *model, const ee_node *node, int i) {
  return node->in[i] >= 0 && model->value[node->in[i]].kind == EE_VALUE_CONSTANT;
}

bool ee_node_reads_activation(const ee_model *model, const ee_node *node, int i) {
  return node->in[i] >= 0 && model->value[node->in[i]].kind != EE_VALUE_CONSTANT;
}

/* Index of the first node that is held with @p layer or a later one: nodes stand in that order. */
static int first_node(const ee_model *model, int layer) {
  int low = 0, high = model->n_nodes;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (ee_node_owner(model, &model->node[middle]) < layer) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void ee_graph_layer_starts(const ee_model *model, int *start) {
  for (int layer = 0; layer <= model->n_layers; layer++) start[layer] = first_node(model, layer);
}

/* Nodes of a layer stand before those of its heads, so one pass keeps the order of the blob. */
ee_status ee_model_layer_constants(const ee_model *model, int layer, int **list, int *n) {
  *list      = NULL;
  *n         = 0;
  bool *seen = calloc((size_t)model->n_values + 1, sizeof *seen);
  int  *all  = calloc((size_t)model->n_values + 1, sizeof *all);
  if (seen == NULL || all == NULL) {
    free(seen);
    free(all);
    return EE_FAIL(EE_ERR_NOMEM, "to list the constants of layer %d", layer);
  }
  int last = first_node(model, layer + 1);
  for (int k = first_node(model, layer); k < last; k++) {
    const ee_node *node = &model->node[k];
    for (int i = 0; i < node->n_in; i++) {
      if (!ee_node_reads_constant(model, node, i) || seen[node->in[i]]) continue;
      seen[node->in[i]] = true;
      all[(*n)++]       = node->in[i];
    }
  }
  free(seen);
  *list = all;
  return EE_OK;
}

static void destroy_class_names(ee_model *m) {
  for (int c = 0; m->class_name != NULL && c < m->n_classes; c++) free(m->class_name[c]);
  free(m->class_name);
}

void ee_model_destroy(ee_model **model) {
  ee_model *m = *model;
  if (m == NULL) return;
  for (int v = 0; m->value != NULL && v < m->n_values; v++) free(m->value[v].data);
  destroy_class_names(m);
  free(m->provenance);
  free(m->value);
  free(m->node);
  free(m->layer);
  free(m->exit);
  free(m->head_flops);
  free(m->head_seconds);
  free(m->preprocess.mean);
  free(m->preprocess.std);
  free(m->cut_start);
  free(m->cut_value);
  free(m);
  *model = NULL;
}
