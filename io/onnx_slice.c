/* SPDX-License-Identifier: Apache-2.0 */
/* Converters of operators that take a part: Slice and Split. */
#include <limits.h>
#include <stdio.h>

#include "onnx_operator.h"

/* What is taken along each axis: start, start + step, ..., as many as the shape says. */
typedef struct part {
  ee_shape shape;
  int64_t  start[EE_MAX_RANK], step[EE_MAX_RANK];
} part;

static part whole(const ee_shape *x) {
  part p = {.shape = *x};
  for (int i = 0; i < x->rank; i++) p.step[i] = 1;
  return p;
}

static int64_t clamped(int64_t x, int64_t least, int64_t most) {
  return x > most ? most : x < least ? least : x;
}

/* Narrow axis @p axis to start, start + step, ... before end; negative places count from the end,
 * and places outside are moved to the nearest inside. */
static void narrow(part *p, int axis, int64_t start, int64_t end, int64_t step) {
  int64_t dim  = p->shape.dim[axis];
  bool    back = step < 0;
  step         = clamped(step, -dim, dim);
  start        = clamped(start < 0 ? start + dim : start, 0, back ? dim - 1 : dim);
  end          = clamped(end < 0 ? end + dim : end, back ? -1 : 0, back ? dim - 1 : dim);
  int64_t span = back ? start - end : end - start, stride = back ? -step : step;
  p->shape.dim[axis] = span > 0 ? (span - 1) / stride + 1 : 0;
  p->start[axis]     = start;
  p->step[axis]      = step;
}

/* A part of the first dimension is no batch. */
static void watch_batch(onnx_graph *g, const onnx_call *call, bool takes_all) {
  if (!g->batched || takes_all || g->value[call->in[0]].kind == EE_VALUE_CONSTANT) return;
  g->batched = false;
  snprintf(g->reason, sizeof g->reason, "%s takes a part of the first dimension", call->label);
}

/* A node that takes @p p of input 0; *v is its result's value. */
static ee_status emit_part(onnx_graph *g, const onnx_call *call, const part *p, int *v) {
  ee_node  node  = ee_onnx_node(call, EE_OP_SLICE, 1);
  ee_shape at[2] = {p->shape, p->shape};
  for (int i = 0; i < p->shape.rank; i++) {
    if (p->start[i] > INT_MAX || p->step[i] > INT_MAX || p->step[i] < -INT_MAX)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: dimension %d is too large", call->label, i);
    node.attr.slice.start[i] = (int)p->start[i];
    node.attr.slice.step[i]  = (int)p->step[i];
  }
  const onnx_value *x = &g->value[call->in[0]];
  if (g->batched && x->kind != EE_VALUE_CONSTANT) at[1].dim[0] = x->at[1].dim[0];
  return ee_onnx_emit(g, call, &node, at, v);
}

static ee_status give_floats(onnx_graph *g, const onnx_call *call, const part *p, int output) {
  int         v    = call->in[0];
  const char *name = call->proto->output[output];
  if (ee_shape_elements(&p->shape) == 0)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its result has no elements", call->label);
  bool all = ee_shape_equal(&p->shape, &g->value[v].at[0]);
  for (int i = 0; i < p->shape.rank; i++) all &= p->step[i] == 1;
  if (!all) {
    EE_TRY(emit_part(g, call, p, &v));
    snprintf(g->value[v].name, sizeof g->value[v].name, "%s", name);
  }
  return ee_onnx_name(g, name, v);
}

static ee_status give_integers(onnx_graph *g, const onnx_call *call, const part *p) {
  const ee_shape *x     = &g->value[call->in[0]].at[0];
  int64_t         first = 0, step[EE_MAX_RANK] = {0};
  for (int i = 0; i < x->rank && ee_shape_elements(x) > 0; i++) {
    int64_t stride = ee_shape_product(x, i + 1, x->rank);
    first += p->start[i] * stride;
    step[i] = p->step[i] * stride;
  }
  return ee_onnx_integers_selected(g, call, &p->shape, first, step);
}

/* One list of a Slice: an attribute before operator set 10, then input @p k; *n is -1 if it is
 * left out. */
static ee_status slice_list(onnx_graph *g, const onnx_call *call, const char *name, int k,
                            const int64_t **list, int *n) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, name);
  *list                         = NULL;
  *n                            = -1;
  if (a == NULL) return ee_onnx_has(call, k) ? ee_onnx_input_ints(g, call, k, list, n) : EE_OK;
  *list = a->ints;
  *n    = a->n_ints <= EE_MAX_RANK ? (int)a->n_ints : EE_MAX_RANK + 1;
  return EE_OK;
}

/* Whether these places are all of an axis, however long it is. */
static bool takes_all(int64_t start, int64_t end, int64_t step) {
  return start == 0 && step == 1 && end >= INT_MAX;
}

