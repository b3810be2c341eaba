/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: how many elements, whether equal, how they are written. */
#include "ee/tensor.h"

#include <stdio.h>

int64_t ee_shape_product(const ee_shape *shape, int from, int to) {
  int64_t product = 1;
  for (int i = from; i < to; i++) {
    if (__builtin_mul_overflow(product, shape->dim[i], &product)) return INT64_MAX;
  }
  return product;
}

int64_t ee_shape_elements(const ee_shape *shape) {
  return ee_shape_product(shape, 0, shape->rank);
}

bool ee_shape_equal(const ee_shape *a, const ee_shape *b) {
  if (a->rank != b->rank) return false;
  for (int i = 0; i < a->rank; i++) {
    if (a->dim[i] != b->dim[i]) return false;
  }
  return true;
}

const char *ee_shape_text(const ee_shape *shape, char *text, size_t size) {
  size_t used = 0;
  if (size == 0) return text;
  text[0] = '\0';
  for (int i = 0; i < shape->rank && used < size; i++) {
    int n =
        snprintf(text + used, size - used, "%s%lld", i == 0 ? "[" : ", ", (long long)shape->dim[i]);
    used += n > 0 ? (size_t)n : 0;
  }
  if (used < size) snprintf(text + used, size - used, shape->rank == 0 ? "[]" : "]");
  return text;
}
