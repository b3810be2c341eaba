/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that move elements and compute nothing: Reshape, Concat, Transpose, Slice, Gather. */
#include <math.h>
#include <string.h>

#include "ref.h"
#include "ref_strides.h"

static void copy(float *to, const float *from, int64_t n) {
  if (n > 0) memcpy(to, from, (size_t)n * sizeof *to);
}

void ee_ref_reshape(const ee_kernel_call *call) {
  copy(call->out, call->in[0], ee_shape_elements(&call->out_shape));
}

/* An input whose first dimensions are 1 where the result's are not, such as a constant beside a
 * batch, is repeated. */
void ee_ref_concat(const ee_kernel_call *call) {
  int     axis      = call->node->attr.along.axis;
  int64_t outer     = ee_shape_product(&call->out_shape, 0, axis);
  int64_t out_piece = ee_shape_product(&call->out_shape, axis, call->out_shape.rank);
  float  *out       = call->out;
  for (int i = 0; i < call->node->n_in; i++) {
    const ee_shape *shape = &call->in_shape[i];
    int64_t         own   = ee_shape_product(shape, 0, axis);
    int64_t         piece = ee_shape_product(shape, axis, shape->rank);
    for (int64_t r = 0; r < outer; r++) {
      copy(out + r * out_piece, call->in[i] + r % own * piece, piece);
    }
    out += piece;
  }
}

/* The elements of @p walk, whose strides a are in the array that begins at @p from. */
static void copy_walk(ee_walk *walk, const float *from, float *to) {
  ee_walk_merge(walk);
  int     last = walk->rank - 1;
  int64_t n = walk->dim[last], step = walk->a[last], rows = 1;
  for (int i = 0; i < last; i++) rows *= walk->dim[i];
  for (int64_t r = 0; r < rows; r++, to += n) {
    const float *row = from + ee_walk_offset(last, walk->dim, walk->a, r);
    if (step == 1) {
      copy(to, row, n);
    } else {
      for (int64_t i = 0; i < n; i++) to[i] = row[i * step];
    }
  }
}

void ee_ref_transpose(const ee_kernel_call *call) {
  const ee_shape *out  = &call->out_shape;
  const int      *perm = call->node->attr.transpose.perm;
  ee_walk         walk = {.rank = out->rank};
  int64_t         stride[EE_MAX_RANK];
  ee_strides(&call->in_shape[0], stride);
  for (int i = 0; i < out->rank; i++) {
    walk.dim[i] = out->dim[i];
    walk.a[i] = walk.b[i] = stride[perm[i]];
  }
  copy_walk(&walk, call->in[0], call->out);
}

void ee_ref_slice(const ee_kernel_call *call) {
  const ee_shape *out  = &call->out_shape;
  const float    *from = call->in[0];
  ee_walk         walk = {.rank = out->rank};
  int64_t         stride[EE_MAX_RANK];
  ee_strides(&call->in_shape[0], stride);
  for (int i = 0; i < out->rank; i++) {
    walk.dim[i] = out->dim[i];
    walk.a[i] = walk.b[i] = stride[i] * call->node->attr.slice.step[i];
    from += stride[i] * call->node->attr.slice.start[i];
  }
  copy_walk(&walk, from, call->out);
}

/* Which of @p n places @p index means; -1: none. */
static int64_t place_of(float index, int64_t n) {
  if (!(index >= (float)-n && index < (float)n) || index != floorf(index)) return -1;
  int64_t place = (int64_t)index;
  return place < 0 ? place + n : place;
}

void ee_ref_gather(const ee_kernel_call *call) {
  const ee_shape *data  = &call->in_shape[0];
  int             axis  = call->node->attr.gather.axis;
  int64_t         outer = ee_shape_product(data, 0, axis),
          piece         = ee_shape_product(data, axis + 1, data->rank);
  int64_t n = data->dim[axis], n_index = ee_shape_elements(&call->in_shape[1]);
  float  *out = call->out;
  for (int64_t r = 0; r < outer; r++) {
    for (int64_t i = 0; i < n_index; i++, out += piece) {
      int64_t place = place_of(call->in[1][i], n);
      if (place >= 0) copy(out, call->in[0] + (r * n + place) * piece, piece);
      for (int64_t j = 0; place < 0 && j < piece; j++) out[j] = NAN;
    }
  }
}
