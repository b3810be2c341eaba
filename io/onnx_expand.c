/* SPDX-License-Identifier: Apache-2.0 */
/* Converter of Expand: elements are repeated by a product with ones. */
#include <stdlib.h>

#include "onnx_operator.h"

static ee_status wanted(onnx_graph *g, const onnx_call *call, ee_shape *want) {
  const int64_t *dims;
  int            n;
  EE_TRY(ee_onnx_input_ints(g, call, 1, &dims, &n));
  if (n > EE_MAX_RANK)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: to %d dimensions, the most are %d", call->label, n,
                   EE_MAX_RANK);
  *want = (ee_shape){.rank = n};
  for (int i = 0; i < n; i++) {
    want->dim[i] = dims[i];
    if (dims[i] < 1)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: dimension %d is %lld", call->label, i,
                     (long long)dims[i]);
  }
  return EE_OK;
}

static ee_status expand_integers(onnx_graph *g, const onnx_call *call, const ee_shape *to) {
  EE_TRY(ee_onnx_ints(g, call->in[0]));
  const ee_shape *x                 = &g->value[call->in[0]].at[0];
  int64_t         step[EE_MAX_RANK] = {0};
  for (int i = 0; i < x->rank; i++) {
    if (x->dim[i] != 1) step[to->rank - x->rank + i] = ee_shape_product(x, i + 1, x->rank);
  }
  return ee_onnx_integers_selected(g, call, to, 0, step);
}

static ee_status ones(onnx_graph *g, const onnx_call *call, const ee_shape *shape, int *v) {
  int64_t n = ee_shape_elements(shape);
  if (n > ONNX_MAX_MADE)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its result is too large", call->label);
  float *data = malloc((size_t)n * sizeof *data);
  if (data == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for %lld numbers of %s", (long long)n, call->label);
  for (int64_t i = 0; i < n; i++) data[i] = 1.0f;
  return ee_onnx_constant(g, call->name, shape, data, v);
}

ee_status ee_onnx_expand(onnx_graph *g, const onnx_call *call) {
  ee_shape want, to;
  bool     integers = ee_onnx_is_integers(g, call, 0);
  EE_TRY(wanted(g, call, &want));
  if (!integers) EE_TRY(ee_onnx_need_float(g, call, 0));
  const ee_shape *x = &g->value[call->in[0]].at[0];
  EE_TRY(ee_onnx_common_shape(x, &want, &to));
  if (integers) return expand_integers(g, call, &to);
  if (ee_shape_equal(x, &to)) return ee_onnx_pass(g, call);
  ee_node node = ee_onnx_node(call, EE_OP_MUL, 2);
  EE_TRY(ones(g, call, &want, &node.in[1]));
  return ee_onnx_emit_result(g, call, &node, NULL);
}
