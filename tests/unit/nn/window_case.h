/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "kernel_case.h"

/**
 * @file window_case.h
 * Random sliding windows for convolutions and poolings.
 */

/** What a window may be drawn from. */
typedef struct window_limits {
  int min_spatial, max_spatial;  // dimensions
  int max_in;                    // input positions in each
  int max_kernel, max_stride, max_dilation, max_pad;
} window_limits;

/** Positions of the output; below 1 if the window does not fit. */
static inline int64_t window_outputs(const ee_window *w, int d, int64_t in) {
  int64_t room = in + w->pad_before[d] + w->pad_after[d] - w->dilation[d] * (w->kernel[d] - 1) - 1;
  if (room < 0) return 0;
  int64_t n             = (room + (w->ceil_mode ? w->stride[d] - 1 : 0)) / w->stride[d] + 1;
  bool    starts_behind = (n - 1) * w->stride[d] >= in + w->pad_before[d];
  return w->ceil_mode && starts_behind ? n - 1 : n;
}

/** Draw dimension @p d until the window fits. */
static inline void window_draw_dim(ee_rng *rng, const window_limits *limits, ee_window *w, int d,
                                   int64_t *in, int64_t *out) {
  do {
    *in              = case_draw(rng, 1, limits->max_in);
    w->kernel[d]     = case_draw(rng, 1, limits->max_kernel);
    w->stride[d]     = case_draw(rng, 1, limits->max_stride);
    w->dilation[d]   = case_draw(rng, 1, limits->max_dilation);
    w->pad_before[d] = case_draw(rng, 0, limits->max_pad);
    w->pad_after[d]  = case_draw(rng, 0, limits->max_pad);
    *out             = window_outputs(w, d, *in);
  } while (*out < 1);
}

/** Draw a window and the spatial dimensions of input and output, dim[2] on. */
static inline ee_window window_draw(ee_rng *rng, const window_limits *limits, bool ceil_mode,
                                    ee_shape *x, ee_shape *y) {
  ee_window w = {.n_spatial = case_draw(rng, limits->min_spatial, limits->max_spatial),
                 .groups    = 1,
                 .ceil_mode = ceil_mode};
  *x = *y = (ee_shape){.rank = 2 + w.n_spatial};
  for (int d = 0; d < w.n_spatial; d++) {
    window_draw_dim(rng, limits, &w, d, &x->dim[2 + d], &y->dim[2 + d]);
  }
  return w;
}

/** Make @p c a convolution with window @p w over @p x of ic channels per group, oc outputs per
 *  group, and a bias if @p bias. */
static inline void conv_case(kernel_case *c, ee_rng *rng, ee_window w, ee_shape x, ee_shape y,
                             int ic, int oc, bool bias) {
  ee_shape weights = {.rank = x.rank, .dim = {oc * w.groups, ic}};
  for (int d = 0; d < w.n_spatial; d++) weights.dim[2 + d] = w.kernel[d];
  x.dim[0] = y.dim[0] = 1;
  x.dim[1]            = ic * w.groups;
  y.dim[1]            = oc * w.groups;
  case_begin(c, EE_OP_CONV);
  c->node.attr.window = w;
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_input(c, rng, EE_VALUE_CONSTANT, weights);
  if (bias) case_input(c, rng, EE_VALUE_CONSTANT, (ee_shape){1, {oc * w.groups}});
  case_output(c, y);
}
