/* SPDX-License-Identifier: Apache-2.0 */
/* What a graph starts from: opset, initializers, bound constants, and the input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_graph.h"
#include "onnx_tensor.h"

#define OLDEST_OPSET 7
#define FLOAT32 ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT

static bool is_default_domain(const char *domain) {
  return domain == NULL || domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0;
}

static ee_status read_opset(onnx_graph *g, const Onnx__ModelProto *proto) {
  g->opset = 1;  // of files that are older than the field
  for (size_t i = 0; i < proto->n_opset_import; i++) {
    const Onnx__OperatorSetIdProto *set = proto->opset_import[i];
    if (is_default_domain(set->domain)) g->opset = set->version;
  }
  if (g->opset < OLDEST_OPSET)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "operator set %lld is too old, %d is the oldest",
                   (long long)g->opset, OLDEST_OPSET);
  return EE_OK;
}

/* A constant that stands in the file or is bound; decoded when it is used. */
static ee_status add_tensor(onnx_graph *g, const char *name, const Onnx__TensorProto *tensor) {
  ee_shape  at[2];
  int       v;
  ee_status status = ee_onnx_tensor_shape(tensor, name, &at[0]);
  at[1]            = at[0];
  if (status == EE_ERR_UNSUPPORTED) ee_onnx_complain(g, ee_status_message());
  if (status != EE_OK && status != EE_ERR_UNSUPPORTED) return status;

  EE_TRY(ee_onnx_value_add(g, name, EE_VALUE_CONSTANT, tensor->data_type, at, &v));
  g->value[v].tensor = tensor;
  g->value[v].state  = status == EE_OK ? ONNX_KNOWN : ONNX_UNKNOWN;
  return ee_onnx_name(g, name, v);
}

static ee_status add_initializers(onnx_graph *g) {
  for (size_t i = 0; i < g->proto->n_initializer; i++) {
    const Onnx__TensorProto *tensor = g->proto->initializer[i];
    if (tensor->name == NULL || tensor->name[0] == '\0')
      return EE_FAIL(EE_ERR_FORMAT, "initializer %zu has no name", i);
    if (ee_onnx_names_get(&g->names, tensor->name) >= 0)
      return EE_FAIL(EE_ERR_FORMAT, "there are two initializers '%s'", tensor->name);
    EE_TRY(add_tensor(g, tensor->name, tensor));
  }
  if (g->proto->n_sparse_initializer > 0) ee_onnx_complain(g, "sparse initializers");
  return EE_OK;
}

static ee_status add_bindings(onnx_graph *g, const ee_onnx_binding *binding, int n) {
  if (n == 0) return EE_OK;
  g->bound = calloc((size_t)n, sizeof(Onnx__TensorProto *));
  if (g->bound == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d bindings", n);
  g->n_bound = n;
  for (int i = 0; i < n; i++) {
    EE_TRY(ee_onnx_unpack_tensor(binding[i].tensor, binding[i].bytes, &g->bound[i]));
    EE_TRY(add_tensor(g, binding[i].name, g->bound[i]));
  }
  return EE_OK;
}

/* Dimension i of the input; a free first one is a batch. */
static ee_status input_dimension(onnx_graph *g, const char *name, int i,
                                 const Onnx__TensorShapeProto__Dimension *dim, int64_t *size) {
  bool fixed = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
  *size      = fixed ? dim->dim_value : 1;
  if (!fixed && i > 0) {
    char what[256];
    bool named = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    snprintf(what, sizeof what, "input '%s': dimension %d ('%s') has no fixed size", name, i,
             named ? dim->dim_param : "?");
    ee_onnx_complain(g, what);
  }
  if (*size < 0)
    return EE_FAIL(EE_ERR_FORMAT, "input '%s': dimension %d is %lld", name, i, (long long)*size);
  return EE_OK;
}

static ee_status input_shape(onnx_graph *g, const char *name, const Onnx__TensorShapeProto *proto,
                             ee_shape *shape) {
  *shape = (ee_shape){0};
  if (proto == NULL || proto->n_dim > EE_MAX_RANK) {
    char what[256];
    snprintf(what, sizeof what, "input '%s' %s", name,
             proto == NULL ? "has no shape" : "has too many dimensions");
    ee_onnx_complain(g, what);
    return EE_OK;
  }
  shape->rank = (int)proto->n_dim;
  for (int i = 0; i < shape->rank; i++)
    EE_TRY(input_dimension(g, name, i, proto->dim[i], &shape->dim[i]));
  if (ee_shape_elements(shape) > ONNX_MAX_ELEMENTS)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "input '%s' is too large", name);
  return EE_OK;
}

/* Ids, which look up rows of a table, are given as whole numbers. */
static bool is_id_type(int type) {
  return type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 ||
         type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
}

/* The first input that is no constant: what samples are given as. */
static ee_status add_input(onnx_graph *g, const Onnx__ValueInfoProto *info) {
  const Onnx__TypeProto *type = info->type;
  bool tensor = type != NULL && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
                type->tensor_type != NULL;
  int      element = tensor ? type->tensor_type->elem_type : 0;
  ee_shape at[2];
  if (element != FLOAT32 && !is_id_type(element)) {
    char what[256];
    snprintf(what, sizeof what, "input '%s' is of %s; float32, int64 and int32 are supported",
             info->name, tensor ? ee_onnx_type_name(element) : "no tensor type");
    ee_onnx_complain(g, what);
  }
  EE_TRY(input_shape(g, info->name, tensor ? type->tensor_type->shape : NULL, &at[0]));
  at[1]      = at[0];
  g->batched = at[0].rank > 0 && at[0].dim[0] == 1;
  if (g->batched)
    at[1].dim[0] = 2;
  else
    snprintf(g->reason, sizeof g->reason, "the first dimension of input '%s' is fixed", info->name);
  EE_TRY(ee_onnx_value_add(g, info->name, EE_VALUE_INPUT, is_id_type(element) ? element : FLOAT32,
                           at, &g->input));
  g->value[g->input].state = g->n_complaints > 0 ? ONNX_UNKNOWN : ONNX_KNOWN;
  return ee_onnx_name(g, info->name, g->input);
}

static ee_status add_inputs(onnx_graph *g) {
  for (size_t i = 0; i < g->proto->n_input; i++) {
    const Onnx__ValueInfoProto *info = g->proto->input[i];
    if (info->name == NULL) return EE_FAIL(EE_ERR_FORMAT, "input %zu has no name", i);
    if (ee_onnx_names_get(&g->names, info->name) >= 0) continue;
    if (g->input < 0) {
      EE_TRY(add_input(g, info));
      continue;
    }
    char     what[256];
    int      v;
    ee_shape none[2] = {{0}, {0}};
    snprintf(what, sizeof what, "a second input, '%s'", info->name);
    ee_onnx_complain(g, what);
    EE_TRY(ee_onnx_value_add(g, info->name, EE_VALUE_ACTIVATION, FLOAT32, none, &v));
    g->value[v].state = ONNX_UNKNOWN;
    EE_TRY(ee_onnx_name(g, info->name, v));
  }
  if (g->input < 0) return EE_FAIL(EE_ERR_UNSUPPORTED, "the graph has no input");
  return EE_OK;
}

ee_status ee_onnx_graph_open(onnx_graph *g, const Onnx__ModelProto *proto,
                             const ee_onnx_binding *binding, int n_bindings) {
  *g = (onnx_graph){.proto = proto->graph, .input = -1};
  EE_TRY(read_opset(g, proto));
  EE_TRY(add_initializers(g));
  EE_TRY(add_bindings(g, binding, n_bindings));
  return add_inputs(g);
}
