/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, one head of one sample at a time, by the tiles of a product:
 *
 *   scores[t, s] = q[t] . k[s]        keys are output channels, packed in panels
 *   y[t]         = sum_s softmax(scale scores[t] + mask)[s] v[s]
 *
 * Both products and the softmax of a head stay in cache. */
#include <string.h>

#include "meter.h"
#include "ref_strides.h"
#include "simd_act.h"
#include "simd_product.h"
#include "simd_tokens.h"

#define VECTORS 4     // of a panel
#define STEP 8000000  // floating-point operations between two progress calls

/* Sizes of one head. */
typedef struct head_sizes {
  int            heads;
  int64_t        rows, keys;     // T, S
  int64_t        depth, width;   // of one head's q and k, of its v
  ee_simd_panels scores, mixes;  // the products
} head_sizes;

/* Where the parts of the scratch begin [float]. */
typedef struct workspace {
  int64_t score_step;  // floats from a row of scores to the next
  int64_t scores, keys, values, mixed, floats;
} workspace;

static head_sizes sizes_of(const ee_node *node, const ee_shape *q, const ee_shape *v) {
  const ee_simd_kernels *k    = ee_simd_kernels_get();
  int                    rank = q->rank, heads = node->attr.attention.n_heads;
  head_sizes             h = {.heads = heads,
                              .rows  = q->dim[rank - 2],
                              .keys  = v->dim[rank - 2],
                              .depth = q->dim[rank - 1] / heads,
                              .width = v->dim[rank - 1] / heads};
  h.scores                 = (ee_simd_panels){k->lanes, VECTORS, h.keys, h.depth};
  h.mixes                  = (ee_simd_panels){k->lanes, VECTORS, h.width, h.keys};
  return h;
}

static workspace workspace_of(const head_sizes *h) {
  int64_t   block = EE_SIMD_BLOCK;
  workspace w     = {.score_step = ee_simd_round_up(h->keys, block)};
  w.keys          = w.scores + h->rows * w.score_step;
  w.values        = w.keys + ee_simd_panels_floats(&h->scores);
  w.mixed         = w.values + ee_simd_panels_floats(&h->mixes);
  w.floats        = w.mixed + h->rows * ee_simd_round_up(h->width, block);
  return w;
}

/* A mask whose rows over the keys are not side by side is left to ref. */
static bool mask_fits(const ee_model *model, const ee_node *node) {
  if (node->n_in < 4 || node->in[3] < 0) return true;
  const ee_shape *m = &model->value[node->in[3]].shape, *v = &model->value[node->in[2]].shape;
  return m->rank > 0 && m->dim[m->rank - 1] == v->dim[v->rank - 2];
}

bool ee_simd_attention_can(const ee_model *model, const ee_node *node) {
  for (int i = 0; i < 3; i++) {
    if (model->value[node->in[i]].kind == EE_VALUE_CONSTANT) return false;
  }
  return mask_fits(model, node);
}

size_t ee_simd_attention_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  head_sizes h = sizes_of(node, &model->value[node->in[0]].shape, &model->value[node->in[2]].shape);
  (void)n;
  return (size_t)workspace_of(&h).floats * sizeof(float);
}

/* One head of one sample. */
typedef struct job {
  head_sizes   h;
  workspace    w;
  const float *q, *k, *v;  // its first columns
  float       *y;
  int64_t      q_step, v_step;  // floats from a row of q and k, of v and y to the next
  float       *scratch;
} job;

/* Columns [at, at + n) of a panel, row by row, from rows of a matrix. */
static void pack_keys(const job *j) {
  const ee_simd_panels *p      = &j->h.scores;
  float                *packed = j->scratch + j->w.keys;
  memset(packed, 0, (size_t)ee_simd_panels_floats(p) * sizeof *packed);
  for (int64_t i = 0; i < ee_simd_panel_count(p); i++) {
    ee_simd_panel panel = ee_simd_panel_at(p, i);
    int64_t       width = panel.vectors * p->lanes, left = p->outputs - panel.first;
    for (int64_t s = 0; s < width && s < left; s++) {
      const float *k  = j->k + (panel.first + s) * j->q_step;
      float       *to = packed + panel.place + s;
      for (int64_t c = 0; c < p->depth; c++) to[c * width] = k[c];
    }
  }
}

