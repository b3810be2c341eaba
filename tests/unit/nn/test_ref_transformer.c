/* SPDX-License-Identifier: Apache-2.0 */
/* Layer normalisation and attention against their definitions, element by element. */
#include "ee_test.h"
#include "nd_case.h"

static int64_t row_length(const kernel_case *c) {
  const ee_shape *x = &c->value[0].shape;
  return ee_shape_product(x, c->node.attr.layer_norm.axis, x->rank);
}

/* Mean and variance of the row that element @p at is in, by one pass over pairs. */
static double normalised_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *shape = &c->value[0].shape;
  int64_t         at = nd_offset(p, shape->dim, shape->rank), n = row_length(c), i = at % n;
  const float    *x   = c->data[0] + at - i;
  double          sum = 0.0, pairs = 0.0;
  for (int64_t j = 0; j < n; j++) {
    sum += x[j];
    for (int64_t k = 0; k < j; k++) pairs += ((double)x[j] - x[k]) * ((double)x[j] - x[k]);
  }
  double mean = sum / (double)n, variance = pairs / ((double)n * (double)n);
  double y = (x[i] - mean) / sqrt(variance + c->node.attr.layer_norm.epsilon) * c->data[1][i];
  return c->node.n_in > 2 ? y + c->data[2][i] : y;
}

static void draw_layer_norm(kernel_case *c, ee_rng *rng, ee_shape x, int axis) {
  ee_shape row = {.rank = x.rank - axis};
  for (int d = 0; d < row.rank; d++) row.dim[d] = x.dim[axis + d];
  c->node.attr.layer_norm.axis    = axis;
  c->node.attr.layer_norm.epsilon = 1e-3F;
  case_input(c, rng, EE_VALUE_ACTIVATION, x);
  case_input(c, rng, EE_VALUE_CONSTANT, row);
  if (case_draw(rng, 0, 2) > 0) case_input(c, rng, EE_VALUE_CONSTANT, row);
  case_output(c, x);
}

static void rows_are_normalised_from_the_axis_on(void) {
  for (uint64_t draw = 0; draw < 200; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    ee_shape    x = nd_draw(&rng, case_draw(&rng, 1, 4), 6);
    nd_begin(&c, EE_OP_LAYER_NORM);
    draw_layer_norm(&c, &rng, x, case_draw(&rng, 0, x.rank - 1));
    CU_ASSERT_TRUE(nd_check(&c, normalised_at, 3e-7));
  }
}

/* The variance is not the difference of two large numbers. */
static void a_row_far_from_zero_is_normalised_as_well(void) {
  ee_rng      rng = ee_rng_at(2, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_LAYER_NORM);
  draw_layer_norm(&c, &rng, (ee_shape){2, {4, 50}}, 1);
  for (int i = 0; i < 200; i++) c.data[0][i] = 8192.0F + roundf(8.0F * c.data[0][i]);
  CU_ASSERT_TRUE(nd_check(&c, normalised_at, 3e-7));
}

/* The weight, not normalised, that row t of head h gives key s: exp(scale q k + mask). */
static double weight_of(const kernel_case *c, const int64_t *p, int64_t head, int64_t s) {
  const ee_shape *q = &c->value[0].shape, *k = &c->value[1].shape;
  int             rank  = q->rank;
  int64_t         depth = q->dim[rank - 1] / c->node.attr.attention.n_heads;
  int64_t         in_q[EE_MAX_RANK], in_k[EE_MAX_RANK], in_mask[EE_MAX_RANK + 1];
  double          score = 0.0;
  memcpy(in_q, p, sizeof in_q);
  memcpy(in_k, p, sizeof in_k);
  memcpy(in_mask, p, sizeof in_q);
  in_k[rank - 2] = s;
  for (int64_t i = 0; i < depth; i++) {
    in_q[rank - 1] = in_k[rank - 1] = head * depth + i;
    score += (double)c->data[0][nd_offset(in_q, q->dim, rank)] *
             c->data[1][nd_offset(in_k, k->dim, rank)];
  }
  score *= c->node.attr.attention.scale;
  in_mask[rank - 2] = head;
  in_mask[rank - 1] = p[rank - 2];
  in_mask[rank]     = s;
  if (c->node.n_in > 3) score += nd_broadcast_at(c->data[3], &c->value[3].shape, in_mask, rank + 1);
  return exp(score);
}

static double attended_at(const kernel_case *c, const int64_t *p) {
  const ee_shape *v    = &c->value[2].shape;
  int             rank = v->rank;
  int64_t         head = p[rank - 1] / (v->dim[rank - 1] / c->node.attr.attention.n_heads);
  int64_t         in_v[EE_MAX_RANK];
  double          sum = 0.0, total = 0.0;
  memcpy(in_v, p, sizeof in_v);
  for (int64_t s = 0; s < v->dim[rank - 2]; s++) {
    double weight  = weight_of(c, p, head, s);
    in_v[rank - 2] = s;
    sum += weight * c->data[2][nd_offset(in_v, v->dim, rank)];
    total += weight;
  }
  return sum / total;
}

