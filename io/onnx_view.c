/* SPDX-License-Identifier: Apache-2.0 */
/* Traces an array back through nodes that only move or scale its numbers. */
#include "onnx_view.h"

#include <string.h>

#define MOST_NODES 24  // that are traced back through

bool ee_onnx_view_add_dimension(onnx_view *view) {
  if (view->rank == EE_MAX_RANK) return false;
  view->start[++view->rank] = view->n;
  return true;
}

bool ee_onnx_view_add(onnx_view *view, onnx_factor factor) {
  if (factor.size == 1) return true;
  onnx_factor *last = view->n > view->start[view->rank - 1] ? &view->factor[view->n - 1] : NULL;
  if (last != NULL && last->stride == factor.size * factor.stride) {
    *last = (onnx_factor){last->size * factor.size, factor.stride};
    return true;
  }
  if (view->n == ONNX_MAX_FACTORS) return false;
  view->factor[view->n++] = factor;
  view->start[view->rank] = view->n;
  return true;
}

int64_t ee_onnx_view_length(const onnx_view *view, int i) {
  int64_t length = 1;
  for (int k = view->start[i]; k < view->start[i + 1]; k++) length *= view->factor[k].size;
  return length;
}

ee_shape ee_onnx_view_shape(const onnx_view *view) {
  ee_shape shape = {.rank = view->rank};
  for (int i = 0; i < view->rank; i++) shape.dim[i] = ee_onnx_view_length(view, i);
  return shape;
}

static onnx_view empty_like(const onnx_view *view) {
  return (onnx_view){.source = view->source, .first = view->first, .scale = view->scale};
}

static onnx_view whole(const onnx_fusion *f, int v) {
  const ee_shape *shape = ee_onnx_shape_of(f, v);
  onnx_view       view  = {.source = v, .scale = 1.0};
  for (int i = 0; i < shape->rank; i++) {
    ee_onnx_view_add_dimension(&view);
    int64_t stride = ee_shape_product(shape, i + 1, shape->rank);
    if (shape->dim[i] != 1) ee_onnx_view_add(&view, (onnx_factor){shape->dim[i], stride});
  }
  return view;
}

bool ee_onnx_view_is_run(const onnx_view *view, int from, int end, int64_t stride) {
  for (int k = view->start[end] - 1; k >= view->start[from]; k--) {
    if (view->factor[k].stride != stride) return false;
    stride *= view->factor[k].size;
  }
  return true;
}

bool ee_onnx_view_pick(const onnx_view *view, int from, int end, onnx_factor pick, onnx_view *to) {
  onnx_factor piece[ONNX_MAX_FACTORS];
  int         n   = 0;
  int64_t     low = pick.stride, high = pick.stride * pick.size, inner = 1, found = 1;
  for (int k = view->start[end] - 1; k >= view->start[from]; k--) {
    onnx_factor own   = view->factor[k];
    int64_t     outer = inner * own.size, a = low > inner ? low : inner,
            b = high < outer ? high : outer;
    if (a < b) {
      if (a % inner != 0 || outer % b != 0 || b % a != 0) return false;
      piece[n++] = (onnx_factor){b / a, own.stride * (a / inner)};
      found *= b / a;
    }
    inner = outer;
  }
  if (found != pick.size) return false;
  while (n > 0) {
    if (!ee_onnx_view_add(to, piece[--n])) return false;
  }
  return true;
}

/* The same elements in the same order with dimensions @p shape. */
static bool regroup(onnx_view *view, const ee_shape *shape) {
  onnx_view to     = empty_like(view);
  int64_t   stride = ee_shape_elements(shape), length = 1;
  for (int i = 0; i < view->rank; i++) length *= ee_onnx_view_length(view, i);
  if (length != stride) return false;
  for (int i = 0; i < shape->rank; i++) {
    stride /= shape->dim[i];
    if (!ee_onnx_view_add_dimension(&to)) return false;
    onnx_factor all = {shape->dim[i], stride};
    if (!ee_onnx_view_pick(view, 0, view->rank, all, &to)) return false;
  }
  *view = to;
  return true;
}

static bool append_dimension(const onnx_view *from, int i, onnx_view *to) {
  bool fits = ee_onnx_view_add_dimension(to);
  for (int k = from->start[i]; fits && k < from->start[i + 1]; k++)
    fits = ee_onnx_view_add(to, from->factor[k]);
  return fits;
}

static bool transpose(onnx_view *view, const ee_node *node) {
  onnx_view to = empty_like(view);
  for (int i = 0; i < view->rank; i++) {
    if (!append_dimension(view, node->attr.transpose.perm[i], &to)) return false;
  }
  *view = to;
  return true;
}

