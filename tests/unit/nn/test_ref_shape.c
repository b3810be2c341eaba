/* SPDX-License-Identifier: Apache-2.0 */
#include "ee_test.h"
#include "nd_case.h"

static double same_place(const kernel_case *c, const int64_t *p) {
  const ee_shape *out = &c->value[EE_MAX_NODE_INPUTS].shape;
  return c->data[0][nd_offset(p, out->dim, out->rank)];
}

static void reshape_keeps_the_order(void) {
  ee_rng      rng = ee_rng_at(1, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_RESHAPE);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){4, {2, 3, 4, 5}});
  case_output(&c, (ee_shape){2, {6, 20}});
  CU_ASSERT_TRUE(nd_check(&c, same_place, 0.0));
}

static double transposed_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *in = &c->value[0].shape;
  int64_t         q[EE_MAX_RANK];
  for (int d = 0; d < in->rank; d++) q[c->node.attr.transpose.perm[d]] = p[d];
  return c->data[0][nd_offset(q, in->dim, in->rank)];
}

static void transpose_moves_each_axis(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(2, draw);
    kernel_case c;
    ee_shape    x = nd_draw(&rng, case_draw(&rng, 0, 7), 4), y = x;
    nd_begin(&c, EE_OP_TRANSPOSE);
    int *perm = c.node.attr.transpose.perm;
    for (int d = 0; d < x.rank; d++) {  // Fisher and Yates
      int other   = case_draw(&rng, 0, d);
      perm[d]     = perm[other];
      perm[other] = d;
    }
    for (int d = 0; d < x.rank; d++) y.dim[d] = x.dim[perm[d]];
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, transposed_at, 0.0));
  }
}

static double concatenated_at(const kernel_case *c, const int64_t *p) {
  int     rank = c->value[EE_MAX_NODE_INPUTS].shape.rank, axis = c->node.attr.along.axis, i = 0;
  int64_t q[EE_MAX_RANK];
  memcpy(q, p, (size_t)rank * sizeof *q);
  while (q[axis] >= c->value[i].shape.dim[axis]) q[axis] -= c->value[i++].shape.dim[axis];
  return c->data[i][nd_offset(q, c->value[i].shape.dim, rank)];
}

static void concat_puts_inputs_one_after_the_other(void) {
  for (uint64_t draw = 0; draw < 200; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    ee_shape    x    = nd_draw(&rng, case_draw(&rng, 1, 5), 4), y;
    int         axis = case_draw(&rng, 0, x.rank - 1), n = case_draw(&rng, 1, 16);
    nd_begin(&c, EE_OP_CONCAT);
    c.node.attr.along.axis = axis;
    y                      = x;
    y.dim[axis]            = 0;
    for (int i = 0; i < n; i++) {
      x.dim[axis] = case_draw(&rng, 1, 3);
      y.dim[axis] += x.dim[axis];
      case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    }
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, concatenated_at, 0.0));
  }
}

static void concat_repeats_a_constant_over_the_batch(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  case_begin(&c, EE_OP_CONCAT);
  c.node.attr.along.axis = 1;
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {1, 2}});
  case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {1, 3}});
  case_output(&c, (ee_shape){2, {1, 5}});
  float *y = case_run(&c, &ee_backend_ref, 0, CASE_BATCH);
  for (int i = 0; i < CASE_BATCH * 5; i++) {
    CU_ASSERT_EQUAL(y[i], i % 5 < 2 ? c.data[0][i % 5] : c.data[1][i / 5 * 3 + i % 5 - 2]);
  }
  free(y);
  case_end(&c);
}

static double sliced_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *in = &c->value[0].shape;
  int64_t         q[EE_MAX_RANK];
  for (int d = 0; d < in->rank; d++) {
    q[d] = c->node.attr.slice.start[d] + c->node.attr.slice.step[d] * p[d];
  }
  return c->data[0][nd_offset(q, in->dim, in->rank)];
}

