/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"

/* ln p of the element at p: elements that agree with it before `axis`, and after it unless
 * flattened, belong to the same sum.  ln p = -ln sum_j exp(x_j - x). */
static double log_softmax_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *in   = &c->value[0].shape;
  int             axis = c->node.attr.along.axis;
  int             end  = c->node.attr.along.flatten ? in->rank : axis + 1;
  double          sum = 0.0, x = c->data[0][nd_offset(p, in->dim, in->rank)];
  for (int64_t i = 0; i < ee_shape_elements(in); i++) {
    int64_t q[EE_MAX_RANK];
    bool    same = true;
    nd_coordinates(i, in->dim, in->rank, q);
    for (int d = 0; d < in->rank; d++) same = same && (q[d] == p[d] || (d >= axis && d < end));
    if (same) sum += exp(c->data[0][i] - x);
  }
  return -log(sum);
}

static double softmax_at(const kernel_case *c, const int64_t *p) {
  return exp(log_softmax_at(c, p));
}

static void softmax_is_its_definition_along_any_axis(void) {
  for (uint64_t draw = 0; draw < 200; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    ee_shape    x   = nd_draw(&rng, case_draw(&rng, 1, 4), 5);
    bool        log = draw % 2 == 0;
    nd_begin(&c, log ? EE_OP_LOG_SOFTMAX : EE_OP_SOFTMAX);
    c.node.attr.along.axis    = case_draw(&rng, 0, x.rank - 1);
    c.node.attr.along.flatten = case_draw(&rng, 0, 1) == 1;
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    case_output(&c, x);
    CU_ASSERT_TRUE(nd_check(&c, log ? log_softmax_at : softmax_at, 3e-7));
  }
}

static void softmax_of_large_logits_is_finite(void) {
  ee_rng      rng = ee_rng_at(2, 0);
  kernel_case c;
  for (int log = 0; log < 2; log++) {
    nd_begin(&c, log ? EE_OP_LOG_SOFTMAX : EE_OP_SOFTMAX);
    float *x = case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){1, {3}});
    x[0]     = 3e38F;
    x[1]     = 3e38F;
    x[2]     = 0.0F;
    case_output(&c, (ee_shape){1, {3}});
    float *y = case_run(&c, &ee_backend_ref, 0, 1);
    CU_ASSERT_DOUBLE_EQUAL(y[0], log ? -0.69314718 : 0.5, 1e-7);
    CU_ASSERT_EQUAL(y[2], log ? -3e38F : 0.0F);
    free(y);
    case_end(&c);
  }
}

/* The mean over all elements that agree with p where the axis is kept. */
static double mean_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *in  = &c->value[0].shape;
  double          sum = 0.0;
  int             n   = 0;
  for (int64_t i = 0; i < ee_shape_elements(in); i++) {
    int64_t q[EE_MAX_RANK];
    bool    same = true;
    nd_coordinates(i, in->dim, in->rank, q);
    for (int d = 0; d < in->rank; d++) same = same && (c->node.attr.reduce.axis[d] || q[d] == p[d]);
    if (!same) continue;
    sum += c->data[0][i];
    n++;
  }
  return sum / n;
}

static void means_are_over_the_chosen_axes(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    ee_shape    x = nd_draw(&rng, case_draw(&rng, 1, 5), 5), y = x;
    nd_begin(&c, EE_OP_REDUCE_MEAN);
    for (int d = 0; d < x.rank; d++) {
      c.node.attr.reduce.axis[d] = case_draw(&rng, 0, 1) == 1;
      if (c.node.attr.reduce.axis[d]) y.dim[d] = 1;
    }
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, mean_at, 2e-7));
  }
}

static void axes_may_be_dropped_from_the_shape_of_a_mean(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_REDUCE_MEAN);
  c.node.attr.reduce.axis[1] = true;
  float *x                   = case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {2, 4, 3}});
  case_output(&c, (ee_shape){2, {2, 3}});
  float *y = case_run(&c, &ee_backend_ref, 0, 1);
  for (int i = 0; i < 6; i++) {
    const float *column = x + i / 3 * 12 + i % 3;
    double       mean   = ((double)column[0] + column[3] + column[6] + column[9]) / 4;
    CU_ASSERT_DOUBLE_EQUAL(y[i], mean, 1e-7);
  }
  free(y);
  case_end(&c);
}

static double normalised_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *in        = &c->value[0].shape;
  double          x         = c->data[0][nd_offset(p, in->dim, in->rank)];
  double          deviation = sqrt(c->data[4][p[1]] + (double)c->node.attr.batch_norm.epsilon);
  return (x - c->data[3][p[1]]) / deviation * c->data[1][p[1]] + c->data[2][p[1]];
}

static void batch_norm_normalises_each_channel(void) {
  for (uint64_t draw = 0; draw < 100; draw++) {
    ee_rng      rng = ee_rng_at(5, draw);
    kernel_case c;
    ee_shape    x = nd_draw(&rng, case_draw(&rng, 2, 5), 6);
    nd_begin(&c, EE_OP_BATCH_NORM);
    c.node.attr.batch_norm.epsilon = 0.01F;
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    for (int i = 0; i < 4; i++) {
      case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){1, {x.dim[1]}});
    }
    for (int64_t i = 0; i < x.dim[1]; i++) c.data[4][i] = fabsf(c.data[4][i]);
    case_output(&c, x);
    CU_ASSERT_TRUE(nd_check(&c, normalised_at, 2e-7));
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(softmax_is_its_definition_along_any_axis),
    EE_FACT(softmax_of_large_logits_is_finite),
    EE_FACT(means_are_over_the_chosen_axes),
    EE_FACT(axes_may_be_dropped_from_the_shape_of_a_mean),
    EE_FACT(batch_norm_normalises_each_channel),
    {NULL, NULL},
};
