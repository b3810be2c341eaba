/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"

enum { CONSTANT, REFLECT, EDGE, WRAP };

/* Walk from position i of a cropped line of n back into it, one step at a time. */
static int64_t walk_inside(int64_t i, int64_t n, int mode) {
  while (i < 0 || i >= n) {
    if (mode == EDGE) i += i < 0 ? 1 : -1;
    if (mode == WRAP) i += i < 0 ? n : -n;
    if (mode == REFLECT) i = i < 0 ? -i : 2 * (n - 1) - i;
  }
  return i;
}

static double padded_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *in   = &c->value[0].shape;
  int             mode = c->node.attr.pad.mode;
  int64_t         q[EE_MAX_RANK];
  for (int d = 0; d < in->rank; d++) {
    int     before = c->node.attr.pad.before[d], after = c->node.attr.pad.after[d];
    int64_t cut = before < 0 ? -before : 0, left = in->dim[d] - cut + (after < 0 ? after : 0);
    int64_t i = p[d] - (before > 0 ? before : 0);
    if (mode == CONSTANT && (i < 0 || i >= left)) return c->node.attr.pad.value;
    q[d] = cut + walk_inside(i, left, mode);
  }
  return c->data[0][nd_offset(q, in->dim, in->rank)];
}

/* Pads of up to more than the input, or crops that leave at least two positions. */
static void draw_pad(kernel_case *c, ee_rng *rng, int mode) {
  ee_shape x = nd_draw(rng, case_draw(rng, 1, 4), 4), y = x;
  nd_begin(c, EE_OP_PAD);
  c->node.attr.pad.mode  = mode;
  c->node.attr.pad.value = case_random(rng);
  for (int d = 0; d < x.rank; d++) {
    x.dim[d] += 2;
    int64_t left               = x.dim[d] - 2;
    int     crop_before        = case_draw(rng, 0, 3) == 0 ? case_draw(rng, 0, (int)left) : 0;
    int     crop_after         = case_draw(rng, 0, 3) == 0 ? (int)left - crop_before : 0;
    c->node.attr.pad.before[d] = crop_before > 0 ? -crop_before : case_draw(rng, 0, 7);
    c->node.attr.pad.after[d]  = crop_after > 0 ? -crop_after : case_draw(rng, 0, 7);
    y.dim[d]                   = x.dim[d] + c->node.attr.pad.before[d] + c->node.attr.pad.after[d];
  }
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_output(c, y);
}

static void pad_continues_the_array_in_every_mode(void) {
  for (uint64_t draw = 0; draw < 400; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_pad(&c, &rng, (int)(draw % 4));
    CU_ASSERT_TRUE(nd_check(&c, padded_at, 0.0));
  }
}

/* numpy.pad([0, 1, 2], (2, 3)) in each mode; constant 9. */
static void a_line_is_padded_as_numpy_does(void) {
  const float expected[4][8] = {[CONSTANT] = {9, 9, 0, 1, 2, 9, 9, 9},
                                [REFLECT]  = {2, 1, 0, 1, 2, 1, 0, 1},
                                [EDGE]     = {0, 0, 0, 1, 2, 2, 2, 2},
                                [WRAP]     = {1, 2, 0, 1, 2, 0, 1, 2}};
  ee_rng      rng            = ee_rng_at(2, 0);
  for (int mode = CONSTANT; mode <= WRAP; mode++) {
    kernel_case c;
    nd_begin(&c, EE_OP_PAD);
    c.node.attr.pad.mode      = mode;
    c.node.attr.pad.value     = 9.0F;
    c.node.attr.pad.before[0] = 2;
    c.node.attr.pad.after[0]  = 3;
    float *x                  = case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){1, {3}});
    for (int i = 0; i < 3; i++) x[i] = (float)i;
    case_output(&c, (ee_shape){1, {8}});
    float *y = case_run(&c, &ee_backend_ref, 0, 1);
    CU_ASSERT_EQUAL(memcmp(y, expected[mode], sizeof expected[mode]), 0);
    free(y);
    case_end(&c);
  }
}

static void a_single_position_can_be_reflected(void) {
  ee_rng      rng = ee_rng_at(3, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_PAD);
  c.node.attr.pad.mode      = REFLECT;
  c.node.attr.pad.before[0] = 2;
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){1, {1}});
  case_output(&c, (ee_shape){1, {3}});
  float *y = case_run(&c, &ee_backend_ref, 0, 1);
  for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(y[i], c.data[0][0]);
  free(y);
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(pad_continues_the_array_in_every_mode),
    EE_FACT(a_line_is_padded_as_numpy_does),
    EE_FACT(a_single_position_can_be_reflected),
    {NULL, NULL},
};
