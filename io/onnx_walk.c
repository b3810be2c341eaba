/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the nodes of the file in order, hands each to its converter, and gathers everything that
 * is not supported. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_operator.h"

static const char *text_or(const char *text, const char *otherwise) {
  return text != NULL && text[0] != '\0' ? text : otherwise;
}

/* Name and label of the call; domains other than ONNX's own belong to the operator's name. */
static ee_status open_call(const onnx_graph *g, const Onnx__NodeProto *proto, onnx_call *call) {
  *call = (onnx_call){.proto = proto, .opset = g->opset, .n_in = (int)proto->n_input};
  if (proto->op_type == NULL || proto->n_output == 0 || proto->output[0][0] == '\0')
    return EE_FAIL(EE_ERR_FORMAT, "a node '%s' has no operator or no output",
                   text_or(proto->name, ""));
  const char *domain = text_or(proto->domain, "");
  bool        plain  = domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0;
  snprintf(call->name, sizeof call->name, "%s", text_or(proto->name, proto->output[0]));
  snprintf(call->label, sizeof call->label, "%s%s%s '%.95s'", plain ? "" : domain, plain ? "" : ".",
           proto->op_type, call->name);
  call->op = plain ? ee_onnx_operator(proto->op_type) : NULL;
  if (call->op == NULL) return EE_FAIL(EE_ERR_UNSUPPORTED, "%s", call->label);
  return EE_OK;
}

static ee_status count_inputs(const onnx_call *call) {
  const onnx_operator *op     = call->op;
  int                  needed = op->most_in == 0 ? call->n_in : op->least_in;
  if (call->n_in < op->least_in || (op->most_in > 0 && call->n_in > op->most_in))
    return EE_FAIL(EE_ERR_FORMAT, "%s has %d inputs", call->label, call->n_in);
  for (int k = 0; k < needed; k++) {
    if (call->in[k] < 0) return EE_FAIL(EE_ERR_FORMAT, "%s: input %d is missing", call->label, k);
  }
  return EE_OK;
}

/* Use of an output that is never computed; said once. */
static void complain_of_absent(onnx_graph *g, const char *label, int v) {
  char what[4 * EE_NAME_BYTES];
  if (g->value[v].state != ONNX_ABSENT) return;
  snprintf(what, sizeof what, "%s uses '%s', an additional output", label, g->value[v].name);
  ee_onnx_complain(g, what);
  g->value[v].state = ONNX_UNKNOWN;
}

