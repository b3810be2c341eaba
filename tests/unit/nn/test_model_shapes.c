/* SPDX-License-Identifier: Apache-2.0 */
/* One node at a time: which shapes fit, which would mix the samples of a batch, what a node costs.
 */
#include "ee/model.h"
#include "ee_test.h"
#include "graph_maker.h"

/* A model of one node whose first input is the model's input, and the rest constants. */
static ee_model *one_node(ee_op op, ee_shape x, ee_shape out, bool batched) {
  ee_model *m = maker_begin((int)ee_shape_elements(&out), x);
  m->batched  = batched;
  maker_exit(m, "final", maker_node(m, op, "node", m->input, -1, -1, out)->out);
  return m;
}

static ee_model *with(ee_model *m, ee_shape constant) {
  ee_node *node          = &m->node[0];
  node->in[node->n_in++] = maker_constant(m, "constant", constant);
  return m;
}

static bool accepted(ee_model *m) {
  ee_status status = ee_model_finish(m);
  if (status != EE_OK) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "'node'"));
  ee_model_destroy(&m);
  return status == EE_OK;
}

static double flops(ee_model *m) {
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  double n = m->layer[0].flops;
  ee_model_destroy(&m);
  return n;
}

static ee_window window_2d(int kernel, int stride, int pad, int dilation) {
  return (ee_window){.n_spatial  = 2,
                     .kernel     = {kernel, kernel},
                     .stride     = {stride, stride},
                     .dilation   = {dilation, dilation},
                     .pad_before = {pad, pad},
                     .pad_after  = {pad, pad},
                     .groups     = 1};
}

static ee_model *windowed(ee_op op, ee_window w, ee_shape x, ee_shape out) {
  ee_model *m            = one_node(op, x, out, true);
  m->node[0].attr.window = w;
  return m;
}

static ee_model *conv(ee_window w, ee_shape x, ee_shape weight, ee_shape out) {
  return with(windowed(EE_OP_CONV, w, x, out), weight);
}

static void convolutions_give_the_size_of_the_formula(void) {
  ee_shape  x = SHAPE(1, 4, 9, 9), w = SHAPE(6, 4, 3, 3);
  ee_window grouped = window_2d(3, 1, 1, 1);
  grouped.groups    = 2;
  CU_ASSERT_TRUE(accepted(conv(window_2d(3, 1, 1, 1), x, w, SHAPE(1, 6, 9, 9))));
  CU_ASSERT_TRUE(accepted(conv(window_2d(3, 2, 1, 1), x, w, SHAPE(1, 6, 5, 5))));
  CU_ASSERT_TRUE(accepted(conv(window_2d(3, 2, 0, 2), x, w, SHAPE(1, 6, 3, 3))));
  CU_ASSERT_TRUE(accepted(conv(grouped, x, SHAPE(6, 2, 3, 3), SHAPE(1, 6, 9, 9))));
  CU_ASSERT_TRUE(accepted(with(conv(window_2d(3, 1, 1, 1), x, w, SHAPE(1, 6, 9, 9)), SHAPE(6))));
}

static void convolutions_that_do_not_fit_are_refused(void) {
  ee_shape  x = SHAPE(1, 4, 9, 9), w = SHAPE(6, 4, 3, 3), out = SHAPE(1, 6, 9, 9);
  ee_window good = window_2d(3, 1, 1, 1), bad[6] = {good, good, good, good, good, good};
  bad[0].groups        = 3;
  bad[1].groups        = 0;
  bad[2].stride[1]     = 0;
  bad[3].n_spatial     = 4;
  bad[4].pad_before[0] = -1;
  bad[5].dilation[0]   = 0;
  for (int i = 0; i < 6; i++) CU_ASSERT_FALSE(accepted(conv(bad[i], x, w, out)));
  CU_ASSERT_FALSE(accepted(conv(good, x, w, SHAPE(1, 6, 9, 8))));
  CU_ASSERT_FALSE(accepted(conv(good, x, w, SHAPE(1, 5, 9, 9))));
  CU_ASSERT_FALSE(accepted(conv(good, x, SHAPE(6, 3, 3, 3), out)));
  CU_ASSERT_FALSE(accepted(conv(good, x, SHAPE(6, 4, 5, 3), out)));
  CU_ASSERT_FALSE(accepted(conv(good, x, SHAPE(6, 4, 3), out)));
  CU_ASSERT_FALSE(accepted(with(conv(good, x, w, out), SHAPE(5))));
  CU_ASSERT_FALSE(accepted(conv(window_2d(30, 1, 1, 1), x, SHAPE(6, 4, 30, 30), out)));
}