static void slice_takes_every_step_from_the_start_on(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(5, draw);
    kernel_case c;
    ee_shape    x = nd_draw(&rng, case_draw(&rng, 0, 5), 6), y = x;
    nd_begin(&c, EE_OP_SLICE);
    for (int d = 0; d < x.rank; d++) {
      int  n = (int)x.dim[d], start = case_draw(&rng, 0, n - 1), step = case_draw(&rng, 1, 3);
      bool back                  = case_draw(&rng, 0, 1) == 1;
      c.node.attr.slice.start[d] = start;
      c.node.attr.slice.step[d]  = back ? -step : step;
      y.dim[d]                   = case_draw(&rng, 1, 1 + (back ? start : n - 1 - start) / step);
    }
    case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, sliced_at, 0.0));
  }
}

/* data[.., index[i..], ..]: the coordinates in front of the axis, those of the index, the rest. */
static double gathered_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *data = &c->value[0].shape, *index = &c->value[1].shape;
  int             axis = c->node.attr.gather.axis;
  int64_t         q[EE_MAX_RANK];
  int             place = (int)c->data[1][nd_offset(p + axis, index->dim, index->rank)];
  for (int d = 0; d < axis; d++) q[d] = p[d];
  for (int d = axis + 1; d < data->rank; d++) q[d] = p[d - 1 + index->rank];
  q[axis] = place < 0 ? place + data->dim[axis] : place;
  return c->data[0][nd_offset(q, data->dim, data->rank)];
}

static void gather_looks_up_the_places_of_its_index(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(6, draw);
    kernel_case c;
    ee_shape    data = nd_draw(&rng, case_draw(&rng, 1, 4), 4), y = {.rank = 0};
    ee_shape    index = nd_draw(&rng, case_draw(&rng, 0, 3), 4);
    int         axis = case_draw(&rng, 0, data.rank - 1), n = (int)data.dim[axis];
    nd_begin(&c, EE_OP_GATHER);
    c.node.attr.gather.axis = axis;
    case_input(&c, &rng, EE_VALUE_CONSTANT, data);
    case_input(&c, &rng, EE_VALUE_ACTIVATION, index);
    for (int64_t i = 0; i < ee_shape_elements(&index); i++) {
      c.data[1][i] = (float)case_draw(&rng, -n, n - 1);
    }
    for (int d = 0; d < axis; d++) y.dim[y.rank++] = data.dim[d];
    for (int d = 0; d < index.rank; d++) y.dim[y.rank++] = index.dim[d];
    for (int d = axis + 1; d < data.rank; d++) y.dim[y.rank++] = data.dim[d];
    case_output(&c, y);
    CU_ASSERT_TRUE(nd_check(&c, gathered_at, 0.0));
  }
}

static void an_index_of_no_place_gives_no_number(void) {
  const float bad[] = {3.0F, -4.0F, 0.5F, -0.5F, NAN, INFINITY, -INFINITY, 1e30F};
  ee_rng      rng   = ee_rng_at(7, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_GATHER);
  case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){2, {3, 2}});
  memcpy(case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){1, {8}}), bad, sizeof bad);
  case_output(&c, (ee_shape){2, {8, 2}});
  float *y = case_run(&c, &ee_backend_ref, 0, 1);
  for (int i = 0; i < 16; i++) CU_ASSERT_TRUE(isnan(y[i]));
  free(y);
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(reshape_keeps_the_order),
    EE_FACT(transpose_moves_each_axis),
    EE_FACT(concat_puts_inputs_one_after_the_other),
    EE_FACT(concat_repeats_a_constant_over_the_batch),
    EE_FACT(slice_takes_every_step_from_the_start_on),
    EE_FACT(gather_looks_up_the_places_of_its_index),
    EE_FACT(an_index_of_no_place_gives_no_number),
    {NULL, NULL},
};