/* Find the inputs; *known tells whether all of them could be computed. */
static ee_status find_inputs(onnx_graph *g, onnx_call *call, bool *known) {
  *known   = true;
  call->in = malloc(((size_t)call->n_in + 1) * sizeof *call->in);
  if (call->in == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d inputs", call->n_in);
  for (int k = 0; k < call->n_in; k++) {
    const char *name = call->proto->input[k];
    call->in[k]      = name[0] != '\0' ? ee_onnx_names_get(&g->names, name) : -1;
    if (name[0] == '\0') continue;
    if (call->in[k] < 0)
      return EE_FAIL(EE_ERR_FORMAT, "%s uses '%s', which nothing before it makes", call->label,
                     name);
    complain_of_absent(g, call->label, call->in[k]);
    *known &= g->value[call->in[k]].state == ONNX_KNOWN;
  }
  return EE_OK;
}

static ee_status convert(onnx_graph *g, onnx_call *call, bool known) {
  EE_TRY(ee_onnx_check_attributes(call));
  if (call->op->check != NULL) EE_TRY(call->op->check(call));
  EE_TRY(count_inputs(call));
  return known ? call->op->convert(g, call) : EE_OK;
}

/* Outputs that the converter did not name get a value that cannot be used. */
static ee_status name_other_outputs(onnx_graph *g, const onnx_call *call, onnx_state state) {
  ee_shape none[2] = {{0}, {0}};
  for (size_t i = 0; i < call->proto->n_output; i++) {
    const char *name = call->proto->output[i];
    int         v;
    if (name[0] == '\0' || ee_onnx_names_get(&g->names, name) >= 0) continue;
    EE_TRY(ee_onnx_value_add(g, name, EE_VALUE_ACTIVATION, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
                             none, &v));
    g->value[v].state = state;
    EE_TRY(ee_onnx_name(g, name, v));
  }
  return EE_OK;
}

static ee_status need_new_outputs(const onnx_graph *g, const Onnx__NodeProto *proto) {
  for (size_t i = 0; i < proto->n_output; i++) {
    if (proto->output[i][0] != '\0' && ee_onnx_names_get(&g->names, proto->output[i]) >= 0)
      return EE_FAIL(EE_ERR_FORMAT, "two nodes make '%s'", proto->output[i]);
  }
  return EE_OK;
}

static ee_status walk_node(onnx_graph *g, const Onnx__NodeProto *proto) {
  onnx_call call;
  bool      known = false;
  EE_TRY(need_new_outputs(g, proto));
  ee_status status = open_call(g, proto, &call);
  if (status == EE_OK) status = find_inputs(g, &call, &known);
  if (status == EE_OK) status = convert(g, &call, known);
  free(call.in);
  bool converted = status == EE_OK && known;
  if (status == EE_ERR_UNSUPPORTED) {
    ee_onnx_complain(g, ee_status_message());
    status = EE_OK;
  }
  if (status != EE_OK) return status;
  return name_other_outputs(g, &call, converted ? ONNX_ABSENT : ONNX_UNKNOWN);
}

/* An output that is the input itself becomes a copy, so that there is a node to run. */
static ee_status copy_of_input(onnx_graph *g, const char *name, int *v) {
  onnx_call call  = {.n_in = 1, .in = &g->input};
  ee_shape  at[2] = {g->value[g->input].at[0], g->value[g->input].at[1]};
  snprintf(call.name, sizeof call.name, "%s", name);
  snprintf(call.label, sizeof call.label, "output '%.95s'", name);
  ee_node node = ee_onnx_node(&call, EE_OP_RESHAPE, 1);
  return ee_onnx_emit(g, &call, &node, at, v);
}

/* The value of output @p name; each value is an output once. */
static ee_status find_output(onnx_graph *g, const char *name, int *v) {
  if (name == NULL) return EE_FAIL(EE_ERR_FORMAT, "an output has no name");
  *v = ee_onnx_names_get(&g->names, name);
  if (*v < 0) return EE_FAIL(EE_ERR_FORMAT, "nothing makes the output '%s'", name);
  complain_of_absent(g, "the graph", *v);
  if (g->value[*v].state != ONNX_KNOWN) return EE_OK;
  if (g->value[*v].kind == EE_VALUE_CONSTANT)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "the output '%s' does not depend on the input", name);
  if (*v == g->input) EE_TRY(copy_of_input(g, name, v));
  if (g->value[*v].is_output)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "the output '%s' is the same array as another", name);
  g->value[*v].is_output = true;
  return EE_OK;
}

static ee_status find_outputs(onnx_graph *g) {
  size_t n = g->proto->n_output;
  if (n == 0) return EE_FAIL(EE_ERR_FORMAT, "the graph has no output");
  g->output = calloc(n, sizeof *g->output);
  if (g->output == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu outputs", n);
  for (size_t i = 0; i < n; i++) {
    ee_status status = find_output(g, g->proto->output[i]->name, &g->output[i]);
    if (status == EE_ERR_UNSUPPORTED)
      ee_onnx_complain(g, ee_status_message());
    else
      EE_TRY(status);
  }
  g->n_outputs = (int)n;
  return EE_OK;
}

ee_status ee_onnx_walk(onnx_graph *g) {
  for (size_t i = 0; i < g->proto->n_node; i++) EE_TRY(walk_node(g, g->proto->node[i]));
  EE_TRY(find_outputs(g));
  if (g->n_complaints == 0) return EE_OK;
  char more[48] = "";
  if (g->n_unsaid > 0) snprintf(more, sizeof more, "; and %d more", g->n_unsaid);
  return EE_FAIL(EE_ERR_UNSUPPORTED, "not supported: %s%s", g->complaints, more);
}
