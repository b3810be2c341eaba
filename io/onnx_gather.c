/* SPDX-License-Identifier: Apache-2.0 */
/* Converter of Gather: rows of a table for ids, places of an array, entries of a shape. */
#include "onnx_operator.h"
#include "onnx_tensor.h"

static ee_shape gathered_shape(const ee_shape *data, const ee_shape *index, int axis) {
  ee_shape out = {0};
  for (int i = 0; i < axis; i++) out.dim[out.rank++] = data->dim[i];
  for (int i = 0; i < index->rank; i++) out.dim[out.rank++] = index->dim[i];
  for (int i = axis + 1; i < data->rank; i++) out.dim[out.rank++] = data->dim[i];
  return out;
}

/* Constant places, which must be there. */
static ee_status check_places(onnx_graph *g, const onnx_call *call, int64_t n) {
  EE_TRY(ee_onnx_ints(g, call->in[1]));
  const onnx_value *index = &g->value[call->in[1]];
  for (int64_t i = 0; i < ee_shape_elements(&index->at[0]); i++) {
    if (index->ints[i] < -n || index->ints[i] >= n)
      return EE_FAIL(EE_ERR_FORMAT, "%s: place %lld of %lld", call->label,
                     (long long)index->ints[i], (long long)n);
  }
  return EE_OK;
}

static ee_status gather_integers(onnx_graph *g, const onnx_call *call, int axis) {
  int64_t *ints;
  EE_TRY(ee_onnx_ints(g, call->in[0]));
  ee_shape data = g->value[call->in[0]].at[0], index = g->value[call->in[1]].at[0];
  if (data.rank - 1 + index.rank > EE_MAX_RANK)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its result has more than %d dimensions", call->label,
                   EE_MAX_RANK);
  ee_shape out = gathered_shape(&data, &index, axis);
  EE_TRY(ee_onnx_integers_make(g, call, &out, &ints));
  const int64_t *from = g->value[call->in[0]].ints, *place = g->value[call->in[1]].ints;
  int64_t        n = data.dim[axis], piece = ee_shape_product(&data, axis + 1, data.rank);
  int64_t        n_index = ee_shape_elements(&index), outer = ee_shape_product(&data, 0, axis);
  for (int64_t i = 0; i < outer * n_index * piece; i++) {
    int64_t at = place[i / piece % n_index];
    ints[i]    = from[(i / piece / n_index * n + (at < 0 ? at + n : at)) * piece + i % piece];
  }
  return EE_OK;
}

ee_status ee_onnx_gather(onnx_graph *g, const onnx_call *call) {
  ee_node           node    = ee_onnx_node(call, EE_OP_GATHER, 2);
  bool              numbers = ee_onnx_is_integers(g, call, 0);
  const onnx_value *data = &g->value[call->in[0]], *index = &g->value[call->in[1]];
  bool              given = index->kind != EE_VALUE_CONSTANT;
  EE_TRY(
      ee_onnx_axis(call, ee_onnx_int(call, "axis", 0), data->at[0].rank, &node.attr.gather.axis));
  if (!ee_onnx_type_is_integer(index->type) || (given && numbers))
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: '%s' is of %s; float32 by integers is supported",
                   call->label, given && numbers ? data->name : index->name,
                   ee_onnx_type_name(given && numbers ? data->type : index->type));
  if (!given) EE_TRY(check_places(g, call, data->at[0].dim[node.attr.gather.axis]));
  if (numbers) return gather_integers(g, call, node.attr.gather.axis);
  EE_TRY(ee_onnx_need_float(g, call, 0));
  if (!given) EE_TRY(ee_onnx_floats_of_integers(g, call, call->in[1], &node.in[1]));
  return ee_onnx_emit_result(g, call, &node, NULL);
}
