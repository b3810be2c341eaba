/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that move elements and compute nothing: Reshape, Concat, Transpose. */
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
  ee_walk_merge(&walk);

  int     last = walk.rank - 1;
  int64_t n = walk.dim[last], step = walk.a[last], rows = ee_shape_elements(out) / n;
  for (int64_t r = 0; r < rows; r++) {
    const float *from = call->in[0] + ee_walk_offset(last, walk.dim, walk.a, r);
    float       *to   = call->out + r * n;
    if (step == 1) {
      copy(to, from, n);
    } else {
      for (int64_t i = 0; i < n; i++) to[i] = from[i * step];
    }
  }
}
