/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution: one vector of channels of a few neighbouring pixels is kept in registers
 * over the whole window.  Where neighbouring windows overlap and their width is known, what they
 * share is loaded once. */
#include "vec_depthwise.h"

#define MAX_TAPS 5

/* A row of a window of `taps` taps, which the next pixel's is `stride` taps away from; column by
 * column, so that each is loaded once for all windows that it is in. */
ALWAYS_INLINE void add_known_row(const float *in, int64_t tap_step, const float *weights,
                                 const int taps, const int stride, const int pixels, vec *sum) {
  vec w[MAX_TAPS];
  UNROLL for (int s = 0; s < taps; s++) w[s] = *(const vec *)(weights + s * LANES);
  UNROLL for (int i = 0; i < stride * (pixels - 1) + taps; i++, in += tap_step) {
    vec x = load(in);
    KEEP(x);
    UNROLL for (int p = 0; p < pixels; p++) {
      int s = i - stride * p;
      if (s >= 0 && s < taps) sum[p] += w[s] * x;
    }
  }
}

ALWAYS_INLINE void add_any_row(const ee_simd_depthwise *t, const float *in, const float *weights,
                               const int pixels, vec *sum) {
  for (int64_t s = 0; s < t->taps; s++) {
    vec w = *(const vec *)(weights + s * LANES);
    UNROLL for (int p = 0; p < pixels; p++) {
      sum[p] += w * load(in + s * t->tap_step + p * t->in_step);
    }
  }
}

/* taps 0: any. */
ALWAYS_INLINE void add_window(const ee_simd_depthwise *t, const float *in, const float *weights,
                              const int taps, const int stride, const int pixels, vec *sum) {
  for (int64_t r = 0; r < t->rows; r++, in += t->row_step) {
    if (taps > 0) {
      add_known_row(in, t->tap_step, weights, taps, stride, pixels, sum);
    } else {
      add_any_row(t, in, weights, pixels, sum);
    }
    weights += t->taps * LANES;
  }
}

ALWAYS_INLINE void compute_row(const ee_simd_depthwise *row, const int taps, const int stride,
                               const int pixels) {
  const ee_simd_depthwise t   = *row;  // a copy that no store can change
  const vec               low = splat(t.low), high = splat(t.high);
  for (int64_t c = 0; c < t.channels; c += LANES) {
    const float *weights = t.weights + c / LANES * t.panel_step, *in = t.in + c;
    const vec    bias = load(t.bias + c);
    float       *out  = t.out + c;
    for (int64_t i = 0; i < t.tiles; i++, in += pixels * t.in_step) {
      vec sum[EE_DEPTHWISE_PIXELS];
      UNROLL for (int p = 0; p < pixels; p++) sum[p] = bias;
      add_window(&t, in, weights, taps, stride, pixels, sum);
      UNROLL for (int p = 0; p < pixels; p++, out += t.out_step) {
        store(out, at_most(at_least(sum[p], low), high));
      }
    }
  }
}

// clang-format off
#if LANES == 16
#define PIXELS(X, name, taps, stride)                                             \
  X(name, taps, stride, 1) X(name, taps, stride, 2) X(name, taps, stride, 3)      \
  X(name, taps, stride, 4) X(name, taps, stride, 5) X(name, taps, stride, 6)      \
  X(name, taps, stride, 7) X(name, taps, stride, 8)
#else
#define PIXELS(X, name, taps, stride)                                             \
  X(name, taps, stride, 1) X(name, taps, stride, 2) X(name, taps, stride, 3)      \
  X(name, taps, stride, 4)
#endif

#define WINDOWS(X)                                                                \
  PIXELS(X, three, 3, 1) PIXELS(X, three_by_two, 3, 2)                            \
  PIXELS(X, five, 5, 1) PIXELS(X, five_by_two, 5, 2)                              \
  PIXELS(X, any, 0, 0)
// clang-format on

enum { any, three, three_by_two, five, five_by_two, n_windows };

#define ROW(name, taps, stride, pixels)                     \
  static void name##_##pixels(const ee_simd_depthwise *t) { \
    compute_row(t, taps, stride, pixels);                   \
  }
WINDOWS(ROW)

typedef void (*row_fn)(const ee_simd_depthwise *t);
#define ENTRY(name, taps, stride, pixels) [name][pixels] = name##_##pixels,
static const row_fn row_of[n_windows][EE_DEPTHWISE_PIXELS + 1] = {WINDOWS(ENTRY)};

static int window_of(const ee_simd_depthwise *t) {
  bool one = t->in_step == t->tap_step, two = t->in_step == 2 * t->tap_step;
  if (t->taps == 3 && (one || two)) return one ? three : three_by_two;
  if (t->taps == 5 && (one || two)) return one ? five : five_by_two;
  return any;
}

void EE_FOR_ISA(ee_simd_depthwise_row)(const ee_simd_depthwise *row, int pixels) {
  row_of[window_of(row)][pixels](row);
}
