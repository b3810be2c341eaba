/* SPDX-License-Identifier: Apache-2.0 */
/* What a converter asks about its node: attributes by name, constants given as inputs, axes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_operator.h"
#include "onnx_tensor.h"

/* The letter of attribute @p name in "name:letter ..."; '\0' if it is not there. */
static char letter_of(const char *attributes, const char *name) {
  size_t n = strlen(name);
  for (const char *at = attributes; at != NULL && *at != '\0'; at = strchr(at, ' ')) {
    at += *at == ' ';
    if (strncmp(at, name, n) == 0 && at[n] == ':') return at[n + 1];
  }
  return '\0';
}

static Onnx__AttributeProto__AttributeType type_of(char letter) {
  switch (letter) {
    case 'i':
      return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    case 'f':
      return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    case 's':
      return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    case 't':
      return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    case 'I':
      return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    default:
      return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
  }
}

ee_status ee_onnx_check_attributes(const onnx_call *call) {
  char unknown[256] = "";
  for (size_t i = 0; i < call->proto->n_attribute; i++) {
    const Onnx__AttributeProto *a = call->proto->attribute[i];
    if (a->name == NULL) return EE_FAIL(EE_ERR_FORMAT, "%s: an attribute has no name", call->label);
    char   letter = letter_of(call->op->attributes, a->name);
    size_t used   = strlen(unknown);
    if (letter == '\0')
      snprintf(unknown + used, sizeof unknown - used, "%s'%s'", used > 0 ? ", " : "", a->name);
    else if ((a->has_type && a->type != type_of(letter)) || (letter == 't' && a->t == NULL))
      return EE_FAIL(EE_ERR_FORMAT, "%s: attribute '%s' has a wrong type", call->label, a->name);
  }
  if (unknown[0] == '\0') return EE_OK;
  return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: attribute %s", call->label, unknown);
}

const Onnx__AttributeProto *ee_onnx_attribute(const onnx_call *call, const char *name) {
  for (size_t i = 0; i < call->proto->n_attribute; i++) {
    if (strcmp(call->proto->attribute[i]->name, name) == 0) return call->proto->attribute[i];
  }
  return NULL;
}

int64_t ee_onnx_int(const onnx_call *call, const char *name, int64_t absent) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, name);
  return a != NULL ? a->i : absent;
}

float ee_onnx_float(const onnx_call *call, const char *name, float absent) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, name);
  return a != NULL ? a->f : absent;
}

void ee_onnx_string(const onnx_call *call, const char *name, const char *absent, char *text,
                    size_t size) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, name);
  if (a == NULL || a->s.len == 0)
    snprintf(text, size, "%s", a == NULL ? absent : "");
  else
    snprintf(text, size, "%.*s", (int)(a->s.len < size ? a->s.len : size), (const char *)a->s.data);
}

bool ee_onnx_has(const onnx_call *call, int k) {
  return k < call->n_in && call->in[k] >= 0;
}

static ee_status need_constant(const onnx_graph *g, const onnx_call *call, int k) {
  const onnx_value *value = &g->value[call->in[k]];
  if (value->kind == EE_VALUE_CONSTANT) return EE_OK;
  return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its input '%s' must be a constant", call->label,
                 value->name);
}

ee_status ee_onnx_input_ints(onnx_graph *g, const onnx_call *call, int k, const int64_t **list,
                             int *n) {
  EE_TRY(need_constant(g, call, k));
  const onnx_value *value = &g->value[call->in[k]];
  if (value->ints == NULL && value->tensor == NULL)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its input '%s' must be integers", call->label,
                   value->name);
  EE_TRY(ee_onnx_ints(g, call->in[k]));
  int64_t count = ee_shape_elements(&value->at[0]);
  if (value->at[0].rank > 1 || count > 1024)
    return EE_FAIL(EE_ERR_FORMAT, "%s: its input '%s' must be a short vector", call->label,
                   value->name);
  *list = value->ints;
  *n    = (int)count;
  return EE_OK;
}

