/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the graph of a model file.  Nothing in the file is trusted: what a table row says is
 * checked here or by ee_model_finish(). */
#include "model_read.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/quantization.h"
#include "ee/tuning.h"
#include "h5_array.h"
#include "h5_text.h"
#include "model_constants.h"
#include "model_format.h"
#include "model_profile.h"
#include "model_quantization.h"
#include "model_tuning.h"

static ee_status read_kind(const ee_h5 *h5, const ee_value_row *row, ee_value *value) {
  for (int kind = 0; kind < 3; kind++) {
    value->kind = (ee_value_kind)kind;
    if (strcmp(row->kind, ee_value_kind_name[kind]) == 0) return EE_OK;
  }
  return EE_FAIL(EE_ERR_FORMAT, "%s: value '%s' is of the unknown kind \"%s\"", h5->path, row->name,
                 row->kind);
}

static ee_status read_value(const ee_h5 *h5, const ee_value_row *row, ee_value *value) {
  memcpy(value->name, row->name, sizeof value->name);
  EE_TRY(read_kind(h5, row, value));
  if (row->rank < 0 || row->rank > EE_MAX_RANK)
    return EE_FAIL(EE_ERR_FORMAT, "%s: value '%s' has rank %d, not in [0, %d]", h5->path, row->name,
                   row->rank, EE_MAX_RANK);
  value->shape.rank = row->rank;
  for (int i = 0; i < row->rank; i++) value->shape.dim[i] = row->dim[i];
  return EE_OK;
}

static ee_status read_values(const ee_h5 *h5, ee_model *model) {
  ee_value_row *row;
  int           n;
  EE_TRY(ee_h5_read_table(h5, EE_MODEL_VALUES, &ee_value_layout, EE_MODEL_MAX_ROWS, (void **)&row,
                          &n));
  ee_status status = EE_OK;
  model->value     = calloc((size_t)n + 1, sizeof *model->value);
  if (model->value == NULL) status = EE_FAIL(EE_ERR_NOMEM, "to read %s", h5->path);
  if (status == EE_OK) model->n_values = n;
  for (int v = 0; v < n && status == EE_OK; v++) status = read_value(h5, &row[v], &model->value[v]);
  free(row);
  return status;
}

/* Only the limits of Clip may be infinite. */
static bool is_activation(ee_activation act) {
  if (act.kind == EE_ACT_CLIP) return !isnan(act.alpha) && !isnan(act.beta);
  return isfinite(act.alpha) && isfinite(act.beta);
}

static ee_status read_node(const ee_h5 *h5, const ee_node_row *row, ee_node *node) {
  memcpy(node->name, row->name, sizeof node->name);
  node->op  = ee_op_by_name(row->op);
  node->act = (ee_activation){ee_act_by_name(row->activation), row->alpha, row->beta};
  if (node->op == EE_OP_COUNT || node->act.kind == EE_ACT_COUNT)
    return EE_FAIL(EE_ERR_FORMAT, "%s: node '%s' has the unknown %s \"%s\"", h5->path, row->name,
                   node->op == EE_OP_COUNT ? "operator" : "activation",
                   node->op == EE_OP_COUNT ? row->op : row->activation);
  if (!is_activation(node->act))
    return EE_FAIL(EE_ERR_FORMAT, "%s: activation %s of node '%s' has alpha %g and beta %g",
                   h5->path, row->activation, row->name, (double)row->alpha, (double)row->beta);
  if (row->n_inputs < 0 || row->n_inputs > EE_MAX_NODE_INPUTS)
    return EE_FAIL(EE_ERR_FORMAT, "%s: node '%s' has %d inputs, not in [0, %d]", h5->path,
                   row->name, row->n_inputs, EE_MAX_NODE_INPUTS);
  node->n_in = row->n_inputs;
  for (int i = 0; i < row->n_inputs; i++) node->in[i] = row->inputs[i];
  node->out = row->output;
  return ee_attributes_parse(h5->path, row->attributes, node);
}