static void pooling_may_round_up_only_in_ceil_mode(void) {
  ee_shape  x = SHAPE(1, 2, 6, 6), down = SHAPE(1, 2, 2, 2), up = SHAPE(1, 2, 3, 3);
  ee_window w = window_2d(3, 2, 0, 1);
  CU_ASSERT_TRUE(accepted(windowed(EE_OP_MAX_POOL, w, x, down)));
  CU_ASSERT_FALSE(accepted(windowed(EE_OP_MAX_POOL, w, x, up)));
  w.ceil_mode = true;
  CU_ASSERT_TRUE(accepted(windowed(EE_OP_AVERAGE_POOL, w, x, up)));
  CU_ASSERT_FALSE(accepted(windowed(EE_OP_AVERAGE_POOL, w, x, SHAPE(1, 2, 4, 4))));
  CU_ASSERT_FALSE(accepted(windowed(EE_OP_AVERAGE_POOL, w, x, SHAPE(1, 3, 3, 3))));
  CU_ASSERT_TRUE(accepted(one_node(EE_OP_GLOBAL_AVERAGE_POOL, x, SHAPE(1, 2, 1, 1), true)));
  CU_ASSERT_FALSE(accepted(one_node(EE_OP_GLOBAL_AVERAGE_POOL, x, SHAPE(1, 2), true)));
}

static ee_model *gemm(bool trans_a, bool trans_b, ee_shape x, ee_shape w, ee_shape out) {
  ee_model *m                  = with(one_node(EE_OP_GEMM, x, out, false), w);
  m->node[0].attr.gemm.trans_a = trans_a;
  m->node[0].attr.gemm.trans_b = trans_b;
  return m;
}

static void matrices_are_multiplied_if_their_inner_dimensions_agree(void) {
  ee_shape a = SHAPE(5, 3), ta = SHAPE(3, 5), b = SHAPE(3, 7), tb = SHAPE(7, 3), y = SHAPE(5, 7);
  CU_ASSERT_TRUE(accepted(gemm(false, false, a, b, y)));
  CU_ASSERT_TRUE(accepted(gemm(true, false, ta, b, y)));
  CU_ASSERT_TRUE(accepted(gemm(true, true, ta, tb, y)));
  CU_ASSERT_FALSE(accepted(gemm(false, true, a, b, y)));
  CU_ASSERT_FALSE(accepted(gemm(false, false, a, SHAPE(4, 7), y)));
  CU_ASSERT_FALSE(accepted(gemm(false, false, a, b, SHAPE(7, 5))));
  CU_ASSERT_TRUE(accepted(with(gemm(false, false, a, b, y), SHAPE(7))));
  CU_ASSERT_TRUE(accepted(with(gemm(false, false, a, b, y), SHAPE(5, 1))));
  CU_ASSERT_FALSE(accepted(with(gemm(false, false, a, b, y), SHAPE(5))));
  CU_ASSERT_FALSE(accepted(with(gemm(false, false, a, b, y), SHAPE(1, 5, 7))));
}

static bool matmul(ee_shape x, ee_shape w, ee_shape out) {
  return accepted(with(one_node(EE_OP_MATMUL, x, out, false), w));
}

