/* SPDX-License-Identifier: Apache-2.0 */
/* Slices that take some of the rows of a picture: whole rows are copied, pixel by pixel only where
 * pixels of both stand differently far apart. */
#include "simd_crop.h"

#include <string.h>

#include "ref.h"
#include "simd_rows.h"

enum { ROWS = 2 };

bool ee_simd_crop_can(const ee_model *model, const ee_node *node) {
  const ee_shape *x = &model->value[node->in[0]].shape, *y = &model->value[node->out].shape;
  bool            crops = x->rank == 4 && ee_simd_has_pixels(model, node->in[0]);
  for (int i = 0; i < x->rank && crops; i++) {
    bool all = node->attr.slice.start[i] == 0 && x->dim[i] == y->dim[i];
    crops    = node->attr.slice.step[i] == 1 && (all || i == ROWS);
  }
  return crops;
}

static void copy_row(const ee_pixels *from, const float *x, const ee_pixels *to, float *y) {
  if (from->pixel == to->pixel) {
    memcpy(y, x, (size_t)(to->width * to->pixel) * sizeof *y);
    return;
  }
  for (int64_t p = 0; p < to->width; p++) {
    memcpy(y + p * to->pixel, x + p * from->pixel, (size_t)to->channels * sizeof *y);
  }
}

static void crop_dense(const ee_kernel_call *call) {
  ee_ref_slice(call);
  ee_simd_act(&call->act, call->out, call->out, ee_shape_elements(&call->out_shape));
}

void ee_simd_crop_run(const ee_kernel_call *call) {
  const ee_pixels *from = call->in_pixels[0], *to = call->out_pixels;
  int64_t          first = call->node->attr.slice.start[ROWS];
  if (to == NULL) {
    crop_dense(call);
    return;
  }
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t y = 0; y < to->height; y++) {
      float *row = call->out + ee_simd_row_at(to, i, y);
      copy_row(from, call->in[0] + ee_simd_row_at(from, i, first + y), to, row);
      ee_simd_act(&call->act, row, row, to->width * to->pixel);
    }
  }
}