/* Elements start, start + step, .. of dimension @p i, @p length of them. */
static bool narrow(const onnx_view *view, int i, int64_t start, int64_t step, int64_t length,
                   onnx_view *to) {
  bool all = start == 0 && step == 1 && length == ee_onnx_view_length(view, i);
  if (all) return append_dimension(view, i, to);
  if (view->start[i + 1] - view->start[i] != 1) return false;
  onnx_factor whole_dimension = view->factor[view->start[i]];
  to->first += start * whole_dimension.stride;
  return ee_onnx_view_add_dimension(to) &&
         ee_onnx_view_add(to, (onnx_factor){length, step * whole_dimension.stride});
}

static bool slice(onnx_view *view, const ee_node *node, const ee_shape *out) {
  onnx_view to = empty_like(view);
  for (int i = 0; i < view->rank; i++) {
    int64_t start = node->attr.slice.start[i], step = node->attr.slice.step[i];
    if (!narrow(view, i, start, step, out->dim[i], &to)) return false;
  }
  *view = to;
  return true;
}

/* One place along an axis, which may vanish. */
static bool gather(const onnx_fusion *f, onnx_view *view, const ee_node *node,
                   const ee_shape *out) {
  const onnx_value *index = &f->g->value[node->in[1]];
  int               axis  = node->attr.gather.axis;
  if (index->kind != EE_VALUE_CONSTANT || index->data == NULL) return false;
  if (ee_shape_elements(&index->at[0]) != 1) return false;
  int64_t length = ee_onnx_view_length(view, axis);
  float   asked  = index->data[0] < 0.0F ? index->data[0] + (float)length : index->data[0];
  if (!(asked >= 0.0F && asked < (float)length) || asked != (float)(int64_t)asked) return false;
  onnx_view to = empty_like(view);
  for (int i = 0; i < view->rank; i++) {
    bool fits =
        i == axis ? narrow(view, i, (int64_t)asked, 1, 1, &to) : append_dimension(view, i, &to);
    if (!fits) return false;
  }
  *view = to;
  return regroup(view, out);
}

/* The other input of a product with, or a quotient by, one number. */
static bool scaled(const onnx_fusion *f, const ee_node *node, double *scale, int *x) {
  float number;
  int   k = ee_onnx_number_input(f, node, &number);
  if (k < 0 || (node->op == EE_OP_DIV && k == 0)) return false;
  *x = node->in[1 - k];
  *scale *= node->op == EE_OP_MUL ? (double)number : 1.0 / (double)number;
  return ee_shape_equal(ee_onnx_shape_of(f, *x), ee_onnx_shape_of(f, node->out));
}

/* The array that @p node moves or scales, and by how much. */
static bool moved_by(const onnx_fusion *f, const ee_node *node, double *scale, int *x) {
  *x = node->in[0];
  switch (node->op) {
    case EE_OP_MUL:
    case EE_OP_DIV:
      return scaled(f, node, scale, x);
    case EE_OP_RESHAPE:
    case EE_OP_TRANSPOSE:
    case EE_OP_SLICE:
    case EE_OP_GATHER:
      return f->g->value[*x].kind != EE_VALUE_CONSTANT;
    default:
      return false;
  }
}

/* The view of its result if @p view is one of what it moves. */
static bool go_through(const onnx_fusion *f, onnx_view *view, const ee_node *node) {
  const ee_shape *out = ee_onnx_shape_of(f, node->out);
  switch (node->op) {
    case EE_OP_RESHAPE:
      return regroup(view, out);
    case EE_OP_TRANSPOSE:
      return transpose(view, node);
    case EE_OP_SLICE:
      return slice(view, node, out);
    case EE_OP_GATHER:
      return gather(f, view, node, out);
    default:
      return true;
  }
}

onnx_view ee_onnx_view_of(const onnx_fusion *f, int v) {
  const ee_node *through[MOST_NODES];
  double         scale = 1.0;
  int            n = 0, x = v;
  while (n < MOST_NODES) {
    const ee_node *node = ee_onnx_maker(f, x);
    int            next;
    double         more = scale;
    if (node == NULL || !moved_by(f, node, &more, &next)) break;
    through[n++] = node;
    scale        = more;
    x            = next;
  }
  onnx_view view = whole(f, x);
  view.scale     = scale;
  while (n > 0) {
    if (!go_through(f, &view, through[--n])) return whole(f, v);
  }
  return view;
}
