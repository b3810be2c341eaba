/* SPDX-License-Identifier: Apache-2.0 */
/* Which taps of a sliding window meet which inputs. */
#include "ref_window.h"

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

/* Least integer i >= 0 with i * step >= x, for step >= 1. */
static int64_t steps_to_reach(int64_t x, int64_t step) {
  return x <= 0 ? 0 : (x + step - 1) / step;
}

void ee_slides(const ee_window *window, const ee_shape *in, const ee_shape *out,
               ee_slide slide[3]) {
  int missing = 3 - window->n_spatial;
  for (int i = 0; i < 3; i++) {
    slide[i] =
        (ee_slide){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1, .padded_end = 1};
    int d = i - missing;
    if (d < 0) continue;
    slide[i] = (ee_slide){.in         = in->dim[2 + d],
                          .out        = out->dim[2 + d],
                          .kernel     = window->kernel[d],
                          .stride     = window->stride[d],
                          .dilation   = window->dilation[d],
                          .pad        = window->pad_before[d],
                          .padded_end = in->dim[2 + d] + window->pad_after[d]};
  }
}

ee_range ee_slide_outputs(const ee_slide *slide, int64_t k) {
  int64_t offset = k * slide->dilation - slide->pad;
  int64_t begin  = clamp(steps_to_reach(-offset, slide->stride), 0, slide->out);
  int64_t end    = clamp(steps_to_reach(slide->in - offset, slide->stride), begin, slide->out);
  return (ee_range){begin, end};
}

ee_range ee_slide_taps(const ee_slide *slide, int64_t o, int64_t low, int64_t high) {
  int64_t first = ee_slide_position(slide, o, 0);
  int64_t begin = clamp(steps_to_reach(low - first, slide->dilation), 0, slide->kernel);
  int64_t end   = clamp(steps_to_reach(high - first, slide->dilation), begin, slide->kernel);
  return (ee_range){begin, end};
}
