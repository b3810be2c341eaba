/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operations on rows of neighbouring floats.  What is left of a row behind its last
 * whole vector goes through the same operations in a vector of its own. */
#include "vec_elementwise.h"

ALWAYS_INLINE vec combine(const ee_simd_row_op op, vec x, vec y, vec z) {
  switch (op) {
    case EE_SIMD_COPY:
      return x;
    case EE_SIMD_ADD:
      return x + y;
    case EE_SIMD_SUB:
      return x - y;
    case EE_SIMD_MUL:
      return x * y;
    case EE_SIMD_DIV:
      return x / y;
    case EE_SIMD_SCALE:
      break;
  }
  return x * y + z;
}

/* The same of one row where x or y is one number for all of it. */
ALWAYS_INLINE void run_spread(const ee_simd_row_op op, const float *x, const float *y, float *out,
                              const ee_simd_rows *j) {
  const vec none = {0}, x_one = splat(x[0]), y_one = splat(y[0]);
  int64_t   i = 0;
  for (; i + LANES <= j->n; i += LANES) {
    vec a = j->x_is_one ? x_one : load(x + i), b = j->y_is_one ? y_one : load(y + i);
    store(out + i, between(combine(op, a, b, none), j->low, j->high));
  }
  int64_t left = j->n - i;
  if (left == 0) return;
  vec a = j->x_is_one ? x_one : load_part(x + i, left);
  vec b = j->y_is_one ? y_one : load_part(y + i, left);
  store_part(out + i, between(combine(op, a, b, none), j->low, j->high), left);
}

/* One row; y and z are NULL where the operation does not read them. */
ALWAYS_INLINE void run_row(const ee_simd_row_op op, const float *x, const float *y, const float *z,
                           float *out, const ee_simd_rows *j) {
  const vec none = {0};
  int64_t   i    = 0;
  for (; i + LANES <= j->n; i += LANES) {
    vec value =
        combine(op, load(x + i), y != NULL ? load(y + i) : none, z != NULL ? load(z + i) : none);
    store(out + i, between(value, j->low, j->high));
  }
  int64_t left = j->n - i;
  if (left == 0) return;
  vec value = combine(op, load_part(x + i, left), y != NULL ? load_part(y + i, left) : none,
                      z != NULL ? load_part(z + i, left) : none);
  store_part(out + i, between(value, j->low, j->high), left);
}

ALWAYS_INLINE void run_rows(const ee_simd_row_op op, const ee_simd_rows *j) {
  for (int64_t r = 0; r < j->rows; r++) {
    const float *y = op != EE_SIMD_COPY ? j->y + r * j->y_step : NULL;
    const float *z = op == EE_SIMD_SCALE ? j->z + r * j->y_step : NULL;
    if (y != NULL && (j->x_is_one || j->y_is_one))
      run_spread(op, j->x + r * j->x_step, y, j->out + r * j->out_step, j);
    else
      run_row(op, j->x + r * j->x_step, y, z, j->out + r * j->out_step, j);
  }
}

void EE_FOR_ISA(ee_simd_rows_run)(ee_simd_row_op op, const ee_simd_rows *rows) {
  switch (op) {
    case EE_SIMD_COPY:
      run_rows(EE_SIMD_COPY, rows);
      break;
    case EE_SIMD_ADD:
      run_rows(EE_SIMD_ADD, rows);
      break;
    case EE_SIMD_SUB:
      run_rows(EE_SIMD_SUB, rows);
      break;
    case EE_SIMD_MUL:
      run_rows(EE_SIMD_MUL, rows);
      break;
    case EE_SIMD_DIV:
      run_rows(EE_SIMD_DIV, rows);
      break;
    case EE_SIMD_SCALE:
      run_rows(EE_SIMD_SCALE, rows);
      break;
  }
}
