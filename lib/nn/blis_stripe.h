/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "blis_loops.h"

/**
 * @file blis_stripe.h
 * Where the pixels of a convolution come from and go to.
 *
 * Output pixels of the whole batch are numbered in one row: pixel = (sample * height + y) * width
 * + x.  A stripe holds the input rows that a range of pixels needs, with the padding written out,
 * as shape [channels, rows of all samples concerned, stripe width].
 */

/** Input and output of a convolution, for one group of channels. */
typedef struct ee_blis_image {
  int64_t samples, channels;  // channels of a group
  int64_t in_h, in_w, out_h, out_w;
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w;
  int64_t sample_step;  // elements of one sample of the input, all groups
  int64_t pixels;       // of one sample: out_h * out_w
  int64_t reach_h;      // input rows under one window
  int64_t stripe_w;     // input columns under one row of windows
  bool    direct;       // no window reaches outside: pixels come from the input itself
} ee_blis_image;

/** Pixels [begin, end) and what is under their windows. */
typedef struct ee_blis_stripe {
  int64_t      begin, end;
  const float *source;        // where channel 0 begins
  int64_t      channel_step;  // from one channel to the next
  int64_t      row_step;      // from one input row to the next
} ee_blis_stripe;

/** @p channels: of a group. */
ee_blis_image ee_blis_image_of(const ee_window *window, const ee_shape *x, const ee_shape *y,
                               int64_t channels);

/** Floats that a stripe of @p n pixels needs at most; 0 if pixels come from the input itself. */
int64_t ee_blis_stripe_floats(const ee_blis_image *image, int64_t n);

/**
 * Make the stripe of pixels [@p begin, @p end).
 * @param x       the group's first channel of sample 0
 * @param memory  ee_blis_stripe_floats() of it; used unless image->direct
 */
ee_blis_stripe ee_blis_stripe_make(const ee_blis_image *image, int64_t begin, int64_t end,
                                   const float *x, float *memory);

/** Offsets of the kernel's taps in a stripe; @p tap has shape [kernel_h, kernel_w]. */
void ee_blis_stripe_taps(const ee_blis_image *image, const ee_blis_stripe *stripe, int64_t *tap);

/** Where pixels [@p begin, @p end) of the stripe stand under tap 0; returns the number of runs. */
int ee_blis_stripe_runs(const ee_blis_image *image, const ee_blis_stripe *stripe, int64_t begin,
                        int64_t end, ee_blis_run *run);

/** Where pixels [@p begin, @p end) stand in the result's channel 0, whose samples lie
 *  @p sample_step apart; returns the number of runs. */
int ee_blis_result_runs(const ee_blis_image *image, int64_t sample_step, int64_t begin, int64_t end,
                        ee_blis_run *run);
