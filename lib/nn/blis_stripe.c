/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pixels of a convolution come from and go to. */
#include "blis_stripe.h"

#include <string.h>

ee_blis_image ee_blis_image_of(const ee_window *window, const ee_shape *x, const ee_shape *y,
                               int64_t channels) {
  int           w     = window->n_spatial - 1;  // the last dimension is the width
  ee_blis_image image = {.samples     = x->dim[0],
                         .channels    = channels,
                         .in_h        = 1,
                         .in_w        = x->dim[2 + w],
                         .out_h       = 1,
                         .out_w       = y->dim[2 + w],
                         .kernel_h    = 1,
                         .kernel_w    = window->kernel[w],
                         .stride_h    = 1,
                         .stride_w    = window->stride[w],
                         .dilation_h  = 1,
                         .dilation_w  = window->dilation[w],
                         .pad_w       = window->pad_before[w],
                         .sample_step = ee_shape_product(x, 1, x->rank)};
  if (w > 0) {
    image.in_h       = x->dim[2];
    image.out_h      = y->dim[2];
    image.kernel_h   = window->kernel[0];
    image.stride_h   = window->stride[0];
    image.dilation_h = window->dilation[0];
    image.pad_h      = window->pad_before[0];
  }
  image.pixels   = image.out_h * image.out_w;
  image.reach_h  = (image.kernel_h - 1) * image.dilation_h + 1;
  image.stripe_w = (image.out_w - 1) * image.stride_w + (image.kernel_w - 1) * image.dilation_w + 1;
  image.direct   = image.pad_h == 0 && image.pad_w == 0 && image.stripe_w <= image.in_w &&
                 (image.out_h - 1) * image.stride_h + image.reach_h <= image.in_h;
  return image;
}

/* Input rows under `rows` rows of windows of one sample. */
static int64_t rows_under(const ee_blis_image *image, int64_t rows) {
  return (rows - 1) * image->stride_h + image->reach_h;
}

int64_t ee_blis_stripe_floats(const ee_blis_image *image, int64_t n) {
  if (image->direct) return 0;
  int64_t samples = (n - 1) / image->pixels + 2, rows = (n - 1) / image->out_w + 2;
  samples = samples < image->samples ? samples : image->samples;
  rows    = rows < samples * image->out_h ? rows : samples * image->out_h;
  return image->channels * (rows * image->stride_h + samples * image->reach_h) * image->stripe_w;
}

/* The stripe's part of one sample: output rows [first, last]. */
typedef struct sample_part {
  int64_t sample, first, last;
} sample_part;

static sample_part part_of(const ee_blis_image *image, const ee_blis_stripe *stripe,
                           int64_t sample) {
  int64_t base  = sample * image->pixels;
  int64_t first = stripe->begin > base ? (stripe->begin - base) / image->out_w : 0;
  int64_t last  = stripe->end < base + image->pixels ? (stripe->end - 1 - base) / image->out_w
                                                     : image->out_h - 1;
  return (sample_part){sample, first, last};
}

/* Stripe row at which a sample's part begins. */
static int64_t part_row(const ee_blis_image *image, const ee_blis_stripe *stripe, int64_t sample) {
  int64_t s0 = stripe->begin / image->pixels;
  if (sample == s0) return 0;
  sample_part first = part_of(image, stripe, s0);
  return rows_under(image, first.last - first.first + 1) +
         (sample - s0 - 1) * rows_under(image, image->out_h);
}

/* One input row with padding left and right; x NULL: a row of padding. */
static void padded_row(const ee_blis_image *image, const float *x, float *to) {
  int64_t left = image->pad_w < image->stripe_w ? image->pad_w : image->stripe_w;
  int64_t end  = image->pad_w + image->in_w;
  end          = end < image->stripe_w ? end : image->stripe_w;
  if (x == NULL) left = end = image->stripe_w;
  for (int64_t i = 0; i < left; i++) to[i] = 0.0F;
  if (end > left) memcpy(to + left, x, (size_t)(end - left) * sizeof *to);
  for (int64_t i = end; i < image->stripe_w; i++) to[i] = 0.0F;
}