ee_status ee_onnx_input_scalar(onnx_graph *g, const onnx_call *call, int k, float *scalar) {
  EE_TRY(need_constant(g, call, k));
  const onnx_value *value = &g->value[call->in[k]];
  float            *data  = NULL;
  if (ee_shape_elements(&value->at[0]) != 1 || (value->data == NULL && value->tensor == NULL))
    return EE_FAIL(EE_ERR_FORMAT, "%s: its input '%s' must be one number", call->label,
                   value->name);
  if (value->data == NULL) EE_TRY(ee_onnx_tensor_floats(value->tensor, value->name, &data));
  *scalar = value->data != NULL ? value->data[0] : data[0];
  free(data);
  if (isnan(*scalar))
    return EE_FAIL(EE_ERR_FORMAT, "%s: its input '%s' is not a number", call->label, value->name);
  return EE_OK;
}

ee_status ee_onnx_axis(const onnx_call *call, int64_t axis, int rank, int *found) {
  if (axis < -rank || axis >= rank)
    return EE_FAIL(EE_ERR_FORMAT, "%s: axis %lld of an array of %d dimensions", call->label,
                   (long long)axis, rank);
  *found = (int)(axis < 0 ? axis + rank : axis);
  return EE_OK;
}

ee_status ee_onnx_axes(onnx_graph *g, const onnx_call *call, int k, const int64_t **list, int *n) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, "axes");
  *n                            = -1;
  *list                         = NULL;
  if (a == NULL) return ee_onnx_has(call, k) ? ee_onnx_input_ints(g, call, k, list, n) : EE_OK;
  if (a->n_ints > EE_MAX_RANK)
    return EE_FAIL(EE_ERR_FORMAT, "%s: %zu axes", call->label, a->n_ints);
  *list = a->ints;
  *n    = (int)a->n_ints;
  return EE_OK;
}

ee_status ee_onnx_axis_flags(onnx_graph *g, const onnx_call *call, int k, int rank, bool *flag,
                             int *n) {
  const int64_t *list;
  EE_TRY(ee_onnx_axes(g, call, k, &list, n));
  for (int i = 0; i < rank; i++) flag[i] = false;
  for (int i = 0; i < *n; i++) {
    int axis = 0;
    EE_TRY(ee_onnx_axis(call, list[i], rank, &axis));
    if (flag[axis]) return EE_FAIL(EE_ERR_FORMAT, "%s: axis %d comes twice", call->label, axis);
    flag[axis] = true;
  }
  return EE_OK;
}

ee_status ee_onnx_pass(onnx_graph *g, const onnx_call *call) {
  return ee_onnx_name(g, call->proto->output[0], call->in[0]);
}

ee_status ee_onnx_reshape_to(onnx_graph *g, const onnx_call *call, const ee_shape *to) {
  char              have[128], want[128];
  const onnx_value *x     = &g->value[call->in[0]];
  ee_shape          at[2] = {*to, *to};
  if (ee_shape_elements(to) != ee_shape_elements(&x->at[0]))
    return EE_FAIL(EE_ERR_FORMAT, "%s: shape %s cannot become %s", call->label,
                   ee_shape_text(&x->at[0], have, sizeof have),
                   ee_shape_text(to, want, sizeof want));
  if (ee_shape_equal(&x->at[0], to)) return ee_onnx_pass(g, call);

  // Each sample is reshaped by itself if the first dimension stays the batch.
  if (g->batched && x->kind != EE_VALUE_CONSTANT) {
    if (to->rank > 0 && to->dim[0] == 1)
      at[1].dim[0] = x->at[1].dim[0];
    else
      snprintf(g->reason, sizeof g->reason, "%s moves the first dimension", call->label);
    g->batched = to->rank > 0 && to->dim[0] == 1;
  }
  ee_node node = ee_onnx_node(call, EE_OP_RESHAPE, 1);
  int     type = x->type;
  EE_TRY(ee_onnx_emit_result(g, call, &node, at));
  g->value[ee_onnx_names_get(&g->names, call->proto->output[0])].type = type;
  return EE_OK;
}