static ee_status read_nodes(const ee_h5 *h5, ee_model *model) {
  ee_node_row *row;
  int          n;
  EE_TRY(
      ee_h5_read_table(h5, EE_MODEL_NODES, &ee_node_layout, EE_MODEL_MAX_ROWS, (void **)&row, &n));
  ee_status status = EE_OK;
  model->node      = calloc((size_t)n + 1, sizeof *model->node);
  if (model->node == NULL) status = EE_FAIL(EE_ERR_NOMEM, "to read %s", h5->path);
  if (status == EE_OK) model->n_nodes = n;
  for (int i = 0; i < n && status == EE_OK; i++) status = read_node(h5, &row[i], &model->node[i]);
  free(row);
  return status;
}

static bool is_duration(double seconds) {
  return isfinite(seconds) && seconds >= 0.0;
}

static ee_status read_exit(const ee_h5 *h5, const ee_exit_row *row, ee_exit *exit,
                           double *head_seconds) {
  if (!isfinite(row->temperature) || row->temperature <= 0.0f)
    return EE_FAIL(EE_ERR_FORMAT, "%s: exit '%s' has temperature %g, expected a positive number",
                   h5->path, row->name, (double)row->temperature);
  if (!is_duration(row->head_seconds))
    return EE_FAIL(EE_ERR_FORMAT, "%s: the head of exit '%s' takes %g seconds", h5->path, row->name,
                   row->head_seconds);
  memcpy(exit->name, row->name, sizeof exit->name);
  exit->logits      = row->logits;
  exit->attach      = row->attach;
  exit->temperature = row->temperature;
  *head_seconds     = row->head_seconds;
  return EE_OK;
}

static ee_status read_exits(const ee_h5 *h5, const ee_exit_row *row, int n, ee_model *model) {
  model->exit         = calloc((size_t)n + 1, sizeof *model->exit);
  model->head_seconds = calloc((size_t)n + 1, sizeof *model->head_seconds);
  if (model->exit == NULL || model->head_seconds == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "to read %s", h5->path);
  model->n_exits = n;
  for (int e = 0; e < n; e++)
    EE_TRY(read_exit(h5, &row[e], &model->exit[e], &model->head_seconds[e]));
  return EE_OK;
}

/* The value of each exit's score; -1: it has none. */
static ee_status read_scores(const ee_h5 *h5, ee_model *model) {
  if (!ee_h5_exists(h5, EE_MODEL_SCORES)) return EE_OK;
  int32_t *score;
  int64_t  n;
  EE_TRY(ee_h5_read_vector(h5, EE_MODEL_SCORES, EE_H5_I32, EE_MODEL_MAX_ROWS, (void **)&score, &n));
  for (int e = 0; n == model->n_exits && e < model->n_exits; e++) {
    model->exit[e].has_score = score[e] != -1;
    model->exit[e].score     = score[e] != -1 ? score[e] : 0;
  }
  free(score);
  if (n == model->n_exits) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: %s has %lld elements, expected %d", h5->path, EE_MODEL_SCORES,
                 (long long)n, model->n_exits);
}

/* What the file says of the layers must be what follows from its graph. */
static ee_status read_layers(const ee_h5 *h5, const ee_layer_row *row, int n, ee_model *model) {
  if (n != model->n_layers)
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s has %d rows, but the graph has %d layers", h5->path,
                   EE_MODEL_LAYERS, n, model->n_layers);
  for (int l = 0; l < n; l++) {
    ee_layer *layer = &model->layer[l];
    if ((uint64_t)row[l].weight_bytes != layer->weight_bytes)
      return EE_FAIL(EE_ERR_FORMAT, "%s: layer %d ('%s') says %lld bytes of weights, it has %zu",
                     h5->path, l, layer->name, (long long)row[l].weight_bytes, layer->weight_bytes);
    if (!is_duration(row[l].seconds))
      return EE_FAIL(EE_ERR_FORMAT, "%s: layer %d ('%s') takes %g seconds", h5->path, l,
                     layer->name, row[l].seconds);
    layer->seconds = row[l].seconds;
  }
  return EE_OK;
}

