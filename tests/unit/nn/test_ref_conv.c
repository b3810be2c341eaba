/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"
#include "window_case.h"

static const window_limits any = {1, 3, 7, 4, 3, 3, 3};

/* Element of x at padded coordinates, 0 outside; p and x of n dimensions. */
static double at_or_zero(const float *x, const int64_t *dim, const int64_t *p, int n) {
  int64_t offset = 0;
  for (int d = 0; d < n; d++) {
    if (p[d] < 0 || p[d] >= dim[d]) return 0.0;
    offset = offset * dim[d] + p[d];
  }
  return x[offset];
}

/* One output of one sample, from the definition: all channels, all taps, any coordinate. */
static double conv_at(const kernel_case *c, const float *x, int64_t o, const int64_t *at) {
  const ee_window *w       = &c->node.attr.window;
  const ee_shape  *weights = &c->value[1].shape, *in = &c->value[0].shape;
  int64_t          taps  = ee_shape_product(weights, 2, weights->rank);
  int64_t          group = o / (weights->dim[0] / w->groups);
  double           sum   = c->node.n_in > 2 ? c->data[2][o] : 0.0;
  for (int64_t i = 0; i < weights->dim[1] * taps; i++) {
    int64_t channel = group * weights->dim[1] + i / taps, k[3], p[3];
    nd_coordinates(i % taps, weights->dim + 2, w->n_spatial, k);
    for (int d = 0; d < w->n_spatial; d++) {
      p[d] = at[d] * w->stride[d] - w->pad_before[d] + k[d] * w->dilation[d];
    }
    const float *plane = x + channel * ee_shape_product(in, 2, in->rank);
    sum += c->data[1][o * weights->dim[1] * taps + i] *
           at_or_zero(plane, in->dim + 2, p, w->n_spatial);
  }
  return sum;
}

static double *naive_conv(const kernel_case *c, int64_t samples) {
  const ee_shape *in = &c->value[0].shape, *out = &c->value[EE_MAX_NODE_INPUTS].shape;
  int64_t         plane = ee_shape_product(out, 2, out->rank), n = case_elements(c, samples);
  double         *y = malloc((size_t)n * sizeof *y);
  for (int64_t i = 0; i < n; i++) {
    int64_t at[3], sample = i / plane / out->dim[1];
    nd_coordinates(i % plane, out->dim + 2, out->rank - 2, at);
    y[i] = conv_at(c, c->data[0] + sample * ee_shape_elements(in), i / plane % out->dim[1], at);
  }
  return y;
}

static void draw_conv(kernel_case *c, ee_rng *rng) {
  ee_shape  x, y;
  ee_window w = window_draw(rng, &any, false, &x, &y);
  w.groups    = case_draw(rng, 1, 3);
  conv_case(c, rng, w, x, y, case_draw(rng, 1, 3), case_draw(rng, 1, 3), case_draw(rng, 0, 1) == 1);
}

static void convolution_is_its_definition(void) {
  for (uint64_t draw = 0; draw < 400; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    float  *y        = case_run(&c, &ee_backend_ref, 0, 2);
    double *expected = naive_conv(&c, 2);
    CU_ASSERT_TRUE(case_close(y, expected, case_elements(&c, 2), 2e-7));
    free(expected);
    free(y);
    case_end(&c);
  }
}

static void rows_longer_than_a_piece_are_whole(void) {
  ee_rng      rng = ee_rng_at(2, 0);
  kernel_case c;
  ee_window   w = {.n_spatial  = 1,
                   .kernel     = {5},
                   .stride     = {2},
                   .dilation   = {3},
                   .pad_before = {6},
                   .pad_after  = {6},
                   .groups     = 1};
  ee_shape    x = {3, {1, 0, 1500}}, y = {3, {1, 0, 750}};
  conv_case(&c, &rng, w, x, y, 2, 2, true);
  float  *out      = case_run(&c, &ee_backend_ref, 0, 1);
  double *expected = naive_conv(&c, 1);
  CU_ASSERT_TRUE(case_close(out, expected, case_elements(&c, 1), 2e-7));
  free(expected);
  free(out);
  case_end(&c);
}

static void a_batch_has_the_bits_of_its_samples(void) {
  for (uint64_t draw = 0; draw < 50; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_ref));
    case_end(&c);
  }
}

static void a_long_convolution_calls_progress(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  ee_window   w = {.n_spatial  = 2,
                   .kernel     = {3, 3},
                   .stride     = {1, 1},
                   .dilation   = {1, 1},
                   .pad_before = {1, 1},
                   .pad_after  = {1, 1},
                   .groups     = 1};
  ee_shape    x = {4, {1, 0, 32, 32}};
  conv_case(&c, &rng, w, x, x, 16, 16, false);
  free(case_run(&c, &ee_backend_ref, 0, 1));  // 2.4 million multiply-adds
  CU_ASSERT_TRUE(c.progress_calls >= 5 && c.progress_calls <= 500);
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(convolution_is_its_definition),
    EE_FACT(rows_longer_than_a_piece_are_whole),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    EE_FACT(a_long_convolution_calls_progress),
    {NULL, NULL},
};
