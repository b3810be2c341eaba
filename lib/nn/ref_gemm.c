/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices, one row of the result at a time: Gemm and MatMul. */
#include "meter.h"
#include "ref.h"
#include "ref_strides.h"

#define PIECE 256  // columns whose sums are kept at once if B's rows are contiguous
#define FEW 8      // and if they are not: each column is a stream of its own

/* One operand: element (row, column) stands at at[row * row_step + column * column_step]. */
typedef struct matrix {
  const float *at;
  int64_t      row_step, column_step;
} matrix;

static matrix transposed(matrix m) {
  return (matrix){m.at, m.column_step, m.row_step};
}

/* sum[j] = sum_i a[i a_step] B(i, first + j) for j in [0, n). */
static void row_times_matrix(const float *a, int64_t a_step, const matrix *b, int64_t depth,
                             int64_t first, int64_t n, double *restrict sum) {
  for (int64_t j = 0; j < n; j++) sum[j] = 0.0;
  for (int64_t i = 0; i < depth; i++) {
    double factor             = a[i * a_step];
    const float *restrict row = b->at + i * b->row_step + first * b->column_step;
    if (b->column_step == 1) {
      for (int64_t j = 0; j < n; j++) sum[j] += factor * row[j];
    } else {
      for (int64_t j = 0; j < n; j++) sum[j] += factor * row[j * b->column_step];
    }
  }
}

/* What becomes of the sums of a row: y[j] = alpha sum[j] + beta C(row, j). */
typedef struct finish {
  float  alpha, beta;
  matrix c;  // c.at NULL: no C
} finish;

static void finish_piece(const finish *f, const double *sum, int64_t row, int64_t first, int64_t n,
                         float *y) {
  for (int64_t j = 0; j < n; j++) {
    double value = f->alpha * sum[j];
    if (f->c.at != NULL) {
      int64_t at = row * f->c.row_step + (first + j) * f->c.column_step;
      value += (double)f->beta * f->c.at[at];
    }
    y[first + j] = (float)value;
  }
}

/* y, shape [rows, columns], contiguous. */
static void multiply(matrix a, matrix b, const finish *f, int64_t rows, int64_t depth,
                     int64_t columns, float *y, ee_meter *meter) {
  double  sum[PIECE];
  int64_t most = b.column_step == 1 ? PIECE : FEW;
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t first = 0; first < columns; first += most) {
      int64_t n = columns - first < most ? columns - first : most;
      row_times_matrix(a.at + i * a.row_step, a.column_step, &b, depth, first, n, sum);
      finish_piece(f, sum, i, first, n, y + i * columns);
      ee_meter_add(meter, n * depth);
    }
  }
}

void ee_ref_gemm(const ee_kernel_call *call) {
  bool   trans_a = call->node->attr.gemm.trans_a, trans_b = call->node->attr.gemm.trans_b;
  finish f = {.alpha = call->node->attr.gemm.alpha, .beta = call->node->attr.gemm.beta};
  if (call->in[2] != NULL) {
    int64_t stride[EE_MAX_RANK];
    ee_broadcast_strides(&call->in_shape[2], &call->out_shape, stride);
    f.c = (matrix){call->in[2], stride[0], stride[1]};
  }
  matrix a = {call->in[0], call->in_shape[0].dim[1], 1};
  matrix b = {call->in[1], call->in_shape[1].dim[1], 1};

  ee_meter meter = {.call = call, .step = EE_REF_STEP};
  multiply(trans_a ? transposed(a) : a, trans_b ? transposed(b) : b, &f, call->out_shape.dim[0],
           call->in_shape[0].dim[trans_a ? 0 : 1], call->out_shape.dim[1], call->out, &meter);
}

/* numpy: a vector on the left is a row, one on the right a column. */
static ee_shape as_matrices(const ee_shape *shape, bool left) {
  if (shape->rank > 1) return *shape;
  int64_t length = ee_shape_elements(shape);
  return left ? (ee_shape){2, {1, length}} : (ee_shape){2, {length, 1}};
}

/* Dimensions in front of the last two. */
static ee_shape stack_of(const ee_shape *matrices) {
  ee_shape stack = *matrices;
  stack.rank -= 2;
  return stack;
}

/* Numpy's common shape of two stacks. */
static ee_shape common_stack(const ee_shape *a, const ee_shape *b) {
  ee_shape longer = a->rank >= b->rank ? *a : *b, shorter = a->rank >= b->rank ? *b : *a;
  for (int i = 0; i < shorter.rank; i++) {
    int64_t *dim = &longer.dim[longer.rank - shorter.rank + i];
    if (*dim == 1) *dim = shorter.dim[i];
  }
  return longer;
}

void ee_ref_matmul(const ee_kernel_call *call) {
  ee_shape a = as_matrices(&call->in_shape[0], true), b = as_matrices(&call->in_shape[1], false);
  int64_t  rows = a.dim[a.rank - 2], depth = a.dim[a.rank - 1], columns = b.dim[b.rank - 1];
  ee_shape a_stack = stack_of(&a), b_stack = stack_of(&b);
  ee_shape stack = common_stack(&a_stack, &b_stack);
  int64_t  a_step[EE_MAX_RANK], b_step[EE_MAX_RANK];
  ee_broadcast_strides(&a_stack, &stack, a_step);
  ee_broadcast_strides(&b_stack, &stack, b_step);

  finish   f     = {.alpha = 1.0F, .beta = 1.0F, .c = {call->in[2], 0, 1}};  // the bias of each row
  ee_meter meter = {.call = call, .step = EE_REF_STEP};
  for (int64_t i = 0; i < ee_shape_elements(&stack); i++) {
    int64_t in_a = ee_walk_offset(stack.rank, stack.dim, a_step, i);
    int64_t in_b = ee_walk_offset(stack.rank, stack.dim, b_step, i);
    multiply((matrix){call->in[0] + in_a * rows * depth, depth, 1},
             (matrix){call->in[1] + in_b * depth * columns, columns, 1}, &f, rows, depth, columns,
             call->out + i * rows * columns, &meter);
  }
}
