/* SPDX-License-Identifier: Apache-2.0 */
/* Converters of operators that move or rename elements: Flatten, Reshape, Squeeze, Unsqueeze,
 * Transpose. */
#include "onnx_operator.h"

ee_status ee_onnx_flatten(onnx_graph *g, const onnx_call *call) {
  EE_TRY(ee_onnx_need_movable(g, call, 0));
  const ee_shape *x    = &g->value[call->in[0]].at[0];
  int64_t         axis = ee_onnx_int(call, "axis", 1);
  if (axis < -x->rank || axis > x->rank)
    return EE_FAIL(EE_ERR_FORMAT, "%s: axis %lld of an array of %d dimensions", call->label,
                   (long long)axis, x->rank);
  int      split = (int)(axis < 0 ? axis + x->rank : axis);
  ee_shape to    = {.rank = 2,
                    .dim  = {ee_shape_product(x, 0, split), ee_shape_product(x, split, x->rank)}};
  return ee_onnx_reshape_to(g, call, &to);
}

/* The shape that list[0..n) asks of @p x: 0 copies a dimension, -1 stands for what is left. */
static ee_status wanted_shape(const onnx_call *call, const ee_shape *x, const int64_t *list, int n,
                              ee_shape *to) {
  bool    literal_zero = ee_onnx_int(call, "allowzero", 0) != 0;
  int     open         = -1;
  int64_t rest         = 1;
  if (n > EE_MAX_RANK)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: to %d dimensions, the most are %d", call->label, n,
                   EE_MAX_RANK);
  *to = (ee_shape){.rank = n};
  for (int i = 0; i < n; i++) {
    to->dim[i] = list[i] == 0 && !literal_zero && i < x->rank ? x->dim[i] : list[i];
    bool two   = list[i] == -1 && open >= 0;
    if (to->dim[i] < -1 || two ||
        (list[i] != -1 && __builtin_mul_overflow(rest, to->dim[i], &rest)))
      return EE_FAIL(EE_ERR_FORMAT, "%s: entry %d of its shape is %lld", call->label, i,
                     (long long)list[i]);
    if (list[i] == -1) open = i;
  }
  if (open >= 0) to->dim[open] = rest > 0 ? ee_shape_elements(x) / rest : 0;
  return EE_OK;
}

ee_status ee_onnx_reshape(onnx_graph *g, const onnx_call *call) {
  const int64_t *list;
  int            n;
  ee_shape       to;
  bool           integers = ee_onnx_is_integers(g, call, 0);
  if (!integers) EE_TRY(ee_onnx_need_movable(g, call, 0));
  EE_TRY(ee_onnx_input_ints(g, call, 1, &list, &n));
  EE_TRY(wanted_shape(call, &g->value[call->in[0]].at[0], list, n, &to));
  return integers ? ee_onnx_integers_reshaped(g, call, &to) : ee_onnx_reshape_to(g, call, &to);
}

ee_status ee_onnx_squeeze(onnx_graph *g, const onnx_call *call) {
  bool drop[EE_MAX_RANK];
  int  n;
  bool integers = ee_onnx_is_integers(g, call, 0);
  if (!integers) EE_TRY(ee_onnx_need_movable(g, call, 0));
  const ee_shape *x = &g->value[call->in[0]].at[0];
  EE_TRY(ee_onnx_axis_flags(g, call, 1, x->rank, drop, &n));
  ee_shape to = {0};
  for (int i = 0; i < x->rank; i++) {
    if (n < 0) drop[i] = x->dim[i] == 1;
    if (drop[i] && x->dim[i] != 1)
      return EE_FAIL(EE_ERR_FORMAT, "%s: dimension %d is %lld, only 1 can go", call->label, i,
                     (long long)x->dim[i]);
    if (!drop[i]) to.dim[to.rank++] = x->dim[i];
  }
  return integers ? ee_onnx_integers_reshaped(g, call, &to) : ee_onnx_reshape_to(g, call, &to);
}

ee_status ee_onnx_unsqueeze(onnx_graph *g, const onnx_call *call) {
  const int64_t *list;
  bool           fresh[EE_MAX_RANK];
  int            n;
  bool           integers = ee_onnx_is_integers(g, call, 0);
  if (!integers) EE_TRY(ee_onnx_need_movable(g, call, 0));
  const ee_shape *x = &g->value[call->in[0]].at[0];
  EE_TRY(ee_onnx_axes(g, call, 1, &list, &n));
  if (n < 0) return EE_FAIL(EE_ERR_FORMAT, "%s: axes are missing", call->label);
  if (n > EE_MAX_RANK - x->rank)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: to %d dimensions, the most are %d", call->label,
                   x->rank + n, EE_MAX_RANK);
  ee_shape to = {.rank = x->rank + n};
  EE_TRY(ee_onnx_axis_flags(g, call, 1, to.rank, fresh, &n));
  for (int i = 0, from = 0; i < to.rank; i++) to.dim[i] = fresh[i] ? 1 : x->dim[from++];
  return integers ? ee_onnx_integers_reshaped(g, call, &to) : ee_onnx_reshape_to(g, call, &to);
}

static ee_status read_permutation(const onnx_call *call, int rank, int *perm, bool *moves) {
  const Onnx__AttributeProto *a                 = ee_onnx_attribute(call, "perm");
  bool                        seen[EE_MAX_RANK] = {false};
  *moves                                        = false;
  if (a != NULL && a->n_ints != (size_t)rank)
    return EE_FAIL(EE_ERR_FORMAT, "%s: perm has %zu entries for %d dimensions", call->label,
                   a->n_ints, rank);
  for (int i = 0; i < rank; i++) {
    int64_t from = a != NULL ? a->ints[i] : rank - 1 - i;
    if (from < 0 || from >= rank || seen[from])
      return EE_FAIL(EE_ERR_FORMAT, "%s: perm is no permutation", call->label);
    seen[from] = true;
    perm[i]    = (int)from;
    *moves |= from != i;
  }
  return EE_OK;
}

ee_status ee_onnx_transpose(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, EE_OP_TRANSPOSE, 1);
  bool    moves, integers = ee_onnx_is_integers(g, call, 0);
  if (!integers) EE_TRY(ee_onnx_need_float(g, call, 0));
  EE_TRY(
      read_permutation(call, g->value[call->in[0]].at[0].rank, node.attr.transpose.perm, &moves));
  if (!moves) return ee_onnx_pass(g, call);
  return integers ? ee_onnx_integers_transposed(g, call, node.attr.transpose.perm)
                  : ee_onnx_emit_result(g, call, &node, NULL);
}
