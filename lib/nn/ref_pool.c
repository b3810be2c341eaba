/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling over one to three dimensions, one row of the output at a time.
 *
 * MaxPool: the largest input that a tap meets; -inf if no tap meets one.
 * AveragePool: the sum over the taps that meet an input, divided by their number; with
 * count_include_pad by the number that meet an input or the padding, but never what ceil_mode adds
 * behind it; 0 if there is none.  (ONNX AveragePool, opset 19) */
#include <math.h>

#include "meter.h"
#include "ref.h"
#include "ref_sum.h"
#include "ref_window.h"

#define PIECE 256  // outputs of a row that are worked on at once

typedef struct pool_job {
  ee_slide slide[3];
  bool     count_padding;
} pool_job;

/* Outputs [at, at + n) of a row, and what was met so far. */
typedef struct row_piece {
  int64_t at, n;
  float   largest[PIECE];
  double  sum[PIECE];
} row_piece;

/* Take in x[i stride] for n outputs from `first` of the piece on. */
typedef void (*take_fn)(row_piece *piece, int64_t first, const float *x, int64_t stride, int64_t n);

static inline float larger(float a, float b) {
  return b > a || b != b ? b : a;  // a NaN stays
}

/* The common strides have loops of their own, so that they are vectorised. */
static void take_larger(row_piece *piece, int64_t first, const float *restrict x, int64_t stride,
                        int64_t n) {
  float *restrict y = piece->largest + first;
  if (stride == 1) {
    for (int64_t i = 0; i < n; i++) y[i] = larger(y[i], x[i]);
  } else if (stride == 2) {
    for (int64_t i = 0; i < n; i++) y[i] = larger(y[i], x[2 * i]);
  } else {
    for (int64_t i = 0; i < n; i++) y[i] = larger(y[i], x[stride * i]);
  }
}

static void take_sum(row_piece *piece, int64_t first, const float *restrict x, int64_t stride,
                     int64_t n) {
  double *restrict y = piece->sum + first;
  if (stride == 1) {
    for (int64_t i = 0; i < n; i++) y[i] += x[i];
  } else {
    for (int64_t i = 0; i < n; i++) y[i] += x[stride * i];
  }
}

/* Take in all taps of one row of the window that lies on input row `x`. */
static void take_window_row(const ee_slide *width, const float *x, take_fn take, row_piece *piece) {
  for (int64_t k = 0; k < width->kernel; k++) {
    ee_range valid = ee_slide_outputs(width, k);
    int64_t  begin = valid.begin > piece->at ? valid.begin : piece->at;
    int64_t  end   = valid.end < piece->at + piece->n ? valid.end : piece->at + piece->n;
    if (begin >= end) continue;
    take(piece, begin - piece->at, x + ee_slide_position(width, begin, k), width->stride,
         end - begin);
  }
}

/* Take in all taps for a piece of output row (depth, height) of one channel. */
static void take_window(const pool_job *pool, const float *x, int64_t depth, int64_t height,
                        take_fn take, row_piece *piece) {
  const ee_slide *d = &pool->slide[0], *h = &pool->slide[1], *w = &pool->slide[2];
  ee_range        deep = ee_slide_taps(d, depth, 0, d->in);
  ee_range        high = ee_slide_taps(h, height, 0, h->in);
  for (int64_t i = deep.begin; i < deep.end; i++) {
    for (int64_t j = high.begin; j < high.end; j++) {
      int64_t row = ee_slide_position(d, depth, i) * h->in + ee_slide_position(h, height, j);
      take_window_row(w, x + row * w->in, take, piece);
    }
  }
}

/* Number of taps of output `o` that count. */
static int64_t taps_counted(const pool_job *pool, int d, int64_t o) {
  const ee_slide *slide = &pool->slide[d];
  ee_range taps = pool->count_padding ? ee_slide_taps(slide, o, -slide->pad, slide->padded_end)
                                      : ee_slide_taps(slide, o, 0, slide->in);
  return taps.end - taps.begin;
}

static void max_piece(const pool_job *pool, const float *x, int64_t depth, int64_t height,
                      row_piece *piece, float *y) {
  for (int64_t i = 0; i < piece->n; i++) piece->largest[i] = -INFINITY;
  take_window(pool, x, depth, height, take_larger, piece);
  for (int64_t i = 0; i < piece->n; i++) y[i] = piece->largest[i];
}

static void average_piece(const pool_job *pool, const float *x, int64_t depth, int64_t height,
                          row_piece *piece, float *y) {
  int64_t above = taps_counted(pool, 0, depth) * taps_counted(pool, 1, height);
  for (int64_t i = 0; i < piece->n; i++) piece->sum[i] = 0.0;
  take_window(pool, x, depth, height, take_sum, piece);
  for (int64_t i = 0; i < piece->n; i++) {
    int64_t count = above * taps_counted(pool, 2, piece->at + i);
    y[i]          = count > 0 ? (float)(piece->sum[i] / (double)count) : 0.0F;
  }
}

typedef void (*piece_fn)(const pool_job *pool, const float *x, int64_t depth, int64_t height,
                         row_piece *piece, float *y);

/* One channel of one sample. */
static void pool_channel(const pool_job *pool, const float *x, float *y, piece_fn compute) {
  const ee_slide *h = &pool->slide[1], *w = &pool->slide[2];
  row_piece       piece;
  for (int64_t row = 0; row < pool->slide[0].out * h->out; row++) {
    for (piece.at = 0; piece.at < w->out; piece.at += PIECE) {
      piece.n = w->out - piece.at < PIECE ? w->out - piece.at : PIECE;
      compute(pool, x, row / h->out, row % h->out, &piece, y + row * w->out + piece.at);
    }
  }
}

static void run_pool(const ee_kernel_call *call, piece_fn compute) {
  const ee_window *window  = &call->node->attr.window;
  const ee_shape  *x_shape = &call->in_shape[0], *y_shape = &call->out_shape;
  int64_t          x_plane = ee_shape_product(x_shape, 2, x_shape->rank);
  int64_t          y_plane = ee_shape_product(y_shape, 2, y_shape->rank);
  ee_meter         meter   = {.call = call, .step = EE_REF_STEP};
  pool_job         pool    = {.count_padding = window->count_include_pad};
  ee_slides(window, x_shape, y_shape, pool.slide);

  int64_t taps = pool.slide[0].kernel * pool.slide[1].kernel * pool.slide[2].kernel;
  for (int64_t i = 0; i < y_shape->dim[0] * y_shape->dim[1]; i++) {
    pool_channel(&pool, call->in[0] + i * x_plane, call->out + i * y_plane, compute);
    ee_meter_add(&meter, taps * y_plane);
  }
}

void ee_ref_max_pool(const ee_kernel_call *call) {
  run_pool(call, max_piece);
}

void ee_ref_average_pool(const ee_kernel_call *call) {
  run_pool(call, average_piece);
}

void ee_ref_global_average_pool(const ee_kernel_call *call) {
  const ee_shape *shape = &call->in_shape[0];
  int64_t         plane = ee_shape_product(shape, 2, shape->rank);
  for (int64_t i = 0; i < shape->dim[0] * shape->dim[1]; i++) {
    call->out[i] = (float)(ee_sum(call->in[0] + i * plane, plane) / (double)plane);
  }
}
