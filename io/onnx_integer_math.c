/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic with constants of integers, from which files make the shapes they reshape to: Shape,
 * Size, Range, Neg, Add, Sub, Mul, Div, Equal, Where. */
#include <stdlib.h>

#include "onnx_operator.h"

/* Input @p k as an operand that is broadcast to a shape. */
typedef struct operand {
  const int64_t *ints;
  int64_t        step[EE_MAX_RANK];  // along each dimension of the result
} operand;

static ee_status need_integers(onnx_graph *g, const onnx_call *call) {
  for (int k = 0; k < call->n_in; k++) {
    if (!ee_onnx_is_integers(g, call, k))
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s of '%s', which is not a constant of integers",
                     call->label, g->value[call->in[k]].name);
    EE_TRY(ee_onnx_ints(g, call->in[k]));
  }
  return EE_OK;
}

static ee_status common_shape(const onnx_graph *g, const onnx_call *call, ee_shape *shape) {
  *shape = g->value[call->in[0]].at[0];
  for (int k = 1; k < call->n_in; k++) {
    ee_shape so_far = *shape;
    EE_TRY(ee_onnx_common_shape(&so_far, &g->value[call->in[k]].at[0], shape));
  }
  return EE_OK;
}

static operand operand_of(const onnx_graph *g, const onnx_call *call, int k,
                          const ee_shape *common) {
  const onnx_value *value   = &g->value[call->in[k]];
  const ee_shape   *x       = &value->at[0];
  operand           o       = {.ints = value->ints};
  int               missing = common->rank - x->rank;
  for (int i = 0; i < x->rank; i++) {
    if (x->dim[i] != 1) o.step[missing + i] = ee_shape_product(x, i + 1, x->rank);
  }
  return o;
}

static int64_t element(const operand *o, const ee_shape *shape, int64_t i) {
  int64_t at = 0;
  for (int d = shape->rank - 1; d >= 0; d--) {
    at += i % shape->dim[d] * o->step[d];
    i /= shape->dim[d];
  }
  return o->ints[at];
}

/* a op b; false if it is none. */
static bool apply(ee_op op, int64_t a, int64_t b, int64_t *result) {
  switch (op) {
    case EE_OP_ADD:
      return !__builtin_add_overflow(a, b, result);
    case EE_OP_SUB:
      return !__builtin_sub_overflow(a, b, result);
    case EE_OP_MUL:
      return !__builtin_mul_overflow(a, b, result);
    default:
      if (b == 0 || (a == INT64_MIN && b == -1)) return false;
      *result = a / b;
      return true;
  }
}

ee_status ee_onnx_integers_elementwise(onnx_graph *g, const onnx_call *call) {
  ee_shape shape;
  int64_t *ints;
  EE_TRY(need_integers(g, call));
  EE_TRY(common_shape(g, call, &shape));
  EE_TRY(ee_onnx_integers_make(g, call, &shape, &ints));
  operand a = operand_of(g, call, 0, &shape), b = operand_of(g, call, 1, &shape);
  for (int64_t i = 0; i < ee_shape_elements(&shape); i++) {
    int64_t left = element(&a, &shape, i), right = element(&b, &shape, i);
    if (!apply((ee_op)call->op->which, left, right, &ints[i]))
      return EE_FAIL(EE_ERR_FORMAT, "%s of %lld and %lld", call->label, (long long)left,
                     (long long)right);
  }
  return EE_OK;
}

ee_status ee_onnx_integers_negated(onnx_graph *g, const onnx_call *call) {
  int64_t *ints;
  EE_TRY(need_integers(g, call));
  EE_TRY(ee_onnx_integers_make(g, call, &g->value[call->in[0]].at[0], &ints));
  const onnx_value *x = &g->value[call->in[0]];
  for (int64_t i = 0; i < ee_shape_elements(&x->at[0]); i++) {
    if (x->ints[i] == INT64_MIN) return EE_FAIL(EE_ERR_FORMAT, "%s: too large", call->label);
    ints[i] = -x->ints[i];
  }
  return EE_OK;
}

ee_status ee_onnx_integers_equal(onnx_graph *g, const onnx_call *call) {
  ee_shape shape;
  int64_t *ints;
  EE_TRY(need_integers(g, call));
  EE_TRY(common_shape(g, call, &shape));
  EE_TRY(ee_onnx_integers_make(g, call, &shape, &ints));
  operand a = operand_of(g, call, 0, &shape), b = operand_of(g, call, 1, &shape);
  for (int64_t i = 0; i < ee_shape_elements(&shape); i++)
    ints[i] = element(&a, &shape, i) == element(&b, &shape, i);
  return EE_OK;
}

ee_status ee_onnx_integers_chosen(onnx_graph *g, const onnx_call *call) {
  ee_shape shape;
  int64_t *ints;
  EE_TRY(need_integers(g, call));
  EE_TRY(common_shape(g, call, &shape));
  EE_TRY(ee_onnx_integers_make(g, call, &shape, &ints));
  operand truth = operand_of(g, call, 0, &shape), yes = operand_of(g, call, 1, &shape);
  operand no = operand_of(g, call, 2, &shape);
  for (int64_t i = 0; i < ee_shape_elements(&shape); i++)
    ints[i] = element(element(&truth, &shape, i) != 0 ? &yes : &no, &shape, i);
  return EE_OK;
}

/* start, start + step, ... before end. */
ee_status ee_onnx_range(onnx_graph *g, const onnx_call *call) {
  const int64_t *x[3];
  int            n;
  int64_t        span, *ints;
  for (int k = 0; k < 3; k++) {
    EE_TRY(ee_onnx_input_ints(g, call, k, &x[k], &n));
    if (n != 1) return EE_FAIL(EE_ERR_FORMAT, "%s: input %d is no number", call->label, k);
  }
  int64_t start = *x[0], end = *x[1], step = *x[2], size = step < 0 ? -step : step;
  if (step == 0 || step == INT64_MIN || __builtin_sub_overflow(end, start, &span))
    return EE_FAIL(EE_ERR_FORMAT, "%s from %lld to %lld by %lld", call->label, (long long)start,
                   (long long)end, (long long)step);
  if (step < 0) span = span > 0 ? 0 : -(span + 1) + 1;
  ee_shape shape = {.rank = 1, .dim = {span > 0 ? (span - 1) / size + 1 : 0}};
  EE_TRY(ee_onnx_integers_make(g, call, &shape, &ints));
  for (int64_t i = 0; i < shape.dim[0]; i++) ints[i] = start + i * step;
  return EE_OK;
}

/* The shape of one sample: what is computed of it is the same for every sample. */
ee_status ee_onnx_shape(onnx_graph *g, const onnx_call *call) {
  ee_shape x    = g->value[call->in[0]].at[0];
  int64_t  from = ee_onnx_int(call, "start", 0), to = ee_onnx_int(call, "end", x.rank), *ints;
  from           = from < 0 ? from + x.rank : from;
  to             = to < 0 ? to + x.rank : to;
  from           = from < 0 ? 0 : from;
  to             = to > x.rank ? x.rank : to;
  ee_shape shape = {.rank = 1, .dim = {to > from ? to - from : 0}};
  EE_TRY(ee_onnx_integers_make(g, call, &shape, &ints));
  for (int64_t i = 0; i < shape.dim[0]; i++) ints[i] = x.dim[from + i];
  return EE_OK;
}

ee_status ee_onnx_size(onnx_graph *g, const onnx_call *call) {
  ee_shape scalar = {.rank = 0};
  return ee_onnx_integers_filled(g, call, &scalar, ee_shape_elements(&g->value[call->in[0]].at[0]));
}
