/* SPDX-License-Identifier: Apache-2.0 */
/* Converters of operators along axes: Concat, Softmax, LogSoftmax, Pad, ReduceMean. */
#include <string.h>

#include "onnx_operator.h"

/* Joins call inputs [from, to) behind @p first (none if negative). */
static ee_node concat_node(const onnx_call *call, int first, int from, int to, int axis) {
  ee_node node         = ee_onnx_node(call, EE_OP_CONCAT, 0);
  node.attr.along.axis = axis;
  if (first >= 0) node.in[node.n_in++] = first;
  for (int k = from; k < to; k++) node.in[node.n_in++] = call->in[k];
  return node;
}

ee_status ee_onnx_concat(onnx_graph *g, const onnx_call *call) {
  int  axis, joined = -1, next = 0;
  bool integers = ee_onnx_is_integers(g, call, 0);
  for (int k = 0; k < call->n_in && !integers; k++) EE_TRY(ee_onnx_need_float(g, call, k));
  if (ee_onnx_attribute(call, "axis") == NULL)
    return EE_FAIL(EE_ERR_FORMAT, "%s: axis is missing", call->label);
  EE_TRY(ee_onnx_axis(call, ee_onnx_int(call, "axis", 0), g->value[call->in[0]].at[0].rank, &axis));
  if (call->n_in == 1) return ee_onnx_pass(g, call);
  if (integers) return ee_onnx_integers_joined(g, call, axis);

  for (;;) {  // a node has few inputs: the first ones are joined, then the next ones behind them
    int     room = EE_MAX_NODE_INPUTS - (joined >= 0), left = call->n_in - next;
    int     end  = next + (left < room ? left : room);
    ee_node node = concat_node(call, joined, next, end, axis);
    if (end == call->n_in) return ee_onnx_emit_result(g, call, &node, NULL);
    EE_TRY(ee_onnx_emit(g, call, &node, NULL, &joined));
    next = end;
  }
}

ee_status ee_onnx_softmax(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, (ee_op)call->op->which, 1);
  bool    old  = call->opset < 13;  // over all axes from `axis` on, which was 1 by default
  EE_TRY(ee_onnx_need_float(g, call, 0));
  int     rank   = g->value[call->in[0]].at[0].rank, axis;
  int64_t absent = old && rank > 1 ? 1 : -1;
  EE_TRY(ee_onnx_axis(call, ee_onnx_int(call, "axis", absent), rank, &axis));
  node.attr.along.axis    = axis;
  node.attr.along.flatten = old && axis < rank - 1;
  return ee_onnx_emit_result(g, call, &node, NULL);
}

static int pad_mode(const onnx_call *call) {
  static const char *const known[] = {"constant", "reflect", "edge", "wrap"};
  char                     mode[32];
  ee_onnx_string(call, "mode", "constant", mode, sizeof mode);
  for (int i = 0; i < 4; i++) {
    if (strcmp(mode, known[i]) == 0) return i;
  }
  return -1;
}

ee_status ee_onnx_check_pad(const onnx_call *call) {
  char mode[32];
  ee_onnx_string(call, "mode", "constant", mode, sizeof mode);
  if (pad_mode(call) < 0) return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: mode '%s'", call->label, mode);
  return EE_OK;
}

/* Amounts: all before, then all after, of the axes given or of every axis. */
static ee_status read_pads(onnx_graph *g, const onnx_call *call, const int64_t **list, int *n) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, "pads");
  if (a == NULL && !ee_onnx_has(call, 1))
    return EE_FAIL(EE_ERR_FORMAT, "%s: pads are missing", call->label);
  if (a == NULL) return ee_onnx_input_ints(g, call, 1, list, n);
  *list = a->ints;
  *n    = a->n_ints > 2 * EE_MAX_RANK ? -1 : (int)a->n_ints;
  return EE_OK;
}

static ee_status put_pad(const onnx_call *call, int64_t amount, int *out) {
  if (amount < -INT32_MAX || amount > INT32_MAX)
    return EE_FAIL(EE_ERR_FORMAT, "%s: padding of %lld", call->label, (long long)amount);
  *out = (int)amount;
  return EE_OK;
}

ee_status ee_onnx_pad(onnx_graph *g, const onnx_call *call) {
  ee_node        node = ee_onnx_node(call, EE_OP_PAD, 1);
  const int64_t *pads, *axes    = NULL;
  int            n_pads, n_axes = -1;
  EE_TRY(ee_onnx_need_float(g, call, 0));
  int rank = g->value[call->in[0]].at[0].rank;
  EE_TRY(read_pads(g, call, &pads, &n_pads));
  if (ee_onnx_has(call, 3)) EE_TRY(ee_onnx_input_ints(g, call, 3, &axes, &n_axes));
  int n = n_axes < 0 ? rank : n_axes;
  if (n_pads != 2 * n)
    return EE_FAIL(EE_ERR_FORMAT, "%s: it needs %d amounts, there are %d", call->label, 2 * n,
                   n_pads);
  for (int i = 0; i < n; i++) {
    int axis = i;
    if (axes != NULL) EE_TRY(ee_onnx_axis(call, axes[i], rank, &axis));
    EE_TRY(put_pad(call, pads[i], &node.attr.pad.before[axis]));
    EE_TRY(put_pad(call, pads[n + i], &node.attr.pad.after[axis]));
  }
  node.attr.pad.mode  = pad_mode(call);
  node.attr.pad.value = ee_onnx_float(call, "value", 0.0f);
  if (ee_onnx_has(call, 2)) EE_TRY(ee_onnx_input_scalar(g, call, 2, &node.attr.pad.value));
  return ee_onnx_emit_result(g, call, &node, NULL);
}

static ee_shape reduced(const ee_shape *x, const bool *axis, bool keep) {
  ee_shape out = {0};
  for (int i = 0; i < x->rank; i++) {
    if (!axis[i])
      out.dim[out.rank++] = x->dim[i];
    else if (keep)
      out.dim[out.rank++] = 1;
  }
  return out;
}

ee_status ee_onnx_reduce_mean(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, EE_OP_REDUCE_MEAN, 1);
  bool   *axis = node.attr.reduce.axis;
  int     n;
  EE_TRY(ee_onnx_need_float(g, call, 0));
  const onnx_value *x    = &g->value[call->in[0]];
  int               rank = x->at[0].rank;
  EE_TRY(ee_onnx_axis_flags(g, call, 1, rank, axis, &n));
  if (n <= 0 && ee_onnx_int(call, "noop_with_empty_axes", 0) != 0) return ee_onnx_pass(g, call);
  for (int i = 0; n <= 0 && i < rank; i++) axis[i] = true;
  bool     keep  = ee_onnx_int(call, "keepdims", 1) != 0;
  ee_shape at[2] = {reduced(&x->at[0], axis, keep), reduced(&x->at[1], axis, keep)};
  return ee_onnx_emit_result(g, call, &node, at);
}