static ee_status check_attach(const ee_h5 *h5, const ee_exit_row *row, const ee_model *model) {
  for (int e = 0; e < model->n_exits; e++) {
    if (row[e].attach == model->exit[e].attach && row[e].logits == model->exit[e].logits) continue;
    return EE_FAIL(EE_ERR_FORMAT,
                   "%s: exit %d ('%s') is said to follow layer %d, the graph puts '%s' after %d",
                   h5->path, e, row[e].name, row[e].attach, model->exit[e].name,
                   model->exit[e].attach);
  }
  return EE_OK;
}

static ee_status read_preprocess(const ee_h5 *h5, ee_preprocess *p) {
  int64_t n = 0, n_std = 0;
  EE_TRY(ee_h5_read_array(h5, EE_MODEL_SCALE, EE_H5_F32, 0, NULL, &p->scale));
  if (!ee_h5_exists(h5, EE_MODEL_MEAN)) return EE_OK;
  EE_TRY(ee_h5_read_vector(h5, EE_MODEL_MEAN, EE_H5_F32, EE_MODEL_MAX_CHANNELS, (void **)&p->mean,
                           &n));
  EE_TRY(ee_h5_read_vector(h5, EE_MODEL_STD, EE_H5_F32, EE_MODEL_MAX_CHANNELS, (void **)&p->std,
                           &n_std));
  if (n != n_std)
    return EE_FAIL(EE_ERR_FORMAT, "%s: preprocessing has %lld means and %lld deviations", h5->path,
                   (long long)n, (long long)n_std);
  p->n_channels = (int)n;
  return EE_OK;
}

static ee_status read_class_names(const ee_h5 *h5, ee_model *model) {
  char **name;
  int    n;
  EE_TRY(ee_h5_read_texts(h5, EE_MODEL_CLASS_NAMES, model->n_classes, &name, &n));
  if (n == model->n_classes) {
    model->class_name = name;
    return EE_OK;
  }
  ee_h5_free_texts(name, n);
  return EE_FAIL(EE_ERR_FORMAT, "%s: there are %d class names for %d classes", h5->path, n,
                 model->n_classes);
}

static ee_status read_switches(const ee_h5 *h5, ee_model *model) {
  int32_t winograd = 1;
  if (ee_h5_exists(h5, EE_MODEL_WINOGRAD)) {
    EE_TRY(ee_h5_read_array(h5, EE_MODEL_WINOGRAD, EE_H5_I32, 0, NULL, &winograd));
  }
  if (winograd != 0 && winograd != 1) {
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s is %d, expected 0 or 1", h5->path, EE_MODEL_WINOGRAD,
                   (int)winograd);
  }
  model->no_winograd = winograd == 0;
  return EE_OK;
}

static ee_status read_facts(const ee_h5 *h5, ee_model *model) {
  int64_t batched, input, n_classes;
  EE_TRY(ee_h5_read_text_attribute(h5, EE_MODEL_GRAPH, "name", model->name, sizeof model->name));
  EE_TRY(ee_h5_read_int_attribute(h5, EE_MODEL_GRAPH, "batched", 0, 1, &batched));
  EE_TRY(ee_h5_read_int_attribute(h5, EE_MODEL_GRAPH, "input", 0, EE_MODEL_MAX_ROWS, &input));
  EE_TRY(ee_h5_read_int_attribute(h5, EE_MODEL_GRAPH, "n_classes", 1, INT_MAX, &n_classes));
  model->batched   = batched != 0;
  model->input     = (int)input;
  model->n_classes = (int)n_classes;
  EE_TRY(read_preprocess(h5, &model->preprocess));
  EE_TRY(read_switches(h5, model));
  if (ee_h5_exists(h5, EE_MODEL_CLASS_NAMES)) EE_TRY(read_class_names(h5, model));
  if (ee_h5_exists(h5, EE_MODEL_PROVENANCE))
    EE_TRY(ee_h5_read_text(h5, EE_MODEL_PROVENANCE, &model->provenance));
  return EE_OK;
}

