/* SPDX-License-Identifier: Apache-2.0 */
/* Converters of products, sums, batch normalisation and elementwise functions. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_operator.h"

static ee_status need_floats(onnx_graph *g, const onnx_call *call) {
  for (int k = 0; k < call->n_in; k++) {
    if (ee_onnx_has(call, k)) EE_TRY(ee_onnx_need_float(g, call, k));
  }
  return EE_OK;
}

ee_status ee_onnx_gemm(onnx_graph *g, const onnx_call *call) {
  ee_node node           = ee_onnx_node(call, EE_OP_GEMM, 3);
  node.attr.gemm.alpha   = ee_onnx_float(call, "alpha", 1.0f);
  node.attr.gemm.beta    = ee_onnx_float(call, "beta", 1.0f);
  node.attr.gemm.trans_a = ee_onnx_int(call, "transA", 0) != 0;
  node.attr.gemm.trans_b = ee_onnx_int(call, "transB", 0) != 0;
  EE_TRY(need_floats(g, call));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

ee_status ee_onnx_matmul(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, EE_OP_MATMUL, 2);
  EE_TRY(need_floats(g, call));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

ee_status ee_onnx_check_batch_norm(const onnx_call *call) {
  if (ee_onnx_int(call, "training_mode", 0) != 0)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: training_mode; export for inference", call->label);
  if (ee_onnx_int(call, "spatial", 1) == 0)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: spatial 0", call->label);
  return EE_OK;
}

/* Every variance must have a root, of which there is an inverse. */
static ee_status check_variance(const onnx_call *call, const onnx_value *variance, float epsilon) {
  int64_t n = ee_shape_elements(&variance->at[0]);
  for (int64_t i = 0; i < n; i++) {
    if ((double)variance->data[i] + (double)epsilon > 0.0 || isnan(variance->data[i])) continue;
    return EE_FAIL(EE_ERR_FORMAT, "%s: its variance '%s' is %g at element %lld, with epsilon %g",
                   call->label, variance->name, (double)variance->data[i], (long long)i,
                   (double)epsilon);
  }
  return EE_OK;
}

ee_status ee_onnx_batch_norm(onnx_graph *g, const onnx_call *call) {
  ee_node node                 = ee_onnx_node(call, EE_OP_BATCH_NORM, 5);
  node.attr.batch_norm.epsilon = ee_onnx_float(call, "epsilon", 1e-5f);
  for (int k = 1; k < 5; k++) {
    if (g->value[call->in[k]].kind != EE_VALUE_CONSTANT)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its input '%s' is not constant", call->label,
                     g->value[call->in[k]].name);
  }
  EE_TRY(need_floats(g, call));
  EE_TRY(check_variance(call, &g->value[call->in[4]], node.attr.batch_norm.epsilon));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

/* Scale and bias have the shape of x from the axis on; the mean and the deviation, further outputs,
 * are not computed. */
ee_status ee_onnx_layer_norm(onnx_graph *g, const onnx_call *call) {
  ee_node node                 = ee_onnx_node(call, EE_OP_LAYER_NORM, 3);
  node.attr.layer_norm.epsilon = ee_onnx_float(call, "epsilon", 1e-5f);
  EE_TRY(need_floats(g, call));
  const ee_shape *x = &g->value[call->in[0]].at[0];
  EE_TRY(ee_onnx_axis(call, ee_onnx_int(call, "axis", -1), x->rank, &node.attr.layer_norm.axis));
  ee_shape row = {.rank = x->rank - node.attr.layer_norm.axis};
  for (int i = 0; i < row.rank; i++) row.dim[i] = x->dim[node.attr.layer_norm.axis + i];
  for (int k = 1; k < 3; k++) {
    char have[128], want[128];
    if (!ee_onnx_has(call, k) || ee_shape_equal(&g->value[call->in[k]].at[0], &row)) continue;
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: '%s' has shape %s, %s is supported", call->label,
                   g->value[call->in[k]].name,
                   ee_shape_text(&g->value[call->in[k]].at[0], have, sizeof have),
                   ee_shape_text(&row, want, sizeof want));
  }
  return ee_onnx_emit_result(g, call, &node, NULL);
}

