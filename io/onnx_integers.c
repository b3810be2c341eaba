/* SPDX-License-Identifier: Apache-2.0 */
/* Constants of integers, such as the amounts of a Pad, that a file makes from other constants:
 * filled, joined, reshaped, permuted and selected. */
#include <stdlib.h>
#include <string.h>

#include "onnx_operator.h"
#include "onnx_tensor.h"

#define MOST_INTEGERS ((int64_t)1 << 16)  // of a constant that is made

/* Elements of a constant as they lie in another: its first one, and the steps along each axis. */
typedef struct selection {
  ee_shape shape;
  int64_t  first, step[EE_MAX_RANK];
} selection;

bool ee_onnx_is_integers(const onnx_graph *g, const onnx_call *call, int k) {
  const onnx_value *value = &g->value[call->in[k]];
  return value->kind == EE_VALUE_CONSTANT && ee_onnx_type_is_integer(value->type);
}

ee_status ee_onnx_integers_make(onnx_graph *g, const onnx_call *call, const ee_shape *shape,
                                int64_t **ints) {
  const char *name  = call->proto->output[0];
  ee_shape    at[2] = {*shape, *shape};
  char        text[128];
  int64_t     n = ee_shape_elements(shape);
  int         v;
  *ints = NULL;
  if (n < 0 || n > MOST_INTEGERS)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: integers of shape %s; the most are %lld", call->label,
                   ee_shape_text(shape, text, sizeof text), (long long)MOST_INTEGERS);
  EE_TRY(
      ee_onnx_value_add(g, name, EE_VALUE_CONSTANT, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, at, &v));
  g->value[v].ints = *ints = malloc((size_t)n * sizeof **ints + 1);
  if (*ints == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for %lld integers of %s", (long long)n, call->label);
  return ee_onnx_name(g, name, v);
}

ee_status ee_onnx_integers_filled(onnx_graph *g, const onnx_call *call, const ee_shape *shape,
                                  int64_t fill) {
  int64_t *ints, n = ee_shape_elements(shape);
  EE_TRY(ee_onnx_integers_make(g, call, shape, &ints));
  for (int64_t i = 0; i < n; i++) ints[i] = fill;
  return EE_OK;
}

ee_status ee_onnx_integers_reshaped(onnx_graph *g, const onnx_call *call, const ee_shape *to) {
  char            have[128], want[128];
  int64_t        *ints;
  const ee_shape *x = &g->value[call->in[0]].at[0];
  if (ee_shape_elements(to) != ee_shape_elements(x))
    return EE_FAIL(EE_ERR_FORMAT, "%s: shape %s cannot become %s", call->label,
                   ee_shape_text(x, have, sizeof have), ee_shape_text(to, want, sizeof want));
  EE_TRY(ee_onnx_ints(g, call->in[0]));
  EE_TRY(ee_onnx_integers_make(g, call, to, &ints));
  memcpy(ints, g->value[call->in[0]].ints, (size_t)ee_shape_elements(to) * sizeof *ints);
  return EE_OK;
}

/* The selection of everything. */
static selection select_all(const ee_shape *x) {
  selection s = {.shape = *x};
  if (ee_shape_elements(x) == 0) return s;
  for (int i = 0; i < x->rank; i++) s.step[i] = ee_shape_product(x, i + 1, x->rank);
  return s;
}

static ee_status give_selection(onnx_graph *g, const onnx_call *call, const selection *s) {
  int64_t *ints, n = ee_shape_elements(&s->shape);
  EE_TRY(ee_onnx_integers_make(g, call, &s->shape, &ints));
  for (int64_t i = 0; i < n; i++) {
    int64_t from = s->first, rest = i;
    for (int axis = s->shape.rank - 1; axis >= 0; axis--) {
      from += rest % s->shape.dim[axis] * s->step[axis];
      rest /= s->shape.dim[axis];
    }
    ints[i] = g->value[call->in[0]].ints[from];
  }
  return EE_OK;
}

ee_status ee_onnx_integers_selected(onnx_graph *g, const onnx_call *call, const ee_shape *shape,
                                    int64_t first, const int64_t *step) {
  selection s = {.shape = *shape, .first = first};
  memcpy(s.step, step, (size_t)shape->rank * sizeof *step);
  return give_selection(g, call, &s);
}

ee_status ee_onnx_integers_transposed(onnx_graph *g, const onnx_call *call, const int *perm) {
  EE_TRY(ee_onnx_ints(g, call->in[0]));
  selection all = select_all(&g->value[call->in[0]].at[0]), s = all;
  for (int i = 0; i < s.shape.rank; i++) {
    s.shape.dim[i] = all.shape.dim[perm[i]];
    s.step[i]      = all.step[perm[i]];
  }
  return give_selection(g, call, &s);
}

/* Shape of all inputs behind each other. */
static ee_status joined_shape(const onnx_graph *g, const onnx_call *call, int axis,
                              ee_shape *joined) {
  char have[128], want[128];
  *joined = g->value[call->in[0]].at[0];
  for (int k = 1; k < call->n_in; k++) {
    const ee_shape *x    = &g->value[call->in[k]].at[0];
    ee_shape        like = *x;
    if (x->rank == joined->rank) like.dim[axis] = joined->dim[axis];
    if (!ee_shape_equal(&like, joined))
      return EE_FAIL(EE_ERR_FORMAT, "%s: shape %s cannot follow %s", call->label,
                     ee_shape_text(x, have, sizeof have), ee_shape_text(joined, want, sizeof want));
    if (__builtin_add_overflow(joined->dim[axis], x->dim[axis], &joined->dim[axis]))
      return EE_FAIL(EE_ERR_FORMAT, "%s: its result is too large", call->label);
  }
  return EE_OK;
}

ee_status ee_onnx_integers_joined(onnx_graph *g, const onnx_call *call, int axis) {
  ee_shape shape;
  int64_t *ints, before = 0;
  for (int k = 0; k < call->n_in; k++) {
    if (!ee_onnx_is_integers(g, call, k))
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: '%s' is not a constant of integers as the first is",
                     call->label, g->value[call->in[k]].name);
    EE_TRY(ee_onnx_ints(g, call->in[k]));
  }
  EE_TRY(joined_shape(g, call, axis, &shape));
  EE_TRY(ee_onnx_integers_make(g, call, &shape, &ints));
  int64_t row    = ee_shape_product(&shape, axis, shape.rank);
  int64_t n_rows = ee_shape_product(&shape, 0, axis);
  for (int k = 0; k < call->n_in && ee_shape_elements(&shape) > 0; k++) {
    const onnx_value *x     = &g->value[call->in[k]];
    int64_t           piece = ee_shape_product(&x->at[0], axis, shape.rank);
    for (int64_t r = 0; r < n_rows; r++)
      memcpy(ints + r * row + before, x->ints + r * piece, (size_t)piece * sizeof *ints);
    before += piece;
  }
  return EE_OK;
}
