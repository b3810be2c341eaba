/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <onnx.pb-c.h>
#include <stdlib.h>
#include <string.h>

#include "ee/exec.h"
#include "ee/import.h"

/**
 * @file onnx_maker.h
 * Makes small ONNX models in memory, imports them and runs them on the reference backend.
 */
#define MAKER_MOST 128  // nodes, initializers, outputs, allocations per kind

/** A model under construction; zeroed by maker_start(). */
typedef struct maker {
  Onnx__ModelProto              model;
  Onnx__GraphProto              graph;
  Onnx__OperatorSetIdProto      opset, *opsets[1];
  Onnx__ValueInfoProto         *input[4], *output[MAKER_MOST];
  Onnx__TensorProto            *tensor[MAKER_MOST];
  Onnx__NodeProto              *node[MAKER_MOST];
  Onnx__StringStringEntryProto *property[8];
  void                         *owned[64 * MAKER_MOST];
  int                           n_owned;
} maker;

/** @p bytes of zeroed memory that lives until maker_end(). */
static inline void *maker_keep(maker *m, size_t bytes) {
  void *memory = calloc(1, bytes > 0 ? bytes : 1);
  if (memory == NULL || m->n_owned == 64 * MAKER_MOST) abort();
  return m->owned[m->n_owned++] = memory;
}

static inline char *maker_text(maker *m, const char *text) {
  return strcpy(maker_keep(m, strlen(text) + 1), text);
}

/** A value of @p rank dimensions; a dimension of -1 is free. */
static inline Onnx__ValueInfoProto *maker_value(maker *m, const char *name, int rank,
                                                const int64_t *dim) {
  Onnx__ValueInfoProto    *info   = maker_keep(m, sizeof *info);
  Onnx__TypeProto         *type   = maker_keep(m, sizeof *type);
  Onnx__TypeProto__Tensor *tensor = maker_keep(m, sizeof *tensor);
  Onnx__TensorShapeProto  *shape  = maker_keep(m, sizeof *shape);
  onnx__value_info_proto__init(info);
  onnx__type_proto__init(type);
  onnx__type_proto__tensor__init(tensor);
  onnx__tensor_shape_proto__init(shape);
  shape->n_dim = (size_t)rank;
  shape->dim   = maker_keep(m, (size_t)rank * sizeof *shape->dim);
  for (int i = 0; i < rank; i++) {
    shape->dim[i] = maker_keep(m, sizeof *shape->dim[i]);
    onnx__tensor_shape_proto__dimension__init(shape->dim[i]);
    shape->dim[i]->value_case = dim[i] >= 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
                                            : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    if (dim[i] >= 0)
      shape->dim[i]->dim_value = dim[i];
    else
      shape->dim[i]->dim_param = maker_text(m, "free");
  }
  tensor->has_elem_type = 1;
  tensor->elem_type     = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  tensor->shape         = shape;
  type->value_case      = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  type->tensor_type     = tensor;
  info->name            = maker_text(m, name);
  info->type            = type;
  return info;
}

/** Start a model of operator set @p opset with one input. */
static inline void maker_start(maker *m, int64_t opset, const char *input, int rank,
                               const int64_t *dim) {
  memset(m, 0, sizeof *m);
  onnx__model_proto__init(&m->model);
  onnx__graph_proto__init(&m->graph);
  onnx__operator_set_id_proto__init(&m->opset);
  m->opset.has_version    = 1;
  m->opset.version        = opset;
  m->opset.domain         = maker_text(m, "");
  m->opsets[0]            = &m->opset;
  m->model.n_opset_import = 1;
  m->model.opset_import   = m->opsets;
  m->model.has_ir_version = 1;
  m->model.ir_version     = 8;
  m->model.graph          = &m->graph;
  m->model.metadata_props = m->property;
  m->graph.name           = maker_text(m, "made");
  m->graph.node           = m->node;
  m->graph.initializer    = m->tensor;
  m->graph.input          = m->input;
  m->graph.output         = m->output;
  m->input[0]             = maker_value(m, input, rank, dim);
  m->graph.n_input        = 1;
}

static inline void maker_end(maker *m) {
  for (int i = 0; i < m->n_owned; i++) free(m->owned[i]);
  m->n_owned = 0;
}

/** A tensor of @p type without data. */
static inline Onnx__TensorProto *maker_tensor(maker *m, const char *name, int type, int rank,
                                              const int64_t *dim) {
  Onnx__TensorProto *tensor = maker_keep(m, sizeof *tensor);
  onnx__tensor_proto__init(tensor);
  tensor->name          = maker_text(m, name);
  tensor->has_data_type = 1;
  tensor->data_type     = type;
  tensor->n_dims        = (size_t)rank;
  tensor->dims          = maker_keep(m, (size_t)rank * sizeof *tensor->dims);
  if (rank > 0) memcpy(tensor->dims, dim, (size_t)rank * sizeof *dim);
  return tensor;
}

static inline size_t maker_elements(const Onnx__TensorProto *tensor) {
  size_t n = 1;
  for (size_t i = 0; i < tensor->n_dims; i++) n *= (size_t)tensor->dims[i];
  return n;
}

/** An initializer of float32; the elements are copied. */
static inline Onnx__TensorProto *maker_floats(maker *m, const char *name, int rank,
                                              const int64_t *dim, const float *x) {
  Onnx__TensorProto *tensor =
      maker_tensor(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, rank, dim);
  tensor->n_float_data = maker_elements(tensor);
  tensor->float_data   = maker_keep(m, tensor->n_float_data * sizeof *x);
  if (tensor->n_float_data > 0) memcpy(tensor->float_data, x, tensor->n_float_data * sizeof *x);
  return m->tensor[m->graph.n_initializer++] = tensor;
}

