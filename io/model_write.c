/* SPDX-License-Identifier: Apache-2.0 */
/* Writing model files: the graph as tables, the weights as one dataset each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/model_file.h"
#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"
#include "model_constants.h"
#include "model_format.h"
#include "model_profile.h"
#include "model_quantization.h"
#include "model_tuning.h"

static ee_status check_complete(const ee_model *model, const char *path) {
  if (model->cut_start == NULL)
    return EE_FAIL(EE_ERR_STATE, "%s: model '%s' is not finished", path, model->name);
  for (int v = 0; v < model->n_values; v++) {
    if (model->value[v].kind != EE_VALUE_CONSTANT) continue;
    if (model->value[v].data == NULL)
      return EE_FAIL(EE_ERR_ARG, "%s: constant '%s' of model '%s' is not in memory", path,
                     model->value[v].name, model->name);
    EE_TRY(ee_model_check_constant(path, model, v, model->value[v].data));
  }
  return EE_OK;
}

static void copy_text(char *to, size_t size, const char *from) {
  snprintf(to, size, "%s", from);
}

static ee_status write_values(const ee_h5 *h5, const ee_model *model) {
  ee_value_row *row = calloc((size_t)model->n_values, sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (int v = 0; v < model->n_values; v++) {
    const ee_value *value = &model->value[v];
    copy_text(row[v].name, sizeof row[v].name, value->name);
    copy_text(row[v].kind, sizeof row[v].kind, ee_value_kind_name[value->kind]);
    row[v].rank = value->shape.rank;
    for (int i = 0; i < value->shape.rank; i++) row[v].dim[i] = value->shape.dim[i];
  }
  ee_status status = ee_h5_write_table(h5, EE_MODEL_VALUES, &ee_value_layout, model->n_values, row);
  free(row);
  return status;
}

static ee_status fill_node_row(const ee_h5 *h5, const ee_model *model, const ee_node *node,
                               ee_node_row *row) {
  copy_text(row->name, sizeof row->name, node->name);
  copy_text(row->op, sizeof row->op, ee_op_name(node->op));
  copy_text(row->activation, sizeof row->activation, ee_act_name(node->act.kind));
  row->alpha    = node->act.alpha;
  row->beta     = node->act.beta;
  row->n_inputs = node->n_in;
  for (int i = 0; i < EE_MAX_NODE_INPUTS; i++) row->inputs[i] = i < node->n_in ? node->in[i] : -1;
  row->output = node->out;
  if (ee_attributes_print(node, model->value[node->out].shape.rank, row->attributes)) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: the attributes of node '%s' are longer than %d bytes", h5->path,
                 node->name, EE_ATTRIBUTE_BYTES);
}

static ee_status write_nodes(const ee_h5 *h5, const ee_model *model) {
  ee_node_row *row = calloc((size_t)model->n_nodes + 1, sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  ee_status status = EE_OK;
  for (int i = 0; i < model->n_nodes && status == EE_OK; i++)
    status = fill_node_row(h5, model, &model->node[i], &row[i]);
  if (status == EE_OK)
    status = ee_h5_write_table(h5, EE_MODEL_NODES, &ee_node_layout, model->n_nodes, row);
  free(row);
  return status;
}

static ee_status write_layers(const ee_h5 *h5, const ee_model *model) {
  ee_layer_row *row = calloc((size_t)model->n_layers, sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (int l = 0; l < model->n_layers; l++) {
    const ee_layer *layer = &model->layer[l];
    copy_text(row[l].name, sizeof row[l].name, layer->name);
    row[l].flops        = layer->flops;
    row[l].weight_bytes = (int64_t)layer->weight_bytes;
    row[l].seconds      = layer->seconds;
  }
  ee_status status = ee_h5_write_table(h5, EE_MODEL_LAYERS, &ee_layer_layout, model->n_layers, row);
  free(row);
  return status;
}

static ee_status write_exits(const ee_h5 *h5, const ee_model *model) {
  ee_exit_row *row = calloc((size_t)model->n_exits, sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (int e = 0; e < model->n_exits; e++) {
    const ee_exit *exit = &model->exit[e];
    copy_text(row[e].name, sizeof row[e].name, exit->name);
    row[e].logits       = exit->logits;
    row[e].attach       = exit->attach;
    row[e].temperature  = exit->temperature;
    row[e].head_flops   = model->head_flops[e];
    row[e].head_seconds = model->head_seconds[e];
  }
  ee_status status = ee_h5_write_table(h5, EE_MODEL_EXITS, &ee_exit_layout, model->n_exits, row);
  free(row);
  return status;
}

/* The value of each exit's score, -1 where there is none. */
static ee_status write_scores(const ee_h5 *h5, const ee_model *model) {
  hsize_t dim = (hsize_t)model->n_exits;
  if (!ee_model_has_scores(model)) return EE_OK;
  int32_t *score = calloc((size_t)model->n_exits, sizeof *score);
  if (score == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (int e = 0; e < model->n_exits; e++)
    score[e] = model->exit[e].has_score ? model->exit[e].score : -1;
  ee_status status = ee_h5_write_array(h5, EE_MODEL_SCORES, EE_H5_I32, 1, &dim, score);
  free(score);
  return status;
}

static ee_status write_graph(const ee_h5 *h5, const ee_model *model) {
  EE_TRY(write_values(h5, model));
  EE_TRY(write_nodes(h5, model));
  EE_TRY(write_layers(h5, model));
  EE_TRY(ee_model_write_profile(h5, model));
  EE_TRY(write_exits(h5, model));
  EE_TRY(write_scores(h5, model));
  if (model->copy_seconds > 0.0) {
    EE_TRY(ee_h5_write_array(h5, EE_MODEL_COPY, EE_H5_F64, 0, NULL, &model->copy_seconds));
  }
  EE_TRY(ee_h5_write_text_attribute(h5, EE_MODEL_GRAPH, "name", model->name));
  EE_TRY(ee_h5_write_int_attribute(h5, EE_MODEL_GRAPH, "batched", model->batched));
  EE_TRY(ee_h5_write_int_attribute(h5, EE_MODEL_GRAPH, "input", model->input));
  return ee_h5_write_int_attribute(h5, EE_MODEL_GRAPH, "n_classes", model->n_classes);
}

static ee_status write_preprocess(const ee_h5 *h5, const ee_preprocess *p) {
  hsize_t n = (hsize_t)p->n_channels;
  EE_TRY(ee_h5_write_array(h5, EE_MODEL_SCALE, EE_H5_F32, 0, NULL, &p->scale));
  if (n == 0) return EE_OK;
  EE_TRY(ee_h5_write_array(h5, EE_MODEL_MEAN, EE_H5_F32, 1, &n, p->mean));
  return ee_h5_write_array(h5, EE_MODEL_STD, EE_H5_F32, 1, &n, p->std);
}

static ee_status write_constants(const ee_h5 *h5, const ee_model *model) {
  for (int v = 0; v < model->n_values; v++) {
    const ee_value *value = &model->value[v];
    if (value->kind != EE_VALUE_CONSTANT) continue;
    char    set[EE_WEIGHTS_BYTES];
    hsize_t dim[EE_MAX_RANK];
    ee_weights_set(model, v, set);
    ee_weights_dim(value, dim);
    EE_TRY(ee_h5_write_array(h5, set, EE_H5_F32, value->shape.rank, dim, value->data));
  }
  return EE_OK;
}

/* Only what is not the default, so that most files do without it. */
static ee_status write_switches(const ee_h5 *h5, const ee_model *model) {
  const int32_t off = 0;
  if (!model->no_winograd) return EE_OK;
  return ee_h5_write_array(h5, EE_MODEL_WINOGRAD, EE_H5_I32, 0, NULL, &off);
}

static ee_status write_all(const ee_h5 *h5, const ee_model *model) {
  EE_TRY(write_graph(h5, model));
  EE_TRY(write_preprocess(h5, &model->preprocess));
  EE_TRY(write_switches(h5, model));
  EE_TRY(ee_model_write_tuning(h5, model));
  EE_TRY(ee_model_write_quantization(h5, model));
  if (model->class_name != NULL)
    EE_TRY(ee_h5_write_texts(h5, EE_MODEL_CLASS_NAMES, model->n_classes,
                             (const char *const *)model->class_name));
  if (model->provenance != NULL)
    EE_TRY(ee_h5_write_text(h5, EE_MODEL_PROVENANCE, model->provenance));
  return write_constants(h5, model);
}

ee_status ee_model_save(const ee_model *model, const char *path) {
  EE_TRY(check_complete(model, path));
  ee_h5 h5;
  EE_TRY(ee_h5_create_sealed(path, EE_MODEL_FORMAT, &h5));
  ee_status status = write_all(&h5, model);
  if (status == EE_OK) return ee_h5_commit(&h5);
  ee_h5_discard(&h5);
  return status;
}
