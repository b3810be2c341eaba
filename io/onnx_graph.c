/* SPDX-License-Identifier: Apache-2.0 */
/* The graph while it is imported: values, constants decoded on demand, nodes with their shapes. */
#include "onnx_graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_tensor.h"

void ee_onnx_complain(onnx_graph *g, const char *what) {
  size_t used = strlen(g->complaints);
  g->n_complaints++;
  if (g->n_unsaid > 0 || used + strlen(what) + 2 >= sizeof g->complaints) {
    g->n_unsaid++;
    if (used > 0) return;
  }
  snprintf(g->complaints + used, sizeof g->complaints - used, "%s%s", used > 0 ? "; " : "", what);
}

/* Room for one more element in an array that doubles. */
static ee_status make_room(void **array, int n, int *space, size_t size) {
  if (n < *space) return EE_OK;
  int   larger = *space == 0 ? 64 : 2 * *space;
  void *moved  = larger > *space ? realloc(*array, (size_t)larger * size) : NULL;
  if (moved == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a graph of %d entries", larger);
  *array = moved;
  *space = larger;
  return EE_OK;
}

ee_status ee_onnx_value_add(onnx_graph *g, const char *name, ee_value_kind kind, int type,
                            const ee_shape at[2], int *v) {
  onnx_value value = {.kind = kind, .type = type, .at = {at[0], at[1]}};
  snprintf(value.name, sizeof value.name, "%s", name);  // before the array moves: it may hold name
  void     *array  = g->value;
  ee_status status = make_room(&array, g->n_values, &g->value_space, sizeof *g->value);
  g->value         = array;
  if (status != EE_OK) return status;
  g->value[g->n_values] = value;
  *v                    = g->n_values++;
  return EE_OK;
}

ee_status ee_onnx_name(onnx_graph *g, const char *name, int v) {
  return ee_onnx_names_put(&g->names, name, v);
}

ee_status ee_onnx_constant(onnx_graph *g, const char *name, const ee_shape *shape, float *data,
                           int *v) {
  ee_shape  at[2] = {*shape, *shape};
  ee_status status =
      ee_onnx_value_add(g, name, EE_VALUE_CONSTANT, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, at, v);
  if (status != EE_OK)
    free(data);
  else
    g->value[*v].data = data;
  return status;
}

ee_status ee_onnx_floats(onnx_graph *g, int v) {
  onnx_value *value = &g->value[v];
  if (value->data != NULL) return EE_OK;
  EE_TRY(ee_onnx_tensor_floats(value->tensor, value->name, &value->data));
  int64_t n = ee_shape_elements(&value->at[0]);
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(value->data[i]))
      return EE_FAIL(EE_ERR_FORMAT, "tensor '%s' holds %g at element %lld; weights must be finite",
                     value->name, (double)value->data[i], (long long)i);
  }
  return EE_OK;
}

ee_status ee_onnx_ints(onnx_graph *g, int v) {
  onnx_value *value = &g->value[v];
  return value->ints != NULL ? EE_OK
                             : ee_onnx_tensor_ints(value->tensor, value->name, &value->ints);
}

ee_status ee_onnx_need_float(onnx_graph *g, const onnx_call *call, int k) {
  const onnx_value *value = &g->value[call->in[k]];
  if (value->type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: '%s' is of %s, only float32 is supported", call->label,
                   value->name, ee_onnx_type_name(value->type));
  if (ee_shape_elements(&value->at[0]) == 0)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: '%s' has no elements", call->label, value->name);
  return value->kind == EE_VALUE_CONSTANT ? ee_onnx_floats(g, call->in[k]) : EE_OK;
}

ee_node ee_onnx_node(const onnx_call *call, ee_op op, int n_in) {
  ee_node node = {.op = op, .n_in = n_in};
  snprintf(node.name, sizeof node.name, "%s", call->name);
  for (int k = 0; k < n_in; k++) node.in[k] = k < call->n_in ? call->in[k] : -1;
  return node;
}

