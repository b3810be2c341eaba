/* SPDX-License-Identifier: Apache-2.0 */
/* From the graph to a model: nodes that nothing needs go, values are numbered anew, outputs become
 * exits. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/log.h"
#include "onnx_graph.h"

ee_status ee_onnx_prune(onnx_graph *g) {
  bool *needed = calloc((size_t)g->n_values, sizeof *needed);
  if (needed == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d values", g->n_values);
  for (int i = 0; i < g->n_outputs; i++) needed[g->output[i]] = true;
  for (int i = g->n_nodes - 1; i >= 0; i--) {
    const ee_node *node = &g->node[i];
    for (int k = 0; k < node->n_in && needed[node->out]; k++) {
      if (node->in[k] >= 0) needed[node->in[k]] = true;
    }
  }
  int kept = 0;
  for (int i = 0; i < g->n_nodes; i++) {
    if (needed[g->node[i].out]) g->node[kept++] = g->node[i];
  }
  if (kept < g->n_nodes) ee_log(EE_LOG_DEBUG, "%d nodes lead to no output", g->n_nodes - kept);
  g->n_nodes = kept;
  free(needed);
  return EE_OK;
}

/* Make @p name differ from all in @p names, which borrows it. */
static ee_status make_unique(onnx_names *names, char *name) {
  char plain[EE_NAME_BYTES];
  memcpy(plain, name, sizeof plain);
  for (int i = 2; ee_onnx_names_get(names, name) >= 0; i++)
    snprintf(name, EE_NAME_BYTES, "%.80s~%d", plain, i);
  return ee_onnx_names_put(names, name, 0);
}

/* The number of value @p v in the model; taken on its first use. */
static int renumber(onnx_graph *g, ee_model *model, int *index, int v) {
  if (v < 0) return -1;
  if (index[v] >= 0) return index[v];
  onnx_value *from = &g->value[v];
  ee_value   *to   = &model->value[model->n_values];
  *to              = (ee_value){.kind = from->kind, .shape = from->at[0], .data = from->data};
  memcpy(to->name, from->name, sizeof to->name);
  from->data = NULL;
  index[v]   = model->n_values++;
  return index[v];
}

static void fill_graph(onnx_graph *g, ee_model *model, int *index) {
  model->input = renumber(g, model, index, g->input);
  for (int i = 0; i < g->n_nodes; i++) {
    ee_node *node = &model->node[i];
    *node         = g->node[i];
    for (int k = 0; k < node->n_in; k++) node->in[k] = renumber(g, model, index, node->in[k]);
    node->out = renumber(g, model, index, node->out);
  }
  model->n_nodes = g->n_nodes;
}

/* The score of the exit that output @p exit is. */
static void fill_score(const onnx_graph *g, int exit, const int *index, ee_exit *e) {
  for (int o = 0; o < g->n_outputs; o++) {
    if (g->score_of[o] != exit) continue;
    e->has_score = true;
    e->score     = index[g->output[o]];
  }
}

/* Exits in the order in which their logits are computed. */
static void fill_exits(const onnx_graph *g, ee_model *model, const int *index) {
  for (int i = 0; i < g->n_nodes; i++) {
    for (int o = 0; o < g->n_outputs && g->value[g->node[i].out].is_output; o++) {
      if (g->output[o] != g->node[i].out || g->score_of[o] >= 0) continue;
      ee_exit *e = &model->exit[model->n_exits++];
      *e         = (ee_exit){.logits = index[g->output[o]], .temperature = 1.0f};
      snprintf(e->name, sizeof e->name, "%s", g->proto->output[o]->name);
      fill_score(g, o, index, e);
      ee_op op = g->node[i].op;
      if (op == EE_OP_SOFTMAX || op == EE_OP_LOG_SOFTMAX)
        ee_log(EE_LOG_WARNING, "exit '%s' ends in %s; export logits, which can be calibrated",
               e->name, ee_op_name(op));
    }
  }
}

static ee_status count_classes(ee_model *model) {
  for (int e = 0; e < model->n_exits; e++) {
    int64_t n = ee_shape_elements(&model->value[model->exit[e].logits].shape);
    if (n > INT_MAX)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "output '%s' is too large", model->exit[e].name);
    if (e > 0 && n != model->n_classes)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "exits '%s' and '%s' have %d and %lld classes",
                     model->exit[0].name, model->exit[e].name, model->n_classes, (long long)n);
    model->n_classes = (int)n;
  }
  return EE_OK;
}

static ee_status name_all(ee_model *model) {
  onnx_names values = {0}, nodes = {0};
  ee_status  status = EE_OK;
  for (int v = 0; v < model->n_values && status == EE_OK; v++)
    status = make_unique(&values, model->value[v].name);
  for (int i = 0; i < model->n_nodes && status == EE_OK; i++)
    status = make_unique(&nodes, model->node[i].name);
  ee_onnx_names_free(&values);
  ee_onnx_names_free(&nodes);
  return status;
}

/* Folding may have divided by a variance or a constant of zero. */
static ee_status check_finite(const ee_model *model) {
  for (int v = 0; v < model->n_values; v++) {
    const ee_value *value = &model->value[v];
    int64_t         n     = value->data != NULL ? ee_shape_elements(&value->shape) : 0;
    for (int64_t i = 0; i < n; i++) {
      if (!isfinite(value->data[i]))
        return EE_FAIL(EE_ERR_FORMAT, "the constant '%s' became %g at element %lld", value->name,
                       (double)value->data[i], (long long)i);
    }
  }
  return EE_OK;
}

static ee_status fill_model(onnx_graph *g, ee_model *model, int *index) {
  model->value = calloc((size_t)g->n_values, sizeof *model->value);
  model->node  = calloc((size_t)g->n_nodes + 1, sizeof *model->node);
  model->exit  = calloc((size_t)g->n_outputs, sizeof *model->exit);
  if (model->value == NULL || model->node == NULL || model->exit == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for a model of %d nodes", g->n_nodes);
  model->batched          = g->batched;
  model->preprocess.scale = 1.0f;
  snprintf(model->name, sizeof model->name, "%s", g->proto->name != NULL ? g->proto->name : "");
  for (int v = 0; v < g->n_values; v++) index[v] = -1;
  fill_graph(g, model, index);
  fill_exits(g, model, index);
  EE_TRY(count_classes(model));
  EE_TRY(name_all(model));
  return check_finite(model);
}

ee_status ee_onnx_make_model(onnx_graph *g, ee_model **model) {
  int *index       = calloc((size_t)g->n_values, sizeof *index);
  *model           = calloc(1, sizeof **model);
  ee_status status = index == NULL || *model == NULL
                         ? EE_FAIL(EE_ERR_NOMEM, "for %d values", g->n_values)
                         : fill_model(g, *model, index);
  free(index);
  return status;
}