static void stacks_of_matrices_are_broadcast(void) {
  CU_ASSERT_TRUE(matmul(SHAPE(2, 5, 3), SHAPE(3, 7), SHAPE(2, 5, 7)));
  CU_ASSERT_TRUE(matmul(SHAPE(2, 1, 5, 3), SHAPE(4, 3, 7), SHAPE(2, 4, 5, 7)));
  CU_ASSERT_TRUE(matmul(SHAPE(3), SHAPE(4, 3, 7), SHAPE(4, 7)));
  CU_ASSERT_TRUE(matmul(SHAPE(5, 3), SHAPE(3), SHAPE(5)));
  CU_ASSERT_TRUE(matmul(SHAPE(3), SHAPE(3), maker_shape((const int64_t[]){-1})));
  CU_ASSERT_FALSE(matmul(SHAPE(2, 5, 3), SHAPE(4, 3, 7), SHAPE(4, 5, 7)));
  CU_ASSERT_FALSE(matmul(SHAPE(5, 3), SHAPE(7, 3), SHAPE(5, 7)));
  CU_ASSERT_FALSE(matmul(SHAPE(5, 3), SHAPE(4, 7), SHAPE(5, 7)));
  CU_ASSERT_FALSE(matmul(SHAPE(5, 3), SHAPE(3, 7), SHAPE(7, 5)));
}

static bool add(ee_shape x, ee_shape c, ee_shape out, bool batched) {
  return accepted(with(one_node(EE_OP_ADD, x, out, batched), c));
}

static void elementwise_shapes_are_broadcast(void) {
  CU_ASSERT_TRUE(add(SHAPE(1, 3, 4), SHAPE(3, 1), SHAPE(1, 3, 4), true));
  CU_ASSERT_TRUE(add(SHAPE(1, 3, 1), SHAPE(1, 4), SHAPE(1, 3, 4), true));
  CU_ASSERT_FALSE(add(SHAPE(1, 3, 4), SHAPE(3), SHAPE(1, 3, 4), true));
  CU_ASSERT_FALSE(add(SHAPE(1, 3, 4), SHAPE(4), SHAPE(1, 4, 4), true));
}

/* Permissible for one sample, or if the first dimension is no batch. */
static void what_would_mix_samples_is_refused_in_a_batched_model_only(void) {
  for (int batched = 0; batched < 2; batched++) {
    CU_ASSERT_EQUAL(add(SHAPE(1, 3), SHAPE(1, 2, 3), SHAPE(1, 2, 3), batched), !batched);
    CU_ASSERT_EQUAL(matmul(SHAPE(1, 3), SHAPE(1, 3, 7), SHAPE(1, 1, 7)), true);
    ee_model *m                = one_node(EE_OP_SOFTMAX, SHAPE(1, 3), SHAPE(1, 3), batched);
    m->node[0].attr.along.axis = 0;
    CU_ASSERT_EQUAL(accepted(m), !batched);
    m = one_node(EE_OP_TRANSPOSE, SHAPE(1, 1, 3), SHAPE(1, 1, 3), batched);
    memcpy(m->node[0].attr.transpose.perm, (int[]){1, 0, 2}, 3 * sizeof(int));
    CU_ASSERT_EQUAL(accepted(m), !batched);
    m                             = one_node(EE_OP_PAD, SHAPE(1, 3), SHAPE(1, 3), batched);
    m->node[0].attr.pad.before[0] = 1;
    m->node[0].attr.pad.after[0]  = -1;
    m->node[0].attr.pad.mode      = 2;
    CU_ASSERT_EQUAL(accepted(m), false);  // nothing of the array would be left before the padding
    m                              = one_node(EE_OP_REDUCE_MEAN, SHAPE(1, 3), SHAPE(1, 3), batched);
    m->node[0].attr.reduce.axis[0] = true;
    CU_ASSERT_EQUAL(accepted(m), !batched);
    m = with(one_node(EE_OP_MUL, SHAPE(1, 1, 3), SHAPE(1, 1, 3), batched), SHAPE(3));
    CU_ASSERT_TRUE(accepted(m));
  }
}

