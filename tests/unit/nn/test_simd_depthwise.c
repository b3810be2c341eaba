/* SPDX-License-Identifier: Apache-2.0 */
#include "simd_case.h"
#include "window_case.h"

#define TOLERANCE 1e-6  // of the largest result: float sums of up to 49 products

static void make(kernel_case *c, ee_rng *rng, ee_window w, ee_shape x, ee_shape y, int channels) {
  w.groups = channels;
  conv_case(c, rng, w, x, y, 1, 1, case_draw(rng, 0, 1) == 1);
  c->node.act = draw_activation(rng);
}

static void draw_any(kernel_case *c, ee_rng *rng) {
  const window_limits limits = {1, 2, 30, 7, 3, 3, 3};
  ee_shape            x, y;
  ee_window           w = window_draw(rng, &limits, false, &x, &y);
  make(c, rng, w, x, y, case_draw(rng, 2, 50));
}

/* The windows that have kernels of their own: 3 or 5 wide, stride 1 or 2. */
static void draw_common(kernel_case *c, ee_rng *rng) {
  int       kernel = case_draw(rng, 0, 1) == 0 ? 3 : 5, stride = case_draw(rng, 1, 2);
  int       size = case_draw(rng, 1, 40), pad = kernel / 2;
  ee_window w   = {.n_spatial  = 2,
                   .kernel     = {kernel, kernel},
                   .stride     = {stride, stride},
                   .dilation   = {1, 1},
                   .pad_before = {pad, pad},
                   .pad_after  = {pad, pad}};
  int64_t   out = window_outputs(&w, 0, size);
  make(c, rng, w, (ee_shape){4, {1, 0, size, size}}, (ee_shape){4, {1, 0, out, out}},
       case_draw(rng, 2, 70));
}

static void check_any(void) {
  check_draws(draw_any, 250, TOLERANCE);
}

static void any_window_agrees_with_ref(void) {
  with_all_vectors(check_any);
}

static void check_common(void) {
  check_draws(draw_common, 120, TOLERANCE);
}

static void common_windows_agree_with_ref(void) {
  with_all_vectors(check_common);
}

const ee_fact ee_facts[] = {
    EE_FACT(any_window_agrees_with_ref),
    EE_FACT(common_windows_agree_with_ref),
    {NULL, NULL},
};
