/* SPDX-License-Identifier: Apache-2.0 */
/* Truths about ids, from which files make masks: Equal, Greater, Less, Not, Where.  A truth is
 * computed as 0 or 1, exactly, because ids are whole numbers:
 * a > b is min(max(a - b, 0), 1), and a = b is 1 - min((a - b)^2, 1). */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "onnx_operator.h"
#include "onnx_tensor.h"

#define BOOL ONNX__TENSOR_PROTO__DATA_TYPE__BOOL
#define FLOAT32 ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT

static const ee_activation plain = {.kind = EE_ACT_NONE};
static const ee_activation truth = {.kind = EE_ACT_CLIP, .alpha = 0.0f, .beta = 1.0f};

static bool is_computed(const onnx_graph *g, int v) {
  return g->value[v].kind != EE_VALUE_CONSTANT;
}

static bool all_constant(const onnx_graph *g, const onnx_call *call) {
  for (int k = 0; k < call->n_in; k++) {
    if (is_computed(g, call->in[k])) return false;
  }
  return true;
}

/* act(a op b), value *v. */
static ee_status emit(onnx_graph *g, const onnx_call *call, ee_op op, int a, int b,
                      ee_activation act, int *v) {
  ee_node node = ee_onnx_node(call, op, 2);
  node.in[0]   = a;
  node.in[1]   = b;
  node.act     = act;
  return ee_onnx_emit(g, call, &node, NULL, v);
}

/* 1 - a. */
static ee_status emit_rest(onnx_graph *g, const onnx_call *call, int a, int *v) {
  int one;
  EE_TRY(ee_onnx_number(g, call, 1.0f, &one));
  return emit(g, call, EE_OP_SUB, one, a, plain, v);
}

/* Let the first output be value @p v, of @p type. */
static ee_status give(onnx_graph *g, const onnx_call *call, int v, int type) {
  const char *name = call->proto->output[0];
  snprintf(g->value[v].name, sizeof g->value[v].name, "%s", name);
  g->value[v].type = type;
  return ee_onnx_name(g, name, v);
}

/* Input @p k as whole numbers: ids, or constant integers as float32. */
static ee_status whole_numbers(onnx_graph *g, const onnx_call *call, int k, int *v) {
  *v = call->in[k];
  if (ee_onnx_is_integers(g, call, k)) return ee_onnx_floats_of_integers(g, call, *v, v);
  if (ee_onnx_type_is_integer(g->value[*v].type)) return EE_OK;
  return EE_FAIL(EE_ERR_UNSUPPORTED,
                 "%s of '%s', which is of %s; ids can be compared with integers", call->label,
                 g->value[*v].name, ee_onnx_type_name(g->value[*v].type));
}

ee_status ee_onnx_compare(onnx_graph *g, const onnx_call *call) {
  int a, b, v;
  if (all_constant(g, call) && call->op->which == ONNX_EQUAL)
    return ee_onnx_integers_equal(g, call);
  EE_TRY(whole_numbers(g, call, 0, &a));
  EE_TRY(whole_numbers(g, call, 1, &b));
  if (all_constant(g, call)) return EE_FAIL(EE_ERR_UNSUPPORTED, "%s of constants", call->label);
  bool less = call->op->which == ONNX_LESS;
  if (call->op->which != ONNX_EQUAL) {
    EE_TRY(emit(g, call, EE_OP_SUB, less ? b : a, less ? a : b, truth, &v));
    return give(g, call, v, BOOL);
  }
  EE_TRY(emit(g, call, EE_OP_SUB, a, b, plain, &v));
  EE_TRY(emit(g, call, EE_OP_MUL, v, v, truth, &v));
  EE_TRY(emit_rest(g, call, v, &v));
  return give(g, call, v, BOOL);
}

ee_status ee_onnx_not(onnx_graph *g, const onnx_call *call) {
  int v = call->in[0];
  if (!is_computed(g, v) || g->value[v].type != BOOL)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s of '%s', which is no truth about ids", call->label,
                   g->value[v].name);
  EE_TRY(emit_rest(g, call, v, &v));
  return give(g, call, v, BOOL);
}

/* Input @p k of float32; one infinite number, as masks have, becomes the largest finite one. */
static ee_status choice(onnx_graph *g, const onnx_call *call, int k, int *v) {
  const onnx_value *x = &g->value[call->in[k]];
  float             number;
  *v = call->in[k];
  if (x->type != FLOAT32 || is_computed(g, *v) || ee_shape_elements(&x->at[0]) != 1)
    return ee_onnx_need_float(g, call, k);
  EE_TRY(ee_onnx_input_scalar(g, call, k, &number));
  if (isinf(number)) return ee_onnx_number(g, call, copysignf(FLT_MAX, number), v);
  return ee_onnx_need_float(g, call, k);
}

/* c a + (1 - c) b. */
ee_status ee_onnx_where(onnx_graph *g, const onnx_call *call) {
  int c, a, b, rest;
  if (all_constant(g, call) && ee_onnx_is_integers(g, call, 1))
    return ee_onnx_integers_chosen(g, call);
  EE_TRY(whole_numbers(g, call, 0, &c));
  EE_TRY(choice(g, call, 1, &a));
  EE_TRY(choice(g, call, 2, &b));
  EE_TRY(emit_rest(g, call, c, &rest));
  EE_TRY(emit(g, call, EE_OP_MUL, c, a, plain, &a));
  EE_TRY(emit(g, call, EE_OP_MUL, rest, b, plain, &b));
  EE_TRY(emit(g, call, EE_OP_ADD, a, b, plain, &c));
  return give(g, call, c, FLOAT32);
}

ee_status ee_onnx_need_movable(onnx_graph *g, const onnx_call *call, int k) {
  const onnx_value *x = &g->value[call->in[k]];
  if (x->kind != EE_VALUE_CONSTANT && ee_onnx_type_is_integer(x->type)) return EE_OK;
  return ee_onnx_need_float(g, call, k);
}

/* A copy that is float32: truths and ids are stored as such. */
ee_status ee_onnx_truths_to_floats(onnx_graph *g, const onnx_call *call) {
  ee_node  node  = ee_onnx_node(call, EE_OP_RESHAPE, 1);
  ee_shape at[2] = {g->value[call->in[0]].at[0], g->value[call->in[0]].at[1]};
  return ee_onnx_emit_result(g, call, &node, at);
}
