/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"
#include "window_case.h"

static const window_limits any = {1, 3, 8, 4, 3, 3, 3};

/* What the taps of one window meet. */
typedef struct meeting {
  double largest, sum;
  int    inputs, padded;  // taps on an input; on an input or the padding
} meeting;

static meeting meet(const kernel_case *c, const int64_t *p) {
  const ee_window *w    = &c->node.attr.window;
  const ee_shape  *in   = &c->value[0].shape;
  meeting          m    = {.largest = -INFINITY};
  int64_t          taps = 1, kernel[3], k[3], q[EE_MAX_RANK] = {p[0], p[1]};
  for (int d = 0; d < w->n_spatial; d++) taps *= kernel[d] = w->kernel[d];
  for (int64_t t = 0; t < taps; t++) {
    bool inside = true, padded = true;
    nd_coordinates(t, kernel, w->n_spatial, k);
    for (int d = 0; d < w->n_spatial; d++) {
      int64_t at = p[2 + d] * w->stride[d] - w->pad_before[d] + k[d] * w->dilation[d];
      inside     = inside && at >= 0 && at < in->dim[2 + d];
      padded     = padded && at < in->dim[2 + d] + w->pad_after[d];
      q[2 + d]   = at;
    }
    m.padded += padded;
    if (!inside) continue;
    double v = c->data[0][nd_offset(q, in->dim, in->rank)];
    m.inputs++;
    m.sum += v;
    m.largest = fmax(m.largest, v);
  }
  return m;
}

static double average_at(const kernel_case *c, const int64_t *p) {
  meeting m     = meet(c, p);
  int     count = c->node.attr.window.count_include_pad ? m.padded : m.inputs;
  return count > 0 ? m.sum / count : 0.0;
}

static void draw_pool(kernel_case *c, ee_rng *rng, ee_op op) {
  ee_shape  x, y;
  ee_window w         = window_draw(rng, &any, case_draw(rng, 0, 1) == 1, &x, &y);
  w.count_include_pad = case_draw(rng, 0, 1) == 1;
  x.dim[0] = y.dim[0] = 2;
  x.dim[1] = y.dim[1] = case_draw(rng, 1, 3);
  nd_begin(c, op);
  c->node.attr.window = w;
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_output(c, y);
}

static void average_pooling_divides_by_the_positions_that_count(void) {
  for (uint64_t draw = 0; draw < 400; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_pool(&c, &rng, EE_OP_AVERAGE_POOL);
    CU_ASSERT_TRUE(nd_check(&c, average_at, 2e-7));
  }
}

/* Compared bit by bit, because a window all in the padding gives -inf. */
static void max_pooling_takes_the_largest_input(void) {
  for (uint64_t draw = 0; draw < 400; draw++) {
    ee_rng      rng = ee_rng_at(2, draw);
    kernel_case c;
    draw_pool(&c, &rng, EE_OP_MAX_POOL);
    const ee_shape *out = &c.value[EE_MAX_NODE_INPUTS].shape;
    float          *y   = case_run(&c, &ee_backend_ref, 0, 1);
    for (int64_t i = 0; i < ee_shape_elements(out); i++) {
      int64_t p[EE_MAX_RANK];
      nd_coordinates(i, out->dim, out->rank, p);
      CU_ASSERT_TRUE(y[i] == meet(&c, p).largest);
    }
    free(y);
    case_end(&c);
  }
}

/* By hand: width 5, kernel 3, stride 2, padding 1 and 1; the last window sees 3, 4 and padding. */
static void padding_counts_only_when_asked(void) {
  const float x[]    = {0, 1, 2, 3, 4};
  const float with[] = {1 / 3.0F, 2, 7 / 3.0F}, without[] = {0.5F, 2, 3.5F};
  ee_rng      rng = ee_rng_at(3, 0);
  for (int counted = 0; counted < 2; counted++) {
    kernel_case c;
    case_begin(&c, EE_OP_AVERAGE_POOL);
    c.node.attr.window = (ee_window){.n_spatial         = 1,
                                     .kernel            = {3},
                                     .stride            = {2},
                                     .dilation          = {1},
                                     .pad_before        = {1},
                                     .pad_after         = {1},
                                     .count_include_pad = counted == 1};
    memcpy(case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 1, 5}}), x, sizeof x);
    case_output(&c, (ee_shape){3, {1, 1, 3}});
    float *y = case_run(&c, &ee_backend_ref, 0, 1);
    for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(y[i], counted == 1 ? with[i] : without[i]);
    free(y);
    case_end(&c);
  }
}

static void a_nan_is_the_largest(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_MAX_POOL);
  c.node.attr.window = (ee_window){.n_spatial = 1, .kernel = {2}, .stride = {1}, .dilation = {1}};
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 1, 4}})[1] = NAN;
  case_output(&c, (ee_shape){3, {1, 1, 3}});
  float *y = case_run(&c, &ee_backend_ref, 0, 1);
  CU_ASSERT_TRUE(isnan(y[0]) && isnan(y[1]) && !isnan(y[2]));
  free(y);
  case_end(&c);
}

static double plane_mean(const kernel_case *c, const int64_t *p) {
  const ee_shape *in    = &c->value[0].shape;
  int64_t         plane = ee_shape_product(in, 2, in->rank);
  double          sum   = 0.0;
  for (int64_t i = 0; i < plane; i++) sum += c->data[0][(p[0] * in->dim[1] + p[1]) * plane + i];
  return sum / (double)plane;
}

static void global_average_pooling_is_the_mean_of_each_plane(void) {
  for (uint64_t draw = 0; draw < 100; draw++) {
    ee_rng      rng = ee_rng_at(5, draw);
    kernel_case c;
    ee_shape    x = nd_draw(&rng, case_draw(&rng, 3, 5), 9), y = x;
    for (int d = 2; d < x.rank; d++) y.dim[d] = 1;
    nd_begin(&c, EE_OP_GLOBAL_AVERAGE_POOL);
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, plane_mean, 2e-7));
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(average_pooling_divides_by_the_positions_that_count),
    EE_FACT(max_pooling_takes_the_largest_input),
    EE_FACT(padding_counts_only_when_asked),
    EE_FACT(a_nan_is_the_largest),
    EE_FACT(global_average_pooling_is_the_mean_of_each_plane),
    {NULL, NULL},
};
