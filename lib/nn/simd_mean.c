/* SPDX-License-Identifier: Apache-2.0 */
/* Means over all pixels of a sample: one window of the size of the input, some channels at a time
 * because the result is dense and ends with its last channel. */
#include "simd_mean.h"

#include <string.h>

#include "simd_act.h"
#include "simd_kernels.h"
#include "simd_panels.h"
#include "simd_rows.h"

#define PIECE 64  // channels at a time

bool ee_simd_mean_can(const ee_model *model, const ee_node *node) {
  const ee_shape *shape = &model->value[node->in[0]].shape;
  if (shape->rank != 3 && shape->rank != 4) return false;
  if (node->op == EE_OP_GLOBAL_AVERAGE_POOL) return true;
  for (int d = 0; d < shape->rank; d++) {
    if (node->attr.reduce.axis[d] != (d >= 2)) return false;
  }
  return true;
}

static void average_piece(const ee_kernel_call *call, int64_t sample, int64_t channel) {
  const ee_simd_kernels *k    = ee_simd_kernels_get();
  const ee_pixels       *in   = call->in_pixels[0];
  int64_t                left = in->channels - channel, n = left < PIECE ? left : PIECE;
  ee_simd_limits         limits = ee_simd_limits_of(&call->act);
  float                  mean[PIECE];
  k->average_pool(&(ee_simd_pool){.in       = call->in[0] + ee_simd_row_at(in, sample, 0) + channel,
                                  .rows     = in->height,
                                  .row_step = in->row,
                                  .taps     = in->width,
                                  .tap_step = in->pixel,
                                  .pixels   = 1,
                                  .channels = ee_simd_round_up(n, k->lanes),
                                  .count    = (float)(in->height * in->width),
                                  .out      = mean,
                                  .low      = limits.low,
                                  .high     = limits.high});
  memcpy(call->out + sample * in->channels + channel, mean, (size_t)n * sizeof *mean);
}

void ee_simd_mean_run(const ee_kernel_call *call) {
  int64_t channels = call->in_pixels[0]->channels;
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t c = 0; c < channels; c += PIECE) average_piece(call, i, c);
  }
  if (!ee_simd_limits_of(&call->act).whole) {
    ee_simd_act(&call->act, call->out, call->out, call->n * channels);
  }
}