static bool all_constant(const onnx_graph *g, const ee_node *node) {
  for (int k = 0; k < node->n_in; k++) {
    if (node->in[k] >= 0 && g->value[node->in[k]].kind != EE_VALUE_CONSTANT) return false;
  }
  return true;
}

static ee_status infer_at(const onnx_graph *g, const ee_node *node, int which, ee_shape *out) {
  ee_shape in[EE_MAX_NODE_INPUTS] = {{0}};
  for (int k = 0; k < node->n_in; k++) {
    if (node->in[k] >= 0) in[k] = g->value[node->in[k]].at[which];
  }
  return ee_onnx_infer(node, in, out);
}

/* Shapes of the result at a batch of 1, and of 2 while the first dimension may be a batch. */
static ee_status infer_both(onnx_graph *g, const onnx_call *call, const ee_node *node,
                            ee_shape at[2]) {
  ee_status status = infer_at(g, node, 0, &at[0]);
  if (status != EE_OK) {
    char why[EE_MESSAGE_BYTES / 2];
    snprintf(why, sizeof why, "%s", ee_status_message());
    return EE_FAIL(status, "%s: %s", call->label, why);
  }
  at[1] = at[0];
  if (g->batched && infer_at(g, node, 1, &at[1]) != EE_OK) {
    g->batched = false;
    at[1]      = at[0];
    snprintf(g->reason, sizeof g->reason, "%s cannot run on a batch", call->label);
  }
  return EE_OK;
}

static ee_status check_size(const onnx_call *call, const ee_shape *shape, int64_t most) {
  char    text[128];
  int64_t n = ee_shape_elements(shape);
  if (n == 0) return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its result has no elements", call->label);
  if (n > most || shape->rank > EE_MAX_RANK)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its result of shape %s is too large", call->label,
                   ee_shape_text(shape, text, sizeof text));
  return EE_OK;
}

static ee_status append_node(onnx_graph *g, const ee_node *node, const ee_shape at[2], int *v) {
  void     *array  = g->node;
  ee_status status = make_room(&array, g->n_nodes, &g->node_space, sizeof *g->node);
  g->node          = array;
  if (status != EE_OK) return status;
  EE_TRY(ee_onnx_value_add(g, node->name, EE_VALUE_ACTIVATION, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
                           at, v));
  g->node[g->n_nodes]       = *node;
  g->node[g->n_nodes++].out = *v;
  return EE_OK;
}

ee_status ee_onnx_emit(onnx_graph *g, const onnx_call *call, ee_node *node, const ee_shape *at,
                       int *v) {
  ee_shape shape[2];
  if (at == NULL)
    EE_TRY(infer_both(g, call, node, shape));
  else
    memcpy(shape, at, sizeof shape);

  bool constant = all_constant(g, node);
  EE_TRY(check_size(call, &shape[0], constant ? ONNX_MAX_MADE : ONNX_MAX_ELEMENTS));
  if (!constant) return append_node(g, node, shape, v);

  float *data = NULL;
  EE_TRY(ee_onnx_evaluate(g, node, &shape[0], &data));
  return ee_onnx_constant(g, node->name, &shape[0], data, v);
}

ee_status ee_onnx_emit_result(onnx_graph *g, const onnx_call *call, ee_node *node,
                              const ee_shape *at) {
  int v;
  EE_TRY(ee_onnx_emit(g, call, node, at, &v));
  const char *name = call->proto->output[0];
  snprintf(g->value[v].name, sizeof g->value[v].name, "%s", name);
  return ee_onnx_name(g, name, v);
}

void ee_onnx_graph_close(onnx_graph *g) {
  for (int v = 0; v < g->n_values; v++) {
    free(g->value[v].data);
    free(g->value[v].ints);
  }
  for (int i = 0; i < g->n_bound; i++) {
    if (g->bound[i] != NULL) onnx__tensor_proto__free_unpacked(g->bound[i], NULL);
  }
  free(g->bound);
  free(g->value);
  free(g->node);
  free(g->output);
  free(g->score_of);
  ee_onnx_names_free(&g->names);
  *g = (onnx_graph){0};
}