ee_status ee_onnx_elementwise(onnx_graph *g, const onnx_call *call) {
  if (ee_onnx_is_integers(g, call, 0)) return ee_onnx_integers_elementwise(g, call);
  ee_node node = ee_onnx_node(call, (ee_op)call->op->which, 2);
  EE_TRY(need_floats(g, call));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

/* Exponents may be integers. */
ee_status ee_onnx_pow(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, EE_OP_POW, 2);
  EE_TRY(ee_onnx_need_float(g, call, 0));
  if (ee_onnx_is_integers(g, call, 1))
    EE_TRY(ee_onnx_floats_of_integers(g, call, call->in[1], &node.in[1]));
  else
    EE_TRY(ee_onnx_need_float(g, call, 1));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

ee_status ee_onnx_number(onnx_graph *g, const onnx_call *call, float x, int *v) {
  ee_shape scalar = {.rank = 0};
  float   *number = malloc(sizeof *number);
  if (number == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a number of %s", call->label);
  *number = x;
  return ee_onnx_constant(g, call->name, &scalar, number, v);
}

/* A node of the number @p x and input 0. */
static ee_status emit_with_number(onnx_graph *g, const onnx_call *call, ee_op op, float x) {
  ee_node node = ee_onnx_node(call, op, 2);
  EE_TRY(ee_onnx_need_float(g, call, 0));
  node.in[1] = call->in[0];
  EE_TRY(ee_onnx_number(g, call, x, &node.in[0]));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

ee_status ee_onnx_reciprocal(onnx_graph *g, const onnx_call *call) {
  return emit_with_number(g, call, EE_OP_DIV, 1.0f);
}

ee_status ee_onnx_neg(onnx_graph *g, const onnx_call *call) {
  if (ee_onnx_is_integers(g, call, 0)) return ee_onnx_integers_negated(g, call);
  return emit_with_number(g, call, EE_OP_MUL, -1.0f);
}

ee_status ee_onnx_check_gelu(const onnx_call *call) {
  char how[32];
  ee_onnx_string(call, "approximate", "none", how, sizeof how);
  if (strcmp(how, "none") != 0 && strcmp(how, "tanh") != 0)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: approximate '%s'", call->label, how);
  return EE_OK;
}

ee_status ee_onnx_gelu(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, EE_OP_ACTIVATION, 1);
  char    how[32];
  ee_onnx_string(call, "approximate", "none", how, sizeof how);
  node.act.kind = strcmp(how, "tanh") == 0 ? EE_ACT_GELU_TANH : EE_ACT_GELU;
  EE_TRY(ee_onnx_need_float(g, call, 0));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

/* x0 + x1 + ... from left to right. */
ee_status ee_onnx_sum(onnx_graph *g, const onnx_call *call) {
  EE_TRY(need_floats(g, call));
  if (call->n_in == 1) return ee_onnx_pass(g, call);
  int sum = call->in[0];
  for (int k = 1; k < call->n_in; k++) {
    ee_node node = ee_onnx_node(call, EE_OP_ADD, 2);
    node.in[0]   = sum;
    node.in[1]   = call->in[k];
    if (k == call->n_in - 1) return ee_onnx_emit_result(g, call, &node, NULL);
    EE_TRY(ee_onnx_emit(g, call, &node, NULL, &sum));
  }
  return EE_OK;
}

ee_status ee_onnx_activation(onnx_graph *g, const onnx_call *call) {
  ee_node node  = ee_onnx_node(call, EE_OP_ACTIVATION, 1);
  node.act.kind = (ee_act)call->op->which;
  if (node.act.kind == EE_ACT_LEAKY_RELU) node.act.alpha = ee_onnx_float(call, "alpha", 0.01f);
  if (node.act.kind == EE_ACT_HARD_SIGMOID) {
    node.act.alpha = ee_onnx_float(call, "alpha", 0.2f);
    node.act.beta  = ee_onnx_float(call, "beta", 0.5f);
  }
  EE_TRY(need_floats(g, call));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

ee_status ee_onnx_clip(onnx_graph *g, const onnx_call *call) {
  ee_node node   = ee_onnx_node(call, EE_OP_ACTIVATION, 1);
  node.act.kind  = EE_ACT_CLIP;
  node.act.alpha = ee_onnx_float(call, "min", -FLT_MAX);
  node.act.beta  = ee_onnx_float(call, "max", FLT_MAX);
  EE_TRY(ee_onnx_need_float(g, call, 0));
  if (ee_onnx_has(call, 1)) EE_TRY(ee_onnx_input_scalar(g, call, 1, &node.act.alpha));
  if (ee_onnx_has(call, 2)) EE_TRY(ee_onnx_input_scalar(g, call, 2, &node.act.beta));
  return ee_onnx_emit_result(g, call, &node, NULL);
}
