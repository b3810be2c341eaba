/* SPDX-License-Identifier: Apache-2.0 */
/* Batch normalisation: one factor and one offset for each channel, found when the layer is held. */
#include "simd_batch_norm.h"

#include <math.h>
#include <string.h>

#include "simd_kernels.h"
#include "simd_panels.h"
#include "simd_rows.h"

bool ee_simd_batch_norm_can(const ee_model *model, const ee_node *node) {
  for (int i = 1; i < 5; i++) {
    if (model->value[node->in[i]].kind != EE_VALUE_CONSTANT) return false;
  }
  return true;
}

static int64_t channels_of(const ee_shape *scale) {
  return ee_simd_round_up(ee_shape_elements(scale), EE_SIMD_BLOCK);
}

size_t ee_simd_batch_norm_prepared_bytes(const ee_model *model, const ee_node *node) {
  return (size_t)(2 * channels_of(&model->value[node->in[1]].shape)) * sizeof(float);
}

/* y = (x - mean) scale / sqrt(var + epsilon) + bias = x factor + offset. */
void ee_simd_batch_norm_prepare(const ee_model *model, const ee_node *node,
                                const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  const ee_shape *scale   = &model->value[node->in[1]].shape;
  double          epsilon = node->attr.batch_norm.epsilon;
  memset(packed, 0, ee_simd_batch_norm_prepared_bytes(model, node));
  for (int64_t c = 0; c < ee_shape_elements(scale); c++) {
    double factor                  = constant[1][c] / sqrt(constant[4][c] + epsilon);
    packed[c]                      = (float)factor;
    packed[channels_of(scale) + c] = (float)(constant[2][c] - constant[3][c] * factor);
  }
}

static void scale_row(const ee_kernel_call *call, int64_t i, int64_t y) {
  const ee_pixels *in = call->in_pixels[0], *out = call->out_pixels;
  const float     *packed   = call->prepared;
  int64_t          channels = channels_of(&call->in_shape[1]);
  ee_simd_limits   limits   = ee_simd_limits_of(&call->act);
  ee_simd_rows     j        = {.x        = call->in[0] + ee_simd_row_at(in, i, y),
                               .y        = packed,
                               .z        = packed + channels,
                               .out      = call->out + ee_simd_row_at(out, i, y),
                               .rows     = out->width,
                               .n        = channels,
                               .x_step   = in->pixel,
                               .out_step = out->pixel,
                               .low      = limits.low,
                               .high     = limits.high};
  ee_simd_kernels_get()->rows(EE_SIMD_SCALE, &j);
  ee_simd_finish_row(call, i, y);
}

void ee_simd_batch_norm_run(const ee_kernel_call *call) {
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t y = 0; y < call->out_pixels->height; y++) scale_row(call, i, y);
  }
}
