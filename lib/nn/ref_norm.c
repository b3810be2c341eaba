/* SPDX-License-Identifier: Apache-2.0 */
/* Batch and layer normalisation as they are at inference, and means over axes. */
#include <math.h>

#include "ref.h"
#include "ref_strides.h"
#include "ref_sum.h"

/* y = (x - mean) scale / sqrt(var + epsilon) + bias, per channel; in double, rounded once. */
void ee_ref_batch_norm(const ee_kernel_call *call) {
  const ee_shape *shape    = &call->in_shape[0];
  int64_t         channels = shape->dim[1], plane = ee_shape_product(shape, 2, shape->rank);
  double          epsilon = call->node->attr.batch_norm.epsilon;
  for (int64_t i = 0; i < shape->dim[0] * channels; i++) {
    int64_t c               = i % channels;
    double  factor          = call->in[1][c] / sqrt(call->in[4][c] + epsilon);
    double  offset          = call->in[2][c] - call->in[3][c] * factor;
    const float *restrict x = call->in[0] + i * plane;
    float *restrict y       = call->out + i * plane;
    for (int64_t j = 0; j < plane; j++) y[j] = (float)(factor * x[j] + offset);
  }
}

static double sum_of_squares(const float *x, int64_t n, double mean) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
  return sum;
}

/* y = (x - mean) / sqrt(variance + epsilon) scale + bias, row by row; in double, rounded once. */
void ee_ref_layer_norm(const ee_kernel_call *call) {
  const ee_shape *shape = &call->in_shape[0];
  int             axis  = call->node->attr.layer_norm.axis;
  int64_t rows = ee_shape_product(shape, 0, axis), n = ee_shape_product(shape, axis, shape->rank);
  double  epsilon    = call->node->attr.layer_norm.epsilon;
  const float *scale = call->in[1], *bias = call->in[2];
  for (int64_t r = 0; r < rows; r++) {
    const float *x      = call->in[0] + r * n;
    float       *y      = call->out + r * n;
    double       mean   = ee_sum(x, n) / (double)n;
    double       factor = 1.0 / sqrt(sum_of_squares(x, n, mean) / (double)n + epsilon);
    for (int64_t i = 0; i < n; i++) {
      double value = (x[i] - mean) * factor * scale[i];
      y[i]         = (float)(bias != NULL ? value + bias[i] : value);
    }
  }
}

/* Some dimensions of an array and their strides, outermost first; dim[0] is 1 if there are none. */
typedef struct axis_list {
  int     n;
  int64_t dim[EE_MAX_RANK], stride[EE_MAX_RANK];
} axis_list;

static axis_list axes_where(const ee_shape *shape, const bool *chosen, bool value) {
  axis_list axes = {.n = 0, .dim = {1}};
  int64_t   stride[EE_MAX_RANK];
  ee_strides(shape, stride);
  for (int i = 0; i < shape->rank; i++) {
    if (chosen[i] != value) continue;
    bool joins = axes.n > 0 && axes.stride[axes.n - 1] == stride[i] * shape->dim[i];
    if (!joins) axes.dim[axes.n++] = 1;
    axes.dim[axes.n - 1] *= shape->dim[i];
    axes.stride[axes.n - 1] = stride[i];
  }
  return axes;
}

static int64_t axes_elements(const axis_list *axes, int n) {
  int64_t product = 1;
  for (int i = 0; i < n; i++) product *= axes->dim[i];
  return product;
}

static double strided_sum(const float *x, int64_t n, int64_t stride) {
  if (stride == 1) return ee_sum(x, n);
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += x[i * stride];
  return sum;
}

/* Mean over `over` of the elements from x on. */
static double mean(const axis_list *over, const float *x) {
  if (over->n == 0) return x[0];
  int     last = over->n - 1;
  int64_t rows = axes_elements(over, last), n = over->dim[last];
  double  sum = 0.0;
  for (int64_t r = 0; r < rows; r++) {
    sum += strided_sum(x + ee_walk_offset(last, over->dim, over->stride, r), n, over->stride[last]);
  }
  return sum / ((double)rows * (double)n);
}

void ee_ref_reduce_mean(const ee_kernel_call *call) {
  const ee_shape *in   = &call->in_shape[0];
  axis_list       over = axes_where(in, call->node->attr.reduce.axis, true);
  axis_list       kept = axes_where(in, call->node->attr.reduce.axis, false);
  for (int64_t i = 0; i < ee_shape_elements(&call->out_shape); i++) {
    int64_t at   = ee_walk_offset(kept.n, kept.dim, kept.stride, i);
    call->out[i] = (float)mean(&over, call->in[0] + at);
  }
}