static void fill_part(const ee_blis_image *image, const sample_part *part, const float *x,
                      int64_t channel_step, float *to) {
  int64_t rows = rows_under(image, part->last - part->first + 1);
  int64_t top  = part->first * image->stride_h - image->pad_h;
  for (int64_t c = 0; c < image->channels; c++) {
    const float *plane = x + part->sample * image->sample_step + c * image->in_h * image->in_w;
    for (int64_t r = 0; r < rows; r++) {
      bool inside = top + r >= 0 && top + r < image->in_h;
      padded_row(image, inside ? plane + (top + r) * image->in_w : NULL,
                 to + c * channel_step + r * image->stripe_w);
    }
  }
}

ee_blis_stripe ee_blis_stripe_make(const ee_blis_image *image, int64_t begin, int64_t end,
                                   const float *x, float *memory) {
  ee_blis_stripe stripe = {begin, end, x, image->in_h * image->in_w, image->in_w};
  if (image->direct) return stripe;

  int64_t     s0 = begin / image->pixels, s1 = (end - 1) / image->pixels;
  sample_part last = part_of(image, &stripe, s1);
  int64_t     rows = part_row(image, &stripe, s1) + rows_under(image, last.last - last.first + 1);
  stripe.source    = memory;
  stripe.channel_step = rows * image->stripe_w;
  stripe.row_step     = image->stripe_w;
  for (int64_t s = s0; s <= s1; s++) {
    sample_part part = part_of(image, &stripe, s);
    fill_part(image, &part, x, stripe.channel_step,
              memory + part_row(image, &stripe, s) * image->stripe_w);
  }
  return stripe;
}

void ee_blis_stripe_taps(const ee_blis_image *image, const ee_blis_stripe *stripe, int64_t *tap) {
  for (int64_t i = 0; i < image->kernel_h; i++) {
    for (int64_t j = 0; j < image->kernel_w; j++) {
      *tap++ = i * image->dilation_h * stripe->row_step + j * image->dilation_w;
    }
  }
}

/* Offset of a pixel under tap 0. */
static int64_t pixel_offset(const ee_blis_image *image, const ee_blis_stripe *stripe,
                            int64_t pixel) {
  int64_t sample = pixel / image->pixels, y = pixel % image->pixels / image->out_w;
  int64_t x = pixel % image->out_w * image->stride_w;
  if (image->direct) {
    return sample * image->sample_step + y * image->stride_h * stripe->row_step + x;
  }
  int64_t first = part_of(image, stripe, sample).first;
  int64_t row   = part_row(image, stripe, sample) + (y - first) * image->stride_h;
  return row * stripe->row_step + x;
}

int ee_blis_stripe_runs(const ee_blis_image *image, const ee_blis_stripe *stripe, int64_t begin,
                        int64_t end, ee_blis_run *run) {
  int n = 0;
  for (int64_t p = begin; p < end;) {
    int64_t length = image->out_w - p % image->out_w;
    length         = length < end - p ? length : end - p;
    int64_t offset = pixel_offset(image, stripe, p);
    bool    joins  = n > 0 && image->stride_w == 1 && run[n - 1].offset + run[n - 1].n == offset;
    if (joins) {
      run[n - 1].n += (int)length;
    } else {
      run[n++] = (ee_blis_run){offset, (int)(p - begin), (int)length};
    }
    p += length;
  }
  return n;
}

int ee_blis_result_runs(const ee_blis_image *image, int64_t sample_step, int64_t begin, int64_t end,
                        ee_blis_run *run) {
  int n = 0;
  for (int64_t p = begin; p < end;) {
    int64_t at     = p % image->pixels;
    int64_t length = image->pixels - at < end - p ? image->pixels - at : end - p;
    run[n++] = (ee_blis_run){p / image->pixels * sample_step + at, (int)(p - begin), (int)length};
    p += length;
  }
  return n;
}