/* What checks a model does not know the path. */
static ee_status finish(const ee_h5 *h5, ee_model *model) {
  char      reason[EE_MESSAGE_BYTES];
  ee_status status = ee_model_finish(model);
  if (status == EE_OK) status = ee_tuning_check(model);
  if (status == EE_OK) status = ee_quantization_check(model);
  if (status == EE_OK) return EE_OK;
  snprintf(reason, sizeof reason, "%s", ee_status_message());
  return EE_FAIL(status == EE_ERR_ARG ? EE_ERR_FORMAT : status, "%s: %s", h5->path, reason);
}

static ee_status finish_with_exits(const ee_h5 *h5, ee_model *model) {
  ee_exit_row *row;
  int          n;
  EE_TRY(
      ee_h5_read_table(h5, EE_MODEL_EXITS, &ee_exit_layout, EE_MODEL_MAX_ROWS, (void **)&row, &n));
  ee_status status = read_exits(h5, row, n, model);
  if (status == EE_OK) status = read_scores(h5, model);
  if (status == EE_OK) status = finish(h5, model);
  if (status == EE_OK) status = check_attach(h5, row, model);
  free(row);
  return status;
}

static ee_status read_copy(const ee_h5 *h5, ee_model *model) {
  if (!ee_h5_exists(h5, EE_MODEL_COPY)) return EE_OK;
  EE_TRY(ee_h5_read_array(h5, EE_MODEL_COPY, EE_H5_F64, 0, NULL, &model->copy_seconds));
  if (is_duration(model->copy_seconds)) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: %s is %g, expected a finite number of at least 0", h5->path,
                 EE_MODEL_COPY, model->copy_seconds);
}

static ee_status add_layers(const ee_h5 *h5, ee_model *model) {
  ee_layer_row *row;
  int           n;
  EE_TRY(ee_h5_read_table(h5, EE_MODEL_LAYERS, &ee_layer_layout, EE_MODEL_MAX_ROWS, (void **)&row,
                          &n));
  ee_status status = read_layers(h5, row, n, model);
  free(row);
  return status;
}

static ee_status read_all(const ee_h5 *h5, ee_model *model) {
  EE_TRY(read_facts(h5, model));
  EE_TRY(read_values(h5, model));
  EE_TRY(read_nodes(h5, model));
  EE_TRY(ee_model_read_tuning(h5, model));
  EE_TRY(ee_model_read_quantization(h5, model));
  EE_TRY(read_copy(h5, model));
  EE_TRY(ee_model_read_profile(h5, model));
  EE_TRY(finish_with_exits(h5, model));
  return add_layers(h5, model);
}

ee_status ee_model_read_graph(const ee_h5 *h5, ee_model **model) {
  *model = calloc(1, sizeof **model);
  if (*model == NULL) return EE_FAIL(EE_ERR_NOMEM, "to read %s", h5->path);
  ee_status status = read_all(h5, *model);
  if (status != EE_OK) ee_model_destroy(model);
  return status;
}

ee_status ee_model_read_constant(const ee_h5 *h5, const ee_model *model, int v, float *data) {
  char    set[EE_WEIGHTS_BYTES];
  hsize_t dim[EE_MAX_RANK];
  ee_weights_set(model, v, set);
  ee_weights_dim(&model->value[v], dim);
  EE_TRY(ee_h5_read_array(h5, set, EE_H5_F32, model->value[v].shape.rank, dim, data));
  return ee_model_check_constant(h5->path, model, v, data);
}
