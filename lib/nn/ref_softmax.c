/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and LogSoftmax:  p_i = exp(x_i - max x) / sum_j exp(x_j - max x), and ln p_i. */
#include <math.h>

#include "ref.h"

/* n elements at distance `step`. */
typedef struct element_row {
  const float *x;
  float       *y;
  int64_t      n, step;
} element_row;

static double largest(const element_row *row) {
  double max = row->x[0];
  for (int64_t i = 1; i < row->n; i++) {
    double v = row->x[i * row->step];
    if (v > max) max = v;
  }
  return max;
}

static double sum_of_exp(const element_row *row, double max) {
  double sum = 0.0;
  for (int64_t i = 0; i < row->n; i++) sum += exp(row->x[i * row->step] - max);
  return sum;
}

static void softmax(const element_row *row) {
  double max = largest(row), sum = sum_of_exp(row, max);
  for (int64_t i = 0; i < row->n; i++) {
    row->y[i * row->step] = (float)(exp(row->x[i * row->step] - max) / sum);
  }
}

static void log_softmax(const element_row *row) {
  double max = largest(row), log_sum = log(sum_of_exp(row, max));
  for (int64_t i = 0; i < row->n; i++) {
    row->y[i * row->step] = (float)(row->x[i * row->step] - max - log_sum);
  }
}

static void for_each_row(const ee_kernel_call *call, void (*compute)(const element_row *row)) {
  const ee_shape *shape = &call->in_shape[0];
  int             axis  = call->node->attr.along.axis;
  int             end   = call->node->attr.along.flatten ? shape->rank : axis + 1;
  int64_t         outer = ee_shape_product(shape, 0, axis);
  int64_t n = ee_shape_product(shape, axis, end), step = ee_shape_product(shape, end, shape->rank);
  for (int64_t i = 0; i < outer; i++) {
    for (int64_t j = 0; j < step; j++) {
      int64_t     at = i * n * step + j;
      element_row r  = {call->in[0] + at, call->out + at, n, step};
      compute(&r);
    }
  }
}

void ee_ref_softmax(const ee_kernel_call *call) {
  for_each_row(call, softmax);
}

void ee_ref_log_softmax(const ee_kernel_call *call) {
  for_each_row(call, log_softmax);
}