/** An initializer of int64, a vector of @p n. */
static inline Onnx__TensorProto *maker_ints(maker *m, const char *name, int64_t n,
                                            const int64_t *x) {
  Onnx__TensorProto *tensor = maker_tensor(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, &n);
  tensor->n_int64_data      = (size_t)n;
  tensor->int64_data        = maker_keep(m, (size_t)n * sizeof *x);
  if (n > 0) memcpy(tensor->int64_data, x, (size_t)n * sizeof *x);
  return m->tensor[m->graph.n_initializer++] = tensor;
}

/** Words of @p list, separated by blanks; "-" is an empty one. */
static inline char **maker_words(maker *m, const char *list, size_t *n) {
  char **word = maker_keep(m, MAKER_MOST * sizeof *word), *rest = NULL;
  *n = 0;
  for (char *at = strtok_r(maker_text(m, list), " ", &rest); at != NULL;
       at       = strtok_r(NULL, " ", &rest))
    word[(*n)++] = strcmp(at, "-") == 0 ? maker_text(m, "") : at;
  return word;
}

/** A node called @p op with its inputs and outputs as lists of words; named for its output. */
static inline Onnx__NodeProto *maker_node(maker *m, const char *op, const char *in,
                                          const char *out) {
  Onnx__NodeProto *node = maker_keep(m, sizeof *node);
  onnx__node_proto__init(node);
  node->op_type                     = maker_text(m, op);
  node->input                       = maker_words(m, in, &node->n_input);
  node->output                      = maker_words(m, out, &node->n_output);
  return m->node[m->graph.n_node++] = node;
}

static inline Onnx__AttributeProto *maker_attribute(maker *m, Onnx__NodeProto *node,
                                                    const char                         *name,
                                                    Onnx__AttributeProto__AttributeType type) {
  Onnx__AttributeProto *a = maker_keep(m, sizeof *a);
  onnx__attribute_proto__init(a);
  a->name     = maker_text(m, name);
  a->has_type = 1;
  a->type     = type;
  if (node->attribute == NULL) node->attribute = maker_keep(m, 16 * sizeof(Onnx__AttributeProto *));
  return node->attribute[node->n_attribute++] = a;
}

static inline void maker_int(maker *m, Onnx__NodeProto *node, const char *name, int64_t i) {
  Onnx__AttributeProto *a =
      maker_attribute(m, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
  a->has_i = 1;
  a->i     = i;
}

static inline void maker_float(maker *m, Onnx__NodeProto *node, const char *name, float f) {
  Onnx__AttributeProto *a =
      maker_attribute(m, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
  a->has_f = 1;
  a->f     = f;
}

static inline void maker_string(maker *m, Onnx__NodeProto *node, const char *name,
                                const char *text) {
  Onnx__AttributeProto *a =
      maker_attribute(m, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
  a->has_s  = 1;
  a->s.len  = strlen(text);
  a->s.data = (uint8_t *)maker_text(m, text);
}

static inline void maker_list(maker *m, Onnx__NodeProto *node, const char *name, int n,
                              const int64_t *x) {
  Onnx__AttributeProto *a =
      maker_attribute(m, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
  a->n_ints = (size_t)n;
  a->ints   = maker_keep(m, (size_t)n * sizeof *x);
  if (n > 0) memcpy(a->ints, x, (size_t)n * sizeof *x);
}

static inline void maker_output(maker *m, const char *name) {
  m->output[m->graph.n_output++] = maker_value(m, name, 0, NULL);
}

static inline void maker_property(maker *m, const char *key, const char *value) {
  Onnx__StringStringEntryProto *entry = maker_keep(m, sizeof *entry);
  onnx__string_string_entry_proto__init(entry);
  entry->key                               = maker_text(m, key);
  entry->value                             = maker_text(m, value);
  m->property[m->model.n_metadata_props++] = entry;
}

/** The serialized model; lives until maker_end(). */
static inline uint8_t *maker_bytes(maker *m, size_t *n) {
  *n             = onnx__model_proto__get_packed_size(&m->model);
  uint8_t *bytes = maker_keep(m, *n);
  onnx__model_proto__pack(&m->model, bytes);
  return bytes;
}

static inline ee_status maker_import(maker *m, const ee_onnx_options *options, ee_model **model) {
  size_t   n;
  uint8_t *bytes = maker_bytes(m, &n);
  return ee_import_onnx_bytes(bytes, n, options, NULL, 0, model);
}

/** Run @p n samples of @p x through all layers and the head of exit @p e; at most @p most numbers
 *  of its logits go to @p y. */
static inline ee_status maker_run(const ee_model *model, int e, const float *x, int n, float *y,
                                  size_t most) {
  ee_resident *resident = NULL;
  ee_exec     *exec     = NULL;
  const float *logits   = NULL;
  size_t       in       = (size_t)n * (size_t)ee_model_value_elements(model, model->input);
  size_t       out      = (size_t)n * (size_t)model->n_classes;
  int          last     = model->exit[e].attach + 1;
  ee_status    status   = ee_resident_create(model, &ee_backend_ref, &resident);
  for (int l = 0; l < last && status == EE_OK; l++) status = ee_resident_add(resident, l, NULL);
  if (status == EE_OK) status = ee_exec_create(resident, 0, last, n, &exec);
  if (status == EE_OK) memcpy(ee_exec_input(exec, model->input), x, in * sizeof *x);
  if (status == EE_OK) status = ee_exec_run_layers(exec, 0, last, n);
  if (status == EE_OK) status = ee_exec_run_head(exec, e, n, &logits);
  if (status == EE_OK) memcpy(y, logits, (out < most ? out : most) * sizeof *y);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&resident);
  return status;
}
