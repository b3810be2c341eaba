/* SPDX-License-Identifier: Apache-2.0 */
/* The operators of transformers one at a time: which shapes fit, which would mix the samples of a
 * batch, which open a layer, what they cost. */
#include "ee/model.h"
#include "ee_test.h"
#include "graph_maker.h"

#define SCALAR ((ee_shape){.rank = 0})

/* A model of one node whose first input is the model's input; more inputs are put behind it. */
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

static ee_model *with_value(ee_model *m, int v) {
  ee_node *node          = &m->node[0];
  node->in[node->n_in++] = v;
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

static ee_model *biased(ee_shape x, ee_shape w, ee_shape bias, ee_shape out) {
  return with(with(one_node(EE_OP_MATMUL, x, out, false), w), bias);
}

static void the_bias_of_a_product_has_a_number_for_each_column(void) {
  ee_shape x = SHAPE(1, 5, 3), w = SHAPE(3, 7), y = SHAPE(1, 5, 7);
  CU_ASSERT_TRUE(accepted(biased(x, w, SHAPE(7), y)));
  CU_ASSERT_FALSE(accepted(biased(x, w, SHAPE(5), y)));
  CU_ASSERT_FALSE(accepted(biased(x, w, SHAPE(1), y)));
  CU_ASSERT_FALSE(accepted(biased(x, w, SHAPE(1, 7), y)));
  CU_ASSERT_FALSE(accepted(biased(SHAPE(5, 3), SHAPE(3), SHAPE(5), SHAPE(5))));
}

static bool slice(int start, int step, int64_t n, bool batched) {
  ee_model *m                    = one_node(EE_OP_SLICE, SHAPE(1, 6), SHAPE(1, n), batched);
  m->node[0].attr.slice.start[1] = start;
  m->node[0].attr.slice.step[0]  = 1;
  m->node[0].attr.slice.step[1]  = step;
  return accepted(m);
}

static void a_slice_stays_inside(void) {
  CU_ASSERT_TRUE(slice(0, 1, 6, true));
  CU_ASSERT_TRUE(slice(1, 2, 3, true));
  CU_ASSERT_TRUE(slice(5, -5, 2, true));
  CU_ASSERT_TRUE(slice(5, 100, 1, true));
  CU_ASSERT_FALSE(slice(0, 1, 7, true));
  CU_ASSERT_FALSE(slice(1, 2, 4, true));
  CU_ASSERT_FALSE(slice(5, -5, 3, true));
  CU_ASSERT_FALSE(slice(6, 1, 1, true));
  CU_ASSERT_FALSE(slice(-1, 1, 1, true));
  CU_ASSERT_FALSE(slice(0, 0, 2, true));
}

/* Of one sample there is but one element along the first dimension; of a batch there are more. */
static void a_slice_takes_all_samples(void) {
  const int step[] = {1, 2, -1};
  for (int i = 0; i < 3; i++) {
    ee_model *m                   = one_node(EE_OP_SLICE, SHAPE(1, 6), SHAPE(1, 6), true);
    m->node[0].attr.slice.step[0] = step[i];
    m->node[0].attr.slice.step[1] = 1;
    CU_ASSERT_EQUAL(accepted(m), step[i] == 1);
  }
}

static ee_model *embedding(ee_shape table, ee_shape ids, ee_shape out, int axis) {
  ee_model *m            = maker_begin((int)ee_shape_elements(&out), ids);
  int       w            = maker_constant(m, "table", table);
  ee_node  *node         = maker_node(m, EE_OP_GATHER, "node", w, m->input, -1, out);
  node->attr.gather.axis = axis;
  maker_exit(m, "final", node->out);
  return m;
}

static void an_index_takes_the_place_of_the_axis(void) {
  CU_ASSERT_TRUE(accepted(embedding(SHAPE(9, 4), SHAPE(1, 5), SHAPE(1, 5, 4), 0)));
  CU_ASSERT_FALSE(accepted(embedding(SHAPE(9, 4), SHAPE(1, 5), SHAPE(1, 5, 9), 1)));
  CU_ASSERT_FALSE(accepted(embedding(SHAPE(9, 4), SHAPE(1, 5), SHAPE(1, 5, 4), 2)));
  CU_ASSERT_FALSE(accepted(embedding(SHAPE(9, 4), SHAPE(1, 5), SHAPE(1, 5, 4), -1)));
  ee_model *m = with(one_node(EE_OP_GATHER, SHAPE(1, 5, 4), SHAPE(1, 4), true), SCALAR);
  m->node[0].attr.gather.axis = 1;
  CU_ASSERT_TRUE(accepted(m));
  m = with(one_node(EE_OP_GATHER, SHAPE(1, 5, 4), SHAPE(1, 2, 4), true), SHAPE(2));
  m->node[0].attr.gather.axis = 1;
  CU_ASSERT_TRUE(accepted(m));
}

/* Places in the batch are no places of a sample. */
static void samples_are_not_gathered_from_the_batch(void) {
  for (int batched = 0; batched < 2; batched++) {
    ee_model *m = one_node(EE_OP_GATHER, SHAPE(1), SHAPE(1), batched);
    CU_ASSERT_EQUAL(accepted(with_value(m, m->input)), !batched);
  }
}

static ee_model *layer_norm(ee_shape x, int axis, ee_shape scale, bool batched) {
  ee_model *m                     = with(one_node(EE_OP_LAYER_NORM, x, x, batched), scale);
  m->node[0].attr.layer_norm.axis = axis;
  return m;
}

static void scale_and_bias_have_the_shape_of_a_row(void) {
  ee_shape x = SHAPE(1, 3, 4);
  CU_ASSERT_TRUE(accepted(layer_norm(x, 2, SHAPE(4), true)));
  CU_ASSERT_TRUE(accepted(layer_norm(x, 1, SHAPE(3, 4), true)));
  CU_ASSERT_TRUE(accepted(with(layer_norm(x, 2, SHAPE(4), true), SHAPE(4))));
  CU_ASSERT_FALSE(accepted(with(layer_norm(x, 2, SHAPE(4), true), SHAPE(3))));
  CU_ASSERT_FALSE(accepted(layer_norm(x, 2, SHAPE(1), true)));
  CU_ASSERT_FALSE(accepted(layer_norm(x, 1, SHAPE(4), true)));
  CU_ASSERT_FALSE(accepted(layer_norm(x, 3, SHAPE(4), true)));
  CU_ASSERT_FALSE(accepted(layer_norm(x, -1, SHAPE(4), true)));
  CU_ASSERT_FALSE(accepted(layer_norm(x, 0, SHAPE(1, 3, 4), true)));  // over the batch
  CU_ASSERT_TRUE(accepted(layer_norm(x, 0, SHAPE(1, 3, 4), false)));
  const float bad[] = {-1e-5f, NAN, INFINITY};
  for (int i = 0; i < 3; i++) {
    ee_model *m                        = layer_norm(x, 2, SHAPE(4), true);
    m->node[0].attr.layer_norm.epsilon = bad[i];
    CU_ASSERT_FALSE(accepted(m));
  }
}

/* Self-attention of the input. */
static ee_model *attention(ee_shape x, int heads, ee_shape out, bool batched) {
  ee_model *m                       = one_node(EE_OP_ATTENTION, x, out, batched);
  m->node[0].attr.attention.n_heads = heads;
  return with_value(with_value(m, m->input), m->input);
}

/* Attention of the input to constants. */
static ee_model *cross(ee_shape q, ee_shape k, ee_shape v, ee_shape out) {
  ee_model *m                       = with(with(one_node(EE_OP_ATTENTION, q, out, false), k), v);
  m->node[0].attr.attention.n_heads = 2;
  return m;
}

static void queries_keys_and_values_fit_together(void) {
  ee_shape x = SHAPE(1, 5, 6);
  CU_ASSERT_TRUE(accepted(attention(x, 2, x, true)));
  CU_ASSERT_TRUE(accepted(attention(x, 6, x, true)));
  CU_ASSERT_FALSE(accepted(attention(x, 4, x, true)));
  CU_ASSERT_FALSE(accepted(attention(x, 0, x, true)));
  CU_ASSERT_FALSE(accepted(attention(x, 2, SHAPE(1, 5, 4), true)));
  CU_ASSERT_FALSE(accepted(attention(x, 2, SHAPE(1, 6, 5), true)));
  CU_ASSERT_FALSE(accepted(attention(SHAPE(6), 2, SHAPE(6), false)));
  CU_ASSERT_TRUE(accepted(cross(SHAPE(5, 6), SHAPE(7, 6), SHAPE(7, 4), SHAPE(5, 4))));
  CU_ASSERT_FALSE(accepted(cross(SHAPE(5, 6), SHAPE(7, 8), SHAPE(7, 4), SHAPE(5, 4))));
  CU_ASSERT_FALSE(accepted(cross(SHAPE(5, 6), SHAPE(7, 6), SHAPE(8, 4), SHAPE(5, 4))));
  CU_ASSERT_FALSE(accepted(cross(SHAPE(5, 6), SHAPE(7, 6), SHAPE(7, 5), SHAPE(5, 5))));
  CU_ASSERT_FALSE(accepted(cross(SHAPE(2, 5, 6), SHAPE(7, 6), SHAPE(7, 4), SHAPE(2, 5, 4))));
  ee_model *m                     = attention(x, 2, x, true);
  m->node[0].attr.attention.scale = INFINITY;
  CU_ASSERT_FALSE(accepted(m));
}

static void a_mask_is_broadcast_to_the_scores(void) {
  ee_shape       x      = SHAPE(1, 5, 6);
  const ee_shape good[] = {SHAPE(5), SHAPE(5, 1), SHAPE(2, 1, 5), SHAPE(1, 1, 5, 5), SCALAR};
  const ee_shape bad[]  = {SHAPE(6), SHAPE(3, 5, 5), SHAPE(2, 2, 5, 5), SHAPE(1, 1, 1, 5, 5)};
  for (int i = 0; i < 5; i++) CU_ASSERT_TRUE(accepted(with(attention(x, 2, x, true), good[i])));
  for (int i = 0; i < 4; i++) CU_ASSERT_FALSE(accepted(with(attention(x, 2, x, true), bad[i])));
}

static void samples_do_not_attend_to_each_other(void) {
  CU_ASSERT_FALSE(accepted(attention(SHAPE(1, 6), 2, SHAPE(1, 6), true)));
  CU_ASSERT_TRUE(accepted(attention(SHAPE(1, 6), 2, SHAPE(1, 6), false)));
}

static void an_embedding_opens_a_layer_but_no_index_and_no_normalisation_does(void) {
  ee_model *m     = maker_begin(4, SHAPE(1, 5));
  int       table = maker_constant(m, "table", SHAPE(9, 4));
  int       x     = maker_node(m, EE_OP_GATHER, "words", table, m->input, -1, SHAPE(1, 5, 4))->out;
  int       w     = maker_constant(m, "w", SHAPE(4, 4));
  x               = maker_node(m, EE_OP_MATMUL, "mix", x, w, -1, SHAPE(1, 5, 4))->out;
  int      scale  = maker_constant(m, "scale", SHAPE(4));
  ee_node *norm   = maker_node(m, EE_OP_LAYER_NORM, "norm", x, scale, -1, SHAPE(1, 5, 4));
  norm->attr.layer_norm.axis = 2;
  int first                  = maker_constant(m, "first", SCALAR);
  ee_node *class          = maker_node(m, EE_OP_GATHER, "class", norm->out, first, -1, SHAPE(1, 4));
  class->attr.gather.axis = 1;
  maker_exit(m, "final", class->out);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL_FATAL(m->n_layers, 2);
  CU_ASSERT_STRING_EQUAL(m->layer[0].name, "words");
  CU_ASSERT_STRING_EQUAL(m->layer[1].name, "mix");
  ee_model_destroy(&m);
}

static void operations_are_counted_by_the_formulas(void) {
  CU_ASSERT_EQUAL(flops(layer_norm(SHAPE(1, 3, 4), 2, SHAPE(4), true)), 60.0);
  CU_ASSERT_EQUAL(flops(embedding(SHAPE(9, 4), SHAPE(1, 5), SHAPE(1, 5, 4), 0)), 0.0);
  double    scores = 2.0 * 5 * 7 * 6, context = 2.0 * 5 * 7 * 4, softmax = 5.0 * 2 * 5 * 7;
  ee_model *m = cross(SHAPE(3, 5, 6), SHAPE(3, 7, 6), SHAPE(3, 7, 4), SHAPE(3, 5, 4));
  CU_ASSERT_EQUAL(flops(m), 3 * (scores + context + softmax));
}

const ee_fact ee_facts[] = {
    EE_FACT(the_bias_of_a_product_has_a_number_for_each_column),
    EE_FACT(a_slice_stays_inside),
    EE_FACT(a_slice_takes_all_samples),
    EE_FACT(an_index_takes_the_place_of_the_axis),
    EE_FACT(samples_are_not_gathered_from_the_batch),
    EE_FACT(scale_and_bias_have_the_shape_of_a_row),
    EE_FACT(queries_keys_and_values_fit_together),
    EE_FACT(a_mask_is_broadcast_to_the_scores),
    EE_FACT(samples_do_not_attend_to_each_other),
    EE_FACT(an_embedding_opens_a_layer_but_no_index_and_no_normalisation_does),
    EE_FACT(operations_are_counted_by_the_formulas),
    {NULL, NULL},
};
