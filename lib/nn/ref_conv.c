/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution over one to three dimensions, one row of the output at a time:
 *
 *   y[s, o, p] = b[o] + sum_{c, k} w[o, c, k] x[s, g C + c, p stride + k dilation - pad]
 *
 * where output channel o belongs to group g and C is the number of input channels of a group. */
#include "meter.h"
#include "ref.h"
#include "ref_window.h"

#define PIECE 256  // outputs of a row whose sums are kept at once

typedef struct conv_job {
  ee_slide     slide[3];
  int64_t      channels;  // input channels of a group
  int64_t      plane;     // elements of an input channel
  const float *x, *w;     // first input channel of the group, weights of the output channel
} conv_job;

/* sum[i] += w x[i stride]; the unit stride apart, so that it is vectorised. */
static void add_scaled(double *restrict sum, const float *restrict x, float w, int64_t stride,
                       int64_t n) {
  double factor = w;
  if (stride == 1) {
    for (int64_t i = 0; i < n; i++) sum[i] += factor * x[i];
  } else {
    for (int64_t i = 0; i < n; i++) sum[i] += factor * x[i * stride];
  }
}

/* Add all taps of one row of one kernel plane to outputs [at, at + n). */
static void add_kernel_row(const conv_job *conv, const float *x, const float *w, int64_t at,
                           int64_t n, double *sum) {
  const ee_slide *width = &conv->slide[2];
  for (int64_t k = 0; k < width->kernel; k++) {
    ee_range valid = ee_slide_outputs(width, k);
    int64_t  begin = valid.begin > at ? valid.begin : at;
    int64_t  end   = valid.end < at + n ? valid.end : at + n;
    if (begin >= end) continue;
    add_scaled(sum + (begin - at), x + ee_slide_position(width, begin, k), w[k], width->stride,
               end - begin);
  }
}

/* Outputs [at, at + n) of row (depth, height). */
static void row_piece(const conv_job *conv, int64_t depth, int64_t height, int64_t at, int64_t n,
                      double *sum) {
  const ee_slide *d = &conv->slide[0], *h = &conv->slide[1], *w = &conv->slide[2];
  ee_range        deep = ee_slide_taps(d, depth, 0, d->in);
  ee_range        high = ee_slide_taps(h, height, 0, h->in);
  for (int64_t c = 0; c < conv->channels; c++) {
    for (int64_t i = deep.begin; i < deep.end; i++) {
      for (int64_t j = high.begin; j < high.end; j++) {
        int64_t row = ee_slide_position(d, depth, i) * h->in + ee_slide_position(h, height, j);
        add_kernel_row(conv, conv->x + c * conv->plane + row * w->in,
                       conv->w + ((c * d->kernel + i) * h->kernel + j) * w->kernel, at, n, sum);
      }
    }
  }
}

/* All outputs of one channel of one sample. */
static void output_channel(const conv_job *conv, float bias, float *y, ee_meter *meter) {
  const ee_slide *d = &conv->slide[0], *h = &conv->slide[1], *w = &conv->slide[2];
  int64_t         taps = conv->channels * d->kernel * h->kernel * w->kernel;
  double          sum[PIECE];
  for (int64_t row = 0; row < d->out * h->out; row++) {
    for (int64_t at = 0; at < w->out; at += PIECE) {
      int64_t n = w->out - at < PIECE ? w->out - at : PIECE;
      for (int64_t i = 0; i < n; i++) sum[i] = bias;
      row_piece(conv, row / h->out, row % h->out, at, n, sum);
      for (int64_t i = 0; i < n; i++) y[row * w->out + at + i] = (float)sum[i];
    }
    ee_meter_add(meter, taps * w->out);
  }
}

void ee_ref_conv(const ee_kernel_call *call) {
  const ee_window *window  = &call->node->attr.window;
  const ee_shape  *x_shape = &call->in_shape[0], *w_shape = &call->in_shape[1];
  int64_t          outputs = w_shape->dim[0], per_group = outputs / window->groups;
  int64_t          y_plane  = ee_shape_product(&call->out_shape, 2, call->out_shape.rank);
  int64_t          w_filter = ee_shape_product(w_shape, 1, w_shape->rank);
  ee_meter         meter    = {.call = call, .step = EE_REF_STEP};
  conv_job         conv     = {.channels = w_shape->dim[1],
                               .plane    = ee_shape_product(x_shape, 2, x_shape->rank)};
  ee_slides(window, x_shape, &call->out_shape, conv.slide);

  for (int64_t i = 0; i < call->out_shape.dim[0] * outputs; i++) {
    int64_t sample = i / outputs, o = i % outputs, group = o / per_group;
    conv.x = call->in[0] + (sample * x_shape->dim[1] + group * conv.channels) * conv.plane;
    conv.w = call->in[1] + o * w_filter;
    output_channel(&conv, call->in[2] != NULL ? call->in[2][o] : 0.0F, call->out + i * y_plane,
                   &meter);
  }
}
