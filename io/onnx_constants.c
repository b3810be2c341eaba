/* SPDX-License-Identifier: Apache-2.0 */
/* Converters of nodes that compute nothing: Constant, ConstantOfShape, Identity, Dropout. */
#include <stdlib.h>
#include <string.h>

#include "onnx_operator.h"
#include "onnx_tensor.h"

static ee_status add_lazily(onnx_graph *g, const onnx_call *call, const Onnx__TensorProto *tensor) {
  const char *name = call->proto->output[0];
  ee_shape    at[2];
  int         v;
  EE_TRY(ee_onnx_tensor_shape(tensor, name, &at[0]));
  at[1] = at[0];
  EE_TRY(ee_onnx_value_add(g, name, EE_VALUE_CONSTANT, tensor->data_type, at, &v));
  g->value[v].tensor = tensor;
  return ee_onnx_name(g, name, v);
}

/* A vector of n numbers, or a scalar if n is negative; exactly one of the lists is not NULL. */
static ee_status add_numbers(onnx_graph *g, const onnx_call *call, const float *floats,
                             const int64_t *ints, int64_t n) {
  const char *name  = call->proto->output[0];
  ee_shape    shape = {.rank = n >= 0, .dim = {n >= 0 ? n : 0}}, at[2] = {shape, shape};
  int         v, type = floats != NULL ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
                                       : ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
  size_t      count = n >= 0 ? (size_t)n : 1, size = floats != NULL ? sizeof *floats : sizeof *ints;
  void       *copy = malloc(count * size + 1);
  if (copy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu numbers of %s", count, call->label);
  memcpy(copy, floats != NULL ? (const void *)floats : ints, count * size);
  ee_status status = ee_onnx_value_add(g, name, EE_VALUE_CONSTANT, type, at, &v);
  if (status != EE_OK) {
    free(copy);
    return status;
  }
  if (floats != NULL)
    g->value[v].data = copy;
  else
    g->value[v].ints = copy;
  return ee_onnx_name(g, name, v);
}

ee_status ee_onnx_constant_node(onnx_graph *g, const onnx_call *call) {
  static const float          no_floats[1] = {0};
  static const int64_t        no_ints[1]   = {0};
  const Onnx__AttributeProto *a;
  if ((a = ee_onnx_attribute(call, "value")) != NULL) return add_lazily(g, call, a->t);
  if ((a = ee_onnx_attribute(call, "value_float")) != NULL)
    return add_numbers(g, call, &a->f, NULL, -1);
  if ((a = ee_onnx_attribute(call, "value_int")) != NULL)
    return add_numbers(g, call, NULL, &a->i, -1);
  if ((a = ee_onnx_attribute(call, "value_floats")) != NULL)
    return add_numbers(g, call, a->n_floats > 0 ? a->floats : no_floats, NULL,
                       (int64_t)a->n_floats);
  if ((a = ee_onnx_attribute(call, "value_ints")) != NULL)
    return add_numbers(g, call, NULL, a->n_ints > 0 ? a->ints : no_ints, (int64_t)a->n_ints);
  return EE_FAIL(EE_ERR_FORMAT, "%s: it has no value", call->label);
}

/* The number that fills the array; 0 of float32 if none is given. */
typedef struct fill_number {
  bool    is_integer;
  float   number;
  int64_t integer;
} fill_number;

static ee_status read_fill(const onnx_call *call, fill_number *fill) {
  const Onnx__AttributeProto *a    = ee_onnx_attribute(call, "value");
  float                      *data = NULL;
  int64_t                    *ints = NULL;
  ee_shape                    shape;
  *fill = (fill_number){0};
  if (a == NULL) return EE_OK;
  EE_TRY(ee_onnx_tensor_shape(a->t, call->name, &shape));
  if (ee_shape_elements(&shape) != 1)
    return EE_FAIL(EE_ERR_FORMAT, "%s: its value must be one number", call->label);
  fill->is_integer = ee_onnx_type_is_integer(a->t->data_type);
  if (fill->is_integer)
    EE_TRY(ee_onnx_tensor_ints(a->t, call->name, &ints));
  else
    EE_TRY(ee_onnx_tensor_floats(a->t, call->name, &data));
  if (ints != NULL) fill->integer = ints[0];
  if (data != NULL) fill->number = data[0];
  free(ints);
  free(data);
  return EE_OK;
}

static ee_status fill_floats(onnx_graph *g, const onnx_call *call, const ee_shape *shape,
                             float fill) {
  int     v;
  int64_t n    = ee_shape_elements(shape);
  float  *data = malloc((size_t)n * sizeof *data);
  if (data == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for %lld numbers of %s", (long long)n, call->label);
  for (int64_t i = 0; i < n; i++) data[i] = fill;
  EE_TRY(ee_onnx_constant(g, call->proto->output[0], shape, data, &v));
  return ee_onnx_name(g, call->proto->output[0], v);
}

ee_status ee_onnx_constant_of_shape(onnx_graph *g, const onnx_call *call) {
  const int64_t *dims;
  ee_shape       shape = {0};
  fill_number    fill;
  EE_TRY(ee_onnx_input_ints(g, call, 0, &dims, &shape.rank));
  EE_TRY(read_fill(call, &fill));
  for (int i = 0; i < shape.rank && i < EE_MAX_RANK; i++) {
    shape.dim[i] = dims[i];
    if (dims[i] < !fill.is_integer)  // a list of integers may be empty
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: it has no elements", call->label);
  }
  if (shape.rank > EE_MAX_RANK || ee_shape_elements(&shape) > ONNX_MAX_MADE)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its result is too large", call->label);
  return fill.is_integer ? ee_onnx_integers_filled(g, call, &shape, fill.integer)
                         : fill_floats(g, call, &shape, fill.number);
}

ee_status ee_onnx_identity(onnx_graph *g, const onnx_call *call) {
  return ee_onnx_pass(g, call);
}

/* Inference drops nothing; the second output, the mask, is not computed. */
ee_status ee_onnx_dropout(onnx_graph *g, const onnx_call *call) {
  const int64_t *training = NULL;
  int            n        = 0;
  if (ee_onnx_has(call, 2)) EE_TRY(ee_onnx_input_ints(g, call, 2, &training, &n));
  if (n > 0 && training[0] != 0)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: training_mode; export for inference", call->label);
  return ee_onnx_pass(g, call);
}
