/* SPDX-License-Identifier: Apache-2.0 */
/* Concat along the channels: every pixel gets the channels of all inputs.  Where they are rows of
 * features instead of pixels, `ref` moves whole blocks already. */
#include "simd_concat.h"

#include <string.h>

#include "ref.h"
#include "simd_rows.h"

bool ee_simd_concat_can(const ee_model *model, const ee_node *node) {
  if (node->attr.along.axis != 1) return false;
  for (int i = 0; i < node->n_in; i++) {
    if (!ee_simd_has_pixels(model, node->in[i])) return false;
  }
  return true;
}

/* The channels of input `in` in row y of sample i. */
static void copy_row(const ee_kernel_call *call, int in, int64_t i, int64_t y, float *to) {
  const ee_pixels *from  = call->in_pixels[in];
  const float     *x     = call->in[in] + ee_simd_row_at(from, i, y);
  size_t           bytes = (size_t)from->channels * sizeof *x;
  for (int64_t p = 0; p < from->width; p++) {
    memcpy(to + p * call->out_pixels->pixel, x + p * from->pixel, bytes);
  }
}

static void concat_dense(const ee_kernel_call *call) {
  ee_ref_concat(call);
  ee_simd_act(&call->act, call->out, call->out, ee_shape_elements(&call->out_shape));
}

void ee_simd_concat_run(const ee_kernel_call *call) {
  if (call->out_pixels == NULL) {
    concat_dense(call);
    return;
  }
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t y = 0; y < call->out_pixels->height; y++) {
      float *row = call->out + ee_simd_row_at(call->out_pixels, i, y), *to = row;
      for (int in = 0; in < call->node->n_in; in++) {
        copy_row(call, in, i, y, to);
        to += call->in_pixels[in]->channels;
      }
      ee_simd_act(&call->act, row, row, call->out_pixels->width * call->out_pixels->pixel);
    }
  }
}
