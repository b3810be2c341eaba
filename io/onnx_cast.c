/* SPDX-License-Identifier: Apache-2.0 */
/* Converter of Cast: constants of integers or float32 to int64, int32, bool or float32, and ids
 * that are given as input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_operator.h"
#include "onnx_tensor.h"

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* Truths are stored as 0 and 1. */
static ee_status integers_to_truths(onnx_graph *g, const onnx_call *call) {
  int64_t *truth;
  EE_TRY(ee_onnx_integers_make(g, call, &g->value[call->in[0]].at[0], &truth));
  const onnx_value *x = &g->value[call->in[0]];
  for (int64_t i = 0; i < ee_shape_elements(&x->at[0]); i++) truth[i] = x->ints[i] != 0;
  return EE_OK;
}

/* An int32 keeps its value among integers, which are all stored alike. */
static ee_status narrow_integers(onnx_graph *g, const onnx_call *call, int64_t to) {
  EE_TRY(ee_onnx_ints(g, call->in[0]));
  const onnx_value *x = &g->value[call->in[0]];
  int64_t           n = ee_shape_elements(&x->at[0]);
  if (to == TYPE(BOOL)) return integers_to_truths(g, call);
  for (int64_t i = 0; i < n && to == TYPE(INT32); i++) {
    if (x->ints[i] < INT32_MIN || x->ints[i] > INT32_MAX)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: %lld is no int32", call->label,
                     (long long)x->ints[i]);
  }
  return ee_onnx_pass(g, call);
}

ee_status ee_onnx_floats_of_integers(onnx_graph *g, const onnx_call *call, int v, int *floats) {
  char name[EE_NAME_BYTES];
  EE_TRY(ee_onnx_ints(g, v));
  ee_shape shape = g->value[v].at[0];
  int64_t  n     = ee_shape_elements(&shape);
  float   *data  = malloc((size_t)n * sizeof *data + 1);
  if (data == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for %lld numbers of %s", (long long)n, call->label);
  for (int64_t i = 0; i < n; i++) data[i] = (float)g->value[v].ints[i];
  memcpy(name, g->value[v].name, sizeof name);
  return ee_onnx_constant(g, name, &shape, data, floats);
}

static ee_status integers_to_floats(onnx_graph *g, const onnx_call *call) {
  int v;
  EE_TRY(ee_onnx_floats_of_integers(g, call, call->in[0], &v));
  snprintf(g->value[v].name, sizeof g->value[v].name, "%s", call->proto->output[0]);
  return ee_onnx_name(g, call->proto->output[0], v);
}

/* Towards zero, as C does. */
static ee_status floats_to_integers(onnx_graph *g, const onnx_call *call, int64_t to) {
  int64_t *ints;
  float    beyond = to == TYPE(INT32) ? 0x1p31f : 0x1p63f;
  EE_TRY(ee_onnx_floats(g, call->in[0]));
  const onnx_value *x = &g->value[call->in[0]];
  int64_t           n = ee_shape_elements(&x->at[0]);
  for (int64_t i = 0; i < n; i++) {
    if (!(x->data[i] >= -beyond && x->data[i] < beyond))
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: %g is no %s", call->label, (double)x->data[i],
                     ee_onnx_type_name((int)to));
  }
  EE_TRY(ee_onnx_integers_make(g, call, &x->at[0], &ints));
  x = &g->value[call->in[0]];
  for (int64_t i = 0; i < n; i++) ints[i] = (int64_t)x->data[i];
  return EE_OK;
}

/* Ids stay whole numbers, and float32 stays what it is. */
static bool changes_nothing(const onnx_value *x, int64_t to) {
  bool to_whole = to == TYPE(INT64) || to == TYPE(INT32);
  if (x->kind == EE_VALUE_CONSTANT) return false;
  if (x->type == TYPE(BOOL) || x->type == TYPE(FLOAT)) return to == x->type;
  return ee_onnx_type_is_integer(x->type) && to_whole;
}

ee_status ee_onnx_cast(onnx_graph *g, const onnx_call *call) {
  const onnx_value *x  = &g->value[call->in[0]];
  int64_t           to = ee_onnx_int(call, "to", 0);
  if (changes_nothing(x, to)) return ee_onnx_pass(g, call);
  bool whole = x->kind != EE_VALUE_CONSTANT && ee_onnx_type_is_integer(x->type);
  if (whole && to == TYPE(FLOAT)) return ee_onnx_truths_to_floats(g, call);
  bool integers = ee_onnx_is_integers(g, call, 0);
  bool floats   = x->kind == EE_VALUE_CONSTANT && x->type == TYPE(FLOAT);
  if (!integers && !floats)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s of '%s', which is not a constant of integers or float32",
                   call->label, x->name);
  bool to_integers = to == TYPE(INT64) || to == TYPE(INT32) || (to == TYPE(BOOL) && integers);
  if (!to_integers && to != TYPE(FLOAT))
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s to %s; int64, int32 and float32 are supported",
                   call->label, to < 0 || to > 64 ? "no type" : ee_onnx_type_name((int)to));
  if (to == TYPE(FLOAT)) return integers ? integers_to_floats(g, call) : ee_onnx_pass(g, call);
  return integers ? narrow_integers(g, call, to) : floats_to_integers(g, call, to);
}