static bool transpose(const int perm[3]) {
  ee_model *m = one_node(EE_OP_TRANSPOSE, SHAPE(1, 2, 2), SHAPE(1, 2, 2), true);
  memcpy(m->node[0].attr.transpose.perm, perm, 3 * sizeof *perm);
  return accepted(m);
}

static void a_permutation_names_every_axis_once(void) {
  CU_ASSERT_TRUE(transpose((const int[]){0, 1, 2}));
  CU_ASSERT_TRUE(transpose((const int[]){0, 2, 1}));
  CU_ASSERT_FALSE(transpose((const int[]){0, 1, 1}));
  CU_ASSERT_FALSE(transpose((const int[]){0, 1, 3}));
  CU_ASSERT_FALSE(transpose((const int[]){0, -1, 2}));
}

static bool pad(int mode, int before, int after, int64_t size) {
  ee_model *m                   = one_node(EE_OP_PAD, SHAPE(1, 4), SHAPE(1, size), true);
  m->node[0].attr.pad.mode      = mode;
  m->node[0].attr.pad.before[1] = before;
  m->node[0].attr.pad.after[1]  = after;
  return accepted(m);
}

static void padding_adds_up_and_reflects_only_what_is_there(void) {
  CU_ASSERT_TRUE(pad(0, 2, 9, 15));
  CU_ASSERT_TRUE(pad(0, -3, 0, 1));
  CU_ASSERT_FALSE(pad(0, -4, 1, 1));
  CU_ASSERT_FALSE(pad(0, 1, 1, 5));
  CU_ASSERT_TRUE(pad(1, 3, 3, 10));
  CU_ASSERT_FALSE(pad(1, 4, 0, 8));
  CU_ASSERT_TRUE(pad(3, 9, 0, 13));
  CU_ASSERT_FALSE(pad(4, 0, 0, 4));
}

static bool concat(int axis, ee_shape c, ee_shape out) {
  ee_model *m                = with(one_node(EE_OP_CONCAT, SHAPE(2, 3), out, false), c);
  m->node[0].attr.along.axis = axis;
  return accepted(m);
}

static void pieces_are_joined_along_one_axis(void) {
  CU_ASSERT_TRUE(concat(1, SHAPE(2, 5), SHAPE(2, 8)));
  CU_ASSERT_TRUE(concat(0, SHAPE(5, 3), SHAPE(7, 3)));
  CU_ASSERT_FALSE(concat(1, SHAPE(3, 5), SHAPE(2, 8)));
  CU_ASSERT_FALSE(concat(1, SHAPE(2, 5), SHAPE(2, 7)));
  CU_ASSERT_FALSE(concat(2, SHAPE(2, 5), SHAPE(2, 8)));
  CU_ASSERT_FALSE(concat(-1, SHAPE(2, 5), SHAPE(2, 8)));
}

static void reductions_keep_or_drop_the_averaged_axes(void) {
  const ee_shape out[] = {SHAPE(1, 3, 1), SHAPE(1, 3), SHAPE(1, 4), SHAPE(3, 1)};
  for (int i = 0; i < 4; i++) {
    ee_model *m                    = one_node(EE_OP_REDUCE_MEAN, SHAPE(1, 3, 4), out[i], false);
    m->node[0].attr.reduce.axis[2] = true;
    CU_ASSERT_EQUAL(accepted(m), i < 2);
  }
}

static void reshaping_keeps_the_number_of_elements(void) {
  CU_ASSERT_TRUE(accepted(one_node(EE_OP_RESHAPE, SHAPE(1, 6), SHAPE(1, 2, 3), true)));
  CU_ASSERT_FALSE(accepted(one_node(EE_OP_RESHAPE, SHAPE(1, 6), SHAPE(1, 2, 2), true)));
  CU_ASSERT_FALSE(accepted(one_node(EE_OP_ACTIVATION, SHAPE(1, 6), SHAPE(1, 2, 3), true)));
}

