/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"
#include "simd_act.h"

/**
 * @file simd_rows.h
 * Rows of pixels, and what a kernel's limits leave of an activation.
 */

/** Whether value @p v has pixels: one sample of rank 3 or 4. */
static inline bool ee_simd_has_pixels(const ee_model *model, int v) {
  const ee_value *value = &model->value[v];
  return value->kind != EE_VALUE_CONSTANT && value->shape.dim[0] == 1 &&
         (value->shape.rank == 3 || value->shape.rank == 4);
}

/** Floats in front of row @p y of sample @p sample. */
static inline int64_t ee_simd_row_at(const ee_pixels *p, int64_t sample, int64_t y) {
  return sample * p->sample + p->lead + y * p->row;
}

/** Finish row @p y of the result, channels that no pixel uses included. */
static inline void ee_simd_finish_row(const ee_kernel_call *call, int64_t sample, int64_t y) {
  const ee_pixels *p = call->out_pixels;
  if (ee_simd_limits_of(&call->act).whole) return;
  float *row = call->out + ee_simd_row_at(p, sample, y);
  ee_simd_act(&call->act, row, row, p->width * p->pixel);
}