/* out[rows, panels.outputs] = in[rows, depth] packed; out has whole vectors. */
static void multiply(const job *j, const ee_simd_panels *p, const float *packed, const float *in,
                     int64_t in_step, float *out, int64_t out_step) {
  ee_simd_product product = {.panels = p,
                             .packed = packed,
                             .x      = in,
                             .x_step = in_step,
                             .rows   = j->h.rows,
                             .y      = out,
                             .y_step = out_step,
                             .low    = -INFINITY,
                             .high   = INFINITY};
  ee_simd_multiply(&product, ee_simd_panel_count(p));
}

static void mix(const job *j) {
  const float *scores = j->scratch + j->w.scores;
  float       *mixed = j->scratch + j->w.mixed, *packed = j->scratch + j->w.values;
  int64_t      step = ee_simd_round_up(j->h.width, EE_SIMD_BLOCK);
  multiply(j, &j->h.mixes, packed, scores, j->w.score_step, mixed, step);
  for (int64_t t = 0; t < j->h.rows; t++) {
    memcpy(j->y + t * j->v_step, mixed + t * step, (size_t)j->h.width * sizeof *mixed);
  }
}

/* Strides of the mask along [.., head, row]. */
typedef struct mask_walk {
  ee_shape scores;
  int64_t  stride[EE_MAX_RANK];
} mask_walk;

static mask_walk walk_mask(const ee_kernel_call *call, const head_sizes *h) {
  mask_walk w = {.scores = call->out_shape};
  if (call->in[3] == NULL) return w;
  int rank               = w.scores.rank++;
  w.scores.dim[rank - 2] = h->heads;
  w.scores.dim[rank - 1] = h->rows;
  w.scores.dim[rank]     = h->keys;
  ee_broadcast_strides(&call->in_shape[3], &w.scores, w.stride);
  return w;
}

/* Softmax of all rows of head @p head, counted over samples and heads. */
static void weigh(const ee_kernel_call *call, const job *j, const mask_walk *walk, int64_t head) {
  for (int64_t t = 0; t < j->h.rows; t++) {
    const float *mask = call->in[3];
    if (mask != NULL) {
      mask += ee_walk_offset(walk->scores.rank - 1, walk->scores.dim, walk->stride,
                             head * j->h.rows + t);
    }
    ee_simd_kernels_get()->softmax(j->scratch + j->w.scores + t * j->w.score_step, j->h.keys,
                                   call->node->attr.attention.scale, mask);
  }
}

static void run_head(const ee_kernel_call *call, job *j, const mask_walk *walk, int64_t head) {
  int64_t stack = head / j->h.heads, place = head % j->h.heads;
  j->q = call->in[0] + stack * j->h.rows * j->q_step + place * j->h.depth;
  j->k = call->in[1] + stack * j->h.keys * j->q_step + place * j->h.depth;
  j->v = call->in[2] + stack * j->h.keys * j->v_step + place * j->h.width;
  j->y = call->out + stack * j->h.rows * j->v_step + place * j->h.width;
  pack_keys(j);
  ee_simd_pack_rows(&j->h.mixes, j->v, j->v_step, j->scratch + j->w.values);
  multiply(j, &j->h.scores, j->scratch + j->w.keys, j->q, j->q_step, j->scratch + j->w.scores,
           j->w.score_step);
  weigh(call, j, walk, head);
  mix(j);
}

void ee_simd_attention_run(const ee_kernel_call *call) {
  job j    = {.h       = sizes_of(call->node, &call->in_shape[0], &call->in_shape[2]),
              .scratch = call->scratch};
  j.w      = workspace_of(&j.h);
  j.q_step = j.h.heads * j.h.depth;
  j.v_step = j.h.heads * j.h.width;

  mask_walk walk   = walk_mask(call, &j.h);
  ee_meter  meter  = {.call = call, .step = STEP};
  int64_t   stacks = ee_shape_product(&call->out_shape, 0, call->out_shape.rank - 2);
  for (int64_t head = 0; head < stacks * j.h.heads; head++) {
    run_head(call, &j, &walk, head);
    ee_meter_add(&meter, 2 * j.h.rows * j.h.keys * (j.h.depth + j.h.width));
  }
  ee_simd_act(&call->act, call->out, call->out, ee_shape_elements(&call->out_shape));
}