static ee_model *batch_norm(ee_shape x, int64_t c) {
  ee_model *m = one_node(EE_OP_BATCH_NORM, x, x, true);
  return with(with(with(with(m, SHAPE(c)), SHAPE(c)), SHAPE(c)), SHAPE(c));
}

static void normalisation_has_constants_of_one_per_channel(void) {
  CU_ASSERT_TRUE(accepted(batch_norm(SHAPE(1, 3, 4), 3)));
  CU_ASSERT_FALSE(accepted(batch_norm(SHAPE(1, 3, 4), 4)));
  CU_ASSERT_FALSE(accepted(batch_norm(SHAPE(1), 1)));
}

static void operations_are_counted_by_the_formulas(void) {
  ee_shape  x       = SHAPE(1, 4, 9, 9);
  ee_window grouped = window_2d(3, 2, 1, 1);
  grouped.groups    = 2;
  CU_ASSERT_EQUAL(flops(conv(grouped, x, SHAPE(6, 2, 3, 3), SHAPE(1, 6, 5, 5))),
                  2.0 * 6 * 25 * 2 * 9);
  CU_ASSERT_EQUAL(flops(gemm(true, false, SHAPE(3, 5), SHAPE(3, 7), SHAPE(5, 7))), 2.0 * 5 * 3 * 7);
  ee_model *m = with(one_node(EE_OP_MATMUL, SHAPE(2, 5, 3), SHAPE(2, 5, 7), false), SHAPE(3, 7));
  CU_ASSERT_EQUAL(flops(m), 2.0 * 2 * 5 * 3 * 7);
  CU_ASSERT_EQUAL(flops(batch_norm(x, 4)), 2.0 * 324);
  m = windowed(EE_OP_MAX_POOL, window_2d(3, 3, 0, 1), x, SHAPE(1, 4, 3, 3));
  CU_ASSERT_EQUAL(flops(m), 36.0 * 9);
  CU_ASSERT_EQUAL(flops(one_node(EE_OP_GLOBAL_AVERAGE_POOL, x, SHAPE(1, 4, 1, 1), true)), 324.0);
  m                          = one_node(EE_OP_SOFTMAX, SHAPE(1, 6), SHAPE(1, 6), true);
  m->node[0].attr.along.axis = 1;
  CU_ASSERT_EQUAL(flops(m), 30.0);
  m                   = with(one_node(EE_OP_ADD, SHAPE(1, 6), SHAPE(1, 6), true), SHAPE(1));
  m->node[0].act.kind = EE_ACT_RELU;
  CU_ASSERT_EQUAL(flops(m), 12.0);
  CU_ASSERT_EQUAL(flops(one_node(EE_OP_RESHAPE, SHAPE(1, 6), SHAPE(1, 2, 3), true)), 0.0);
}

const ee_fact ee_facts[] = {
    EE_FACT(convolutions_give_the_size_of_the_formula),
    EE_FACT(convolutions_that_do_not_fit_are_refused),
    EE_FACT(pooling_may_round_up_only_in_ceil_mode),
    EE_FACT(matrices_are_multiplied_if_their_inner_dimensions_agree),
    EE_FACT(stacks_of_matrices_are_broadcast),
    EE_FACT(elementwise_shapes_are_broadcast),
    EE_FACT(what_would_mix_samples_is_refused_in_a_batched_model_only),
    EE_FACT(a_permutation_names_every_axis_once),
    EE_FACT(padding_adds_up_and_reflects_only_what_is_there),
    EE_FACT(pieces_are_joined_along_one_axis),
    EE_FACT(reductions_keep_or_drop_the_averaged_axes),
    EE_FACT(reshaping_keeps_the_number_of_elements),
    EE_FACT(normalisation_has_constants_of_one_per_channel),
    EE_FACT(operations_are_counted_by_the_formulas),
    {NULL, NULL},
};