/* @p front dimensions in front of the matrices. */
static void draw_attention(kernel_case *c, ee_rng *rng, ee_shape front, bool mask) {
  int      heads = case_draw(rng, 1, 4), rank = front.rank;
  int64_t  rows = case_draw(rng, 1, 6), keys = case_draw(rng, 1, 6);
  int64_t  depth = heads * case_draw(rng, 1, 5), width = heads * case_draw(rng, 1, 5);
  ee_shape q = front, k = front, v = front, y = front, scores = front;
  q.rank = k.rank = v.rank = y.rank = rank + 2;
  q.dim[rank] = y.dim[rank] = rows;
  k.dim[rank] = v.dim[rank] = keys;
  q.dim[rank + 1] = k.dim[rank + 1] = depth;
  v.dim[rank + 1] = y.dim[rank + 1] = width;
  scores.rank                       = rank + 3;
  scores.dim[rank]                  = heads;
  scores.dim[rank + 1]              = rows;
  scores.dim[rank + 2]              = keys;
  c->node.attr.attention.n_heads    = heads;
  c->node.attr.attention.scale      = 0.7F;
  case_input(c, rng, EE_VALUE_ACTIVATION, q);
  case_input(c, rng, EE_VALUE_ACTIVATION, k);
  case_input(c, rng, EE_VALUE_ACTIVATION, v);
  if (mask) case_input(c, rng, EE_VALUE_CONSTANT, nd_draw_broadcast(rng, &scores));
  case_output(c, y);
}

static void every_head_mixes_values_by_the_softmax_of_its_scores(void) {
  for (uint64_t draw = 0; draw < 300; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    nd_begin(&c, EE_OP_ATTENTION);
    draw_attention(&c, &rng, nd_draw(&rng, case_draw(&rng, 0, 3), 3), draw % 2 == 0);
    CU_ASSERT_TRUE(nd_check(&c, attended_at, 3e-7));
  }
}

/* As a mask of padding does: the largest negative number is added to the scores of some keys. */
static void a_masked_key_is_not_read(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_ATTENTION);
  c.node.attr.attention.n_heads = 2;
  c.node.attr.attention.scale   = 1.0F;
  for (int i = 0; i < 3; i++) case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){3, {1, 3, 4}});
  float *mask = case_input(&c, &rng, EE_VALUE_CONSTANT, (ee_shape){4, {1, 1, 1, 3}});
  mask[0] = mask[2] = -3.4e38F;
  mask[1]           = 0.0F;
  case_output(&c, (ee_shape){3, {1, 3, 4}});
  float *y = case_run(&c, &ee_backend_ref, 0, 1);
  for (int i = 0; i < 12; i++) CU_ASSERT_EQUAL(y[i], c.data[2][4 + i % 4]);
  free(y);
  case_end(&c);
}

static void a_batch_has_the_bits_of_its_samples(void) {
  for (uint64_t draw = 0; draw < 40; draw++) {
    ee_rng      rng = ee_rng_at(5, draw);
    kernel_case c;
    bool        norm = draw % 2 == 0;
    case_begin(&c, norm ? EE_OP_LAYER_NORM : EE_OP_ATTENTION);
    if (norm) {
      draw_layer_norm(&c, &rng, (ee_shape){3, {1, 3, case_draw(&rng, 1, 40)}}, 2);
    } else {
      draw_attention(&c, &rng, (ee_shape){1, {1}}, draw % 4 == 1);
    }
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_ref));
    case_end(&c);
  }
}

static void a_long_attention_calls_progress(void) {
  ee_rng      rng = ee_rng_at(6, 0);
  kernel_case c;
  nd_begin(&c, EE_OP_ATTENTION);
  c.node.attr.attention.n_heads = 4;
  for (int i = 0; i < 3; i++) case_input(&c, &rng, EE_VALUE_ACTIVATION, (ee_shape){2, {64, 128}});
  case_output(&c, (ee_shape){2, {64, 128}});
  free(case_run(&c, &ee_backend_ref, 0, 1));  // a million multiply-adds
  CU_ASSERT_TRUE(c.progress_calls >= 2 && c.progress_calls <= 10);
  case_end(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(rows_are_normalised_from_the_axis_on),
    EE_FACT(a_row_far_from_zero_is_normalised_as_well),
    EE_FACT(every_head_mixes_values_by_the_softmax_of_its_scores),
    EE_FACT(a_masked_key_is_not_read),
    EE_FACT(a_batch_has_the_bits_of_its_samples),
    EE_FACT(a_long_attention_calls_progress),
    {NULL, NULL},
};
