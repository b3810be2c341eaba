/* SPDX-License-Identifier: Apache-2.0 */
/* Attention: Y_h = softmax(scale q_h k_h^T + mask_h) v_h for each head h, one row at a time. */
#include <math.h>

#include "meter.h"
#include "ref.h"
#include "ref_strides.h"

/* Sizes, and where everything of one head and row begins. */
typedef struct attention {
  int64_t      rows, keys, depth, width;  // of all heads: T, S, D, E
  int64_t      head_depth, head_width;    // of one
  const float *q, *k, *v;                 // this row of q; row 0 of k and v
  const float *mask;                      // of the first key; NULL: none
  int64_t      mask_step;
  double      *score, *sum;  // shape [keys] and [head_width], scratch
} attention;

size_t ee_ref_attention_scratch(const ee_model *model, const ee_node *node) {
  const ee_shape *v = &model->value[node->in[2]].shape;
  return ((size_t)v->dim[v->rank - 2] + (size_t)v->dim[v->rank - 1]) * sizeof(double);
}

static double dot(const float *x, const float *y, int64_t n) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += (double)x[i] * y[i];
  return sum;
}

/* score[s] = exp(scale q k_s + mask_s - the largest of these); returns their sum. */
static double weigh(const attention *a, double scale) {
  double largest = -INFINITY, sum = 0.0;
  for (int64_t s = 0; s < a->keys; s++) {
    a->score[s] = scale * dot(a->q, a->k + s * a->depth, a->head_depth);
    if (a->mask != NULL) a->score[s] += a->mask[s * a->mask_step];
    if (!(a->score[s] <= largest)) largest = a->score[s];
  }
  for (int64_t s = 0; s < a->keys; s++) {
    a->score[s] = exp(a->score[s] - largest);
    sum += a->score[s];
  }
  return sum;
}

/* y = sum_s score[s] v_s / total. */
static void mix(const attention *a, double total, float *y) {
  for (int64_t j = 0; j < a->head_width; j++) a->sum[j] = 0.0;
  for (int64_t s = 0; s < a->keys; s++) {
    const float *v = a->v + s * a->width;
    for (int64_t j = 0; j < a->head_width; j++) a->sum[j] += a->score[s] * v[j];
  }
  for (int64_t j = 0; j < a->head_width; j++) y[j] = (float)(a->sum[j] / total);
}

/* Strides of the mask along [.., head, row, key]. */
typedef struct mask_walk {
  ee_shape scores;
  int64_t  stride[EE_MAX_RANK];
} mask_walk;

static mask_walk walk_mask(const ee_kernel_call *call, attention *a, int heads) {
  mask_walk w = {.scores = call->out_shape};
  if (call->in[3] == NULL) return w;
  int rank               = w.scores.rank++;
  w.scores.dim[rank - 2] = heads;
  w.scores.dim[rank - 1] = a->rows;
  w.scores.dim[rank]     = a->keys;
  ee_broadcast_strides(&call->in_shape[3], &w.scores, w.stride);
  a->mask_step = w.stride[rank];
  return w;
}

/* Where the mask of row @p row begins, counted over stacks, heads and rows of a head. */
static const float *mask_at(const ee_kernel_call *call, const mask_walk *w, int64_t row) {
  if (call->in[3] == NULL) return NULL;
  return call->in[3] + ee_walk_offset(w->scores.rank - 1, w->scores.dim, w->stride, row);
}

static attention sizes_of(const ee_kernel_call *call) {
  const ee_shape *q = &call->in_shape[0], *v = &call->in_shape[2];
  int             heads = call->node->attr.attention.n_heads, rank = q->rank;
  attention       a = {.rows  = q->dim[rank - 2],
                       .keys  = v->dim[rank - 2],
                       .depth = q->dim[rank - 1],
                       .width = v->dim[rank - 1],
                       .score = call->scratch};
  a.head_depth      = a.depth / heads;
  a.head_width      = a.width / heads;
  a.sum             = a.score + a.keys;
  return a;
}

void ee_ref_attention(const ee_kernel_call *call) {
  attention a      = sizes_of(call);
  int       heads  = call->node->attr.attention.n_heads;
  int64_t   stacks = ee_shape_product(&call->out_shape, 0, call->out_shape.rank - 2);
  mask_walk mask   = walk_mask(call, &a, heads);
  ee_meter  meter  = {.call = call, .step = EE_REF_STEP};
  for (int64_t i = 0; i < stacks * heads * a.rows; i++) {
    int64_t row = i % a.rows, head = i / a.rows % heads, stack = i / a.rows / heads;
    a.q    = call->in[0] + (stack * a.rows + row) * a.depth + head * a.head_depth;
    a.k    = call->in[1] + stack * a.keys * a.depth + head * a.head_depth;
    a.v    = call->in[2] + stack * a.keys * a.width + head * a.head_width;
    a.mask = mask_at(call, &mask, i);
    mix(&a, weigh(&a, call->node->attr.attention.scale),
        call->out + (stack * a.rows + row) * a.width + head * a.head_width);
    ee_meter_add(&meter, a.keys * (a.head_depth + a.head_width));
  }
}