static ee_status read_slice(onnx_graph *g, const onnx_call *call, part *p) {
  const int64_t *starts, *ends, *axes, *steps;
  int            n, n_ends, n_axes, n_steps;
  bool           seen[EE_MAX_RANK] = {false};
  EE_TRY(slice_list(g, call, "starts", 1, &starts, &n));
  EE_TRY(slice_list(g, call, "ends", 2, &ends, &n_ends));
  EE_TRY(slice_list(g, call, "axes", 3, &axes, &n_axes));
  EE_TRY(slice_list(g, call, "steps", 4, &steps, &n_steps));
  if (n < 0 || n > p->shape.rank || n_ends != n || (n_axes >= 0 && n_axes != n) ||
      (n_steps >= 0 && n_steps != n))
    return EE_FAIL(EE_ERR_FORMAT, "%s: starts, ends, axes and steps do not fit %d dimensions",
                   call->label, p->shape.rank);
  for (int i = 0; i < n; i++) {
    int     axis = i;
    int64_t step = steps != NULL ? steps[i] : 1;
    if (axes != NULL) EE_TRY(ee_onnx_axis(call, axes[i], p->shape.rank, &axis));
    if (step == 0 || seen[axis])
      return EE_FAIL(EE_ERR_FORMAT, "%s: axis %d %s", call->label, axis,
                     step == 0 ? "has a step of 0" : "comes twice");
    seen[axis] = true;
    narrow(p, axis, starts[i], ends[i], step);
    if (axis == 0) watch_batch(g, call, takes_all(starts[i], ends[i], step));
  }
  return EE_OK;
}

ee_status ee_onnx_slice(onnx_graph *g, const onnx_call *call) {
  bool integers = ee_onnx_is_integers(g, call, 0);
  if (integers)
    EE_TRY(ee_onnx_ints(g, call->in[0]));
  else
    EE_TRY(ee_onnx_need_float(g, call, 0));
  part p = whole(&g->value[call->in[0]].at[0]);
  EE_TRY(read_slice(g, call, &p));
  return integers ? give_integers(g, call, &p) : give_floats(g, call, &p, 0);
}

/* How long each piece is: as listed, or as even as can be with a shorter last one. */
static ee_status piece_length(const onnx_call *call, const int64_t *list, int n_list, int64_t total,
                              int piece, int64_t *length) {
  int64_t n = (int64_t)call->proto->n_output, even = (total + n - 1) / n;
  if (list != NULL && n_list != n)
    return EE_FAIL(EE_ERR_FORMAT, "%s: %d lengths for %lld outputs", call->label, n_list,
                   (long long)n);
  *length = list != NULL ? list[piece] : even < total - piece * even ? even : total - piece * even;
  if (*length < 1)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: output %d has no elements", call->label, piece);
  return EE_OK;
}

static ee_status read_lengths(onnx_graph *g, const onnx_call *call, const int64_t **list, int *n) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, "split");
  int64_t n_outputs             = ee_onnx_int(call, "num_outputs", (int64_t)call->proto->n_output);
  *list                         = NULL;
  *n                            = 0;
  if (n_outputs != (int64_t)call->proto->n_output)
    return EE_FAIL(EE_ERR_FORMAT, "%s: num_outputs is %lld, but it has %zu", call->label,
                   (long long)n_outputs, call->proto->n_output);
  if (a == NULL) return ee_onnx_has(call, 1) ? ee_onnx_input_ints(g, call, 1, list, n) : EE_OK;
  *list = a->ints;
  *n    = a->n_ints <= INT_MAX ? (int)a->n_ints : INT_MAX;
  return EE_OK;
}

ee_status ee_onnx_split(onnx_graph *g, const onnx_call *call) {
  const int64_t *list;
  int            n, axis;
  int64_t        start = 0, length = 0;
  EE_TRY(ee_onnx_need_float(g, call, 0));
  ee_shape x = g->value[call->in[0]].at[0];
  EE_TRY(ee_onnx_axis(call, ee_onnx_int(call, "axis", 0), x.rank, &axis));
  EE_TRY(read_lengths(g, call, &list, &n));
  for (int i = 0; i < (int)call->proto->n_output; i++, start += length) {
    part p = whole(&x);
    EE_TRY(piece_length(call, list, n, x.dim[axis], i, &length));
    if (length > x.dim[axis] - start) break;
    narrow(&p, axis, start, start + length, 1);
    if (axis == 0) watch_batch(g, call, false);
    if (call->proto->output[i][0] != '\0') EE_TRY(give_floats(g, call, &p, i));
  }
  if (start == x.dim[axis]) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: the lengths do not add up to the %lld of dimension %d",
                 call->label, (long long)x.dim[axis], axis);
}
