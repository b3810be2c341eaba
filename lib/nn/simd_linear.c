/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm and MatMul with constant weights: rows are the pixels of a tile, features its channels.
 * alpha is in the packed weights, beta in the bias.
 *
 * Rows go in blocks, products in pieces, such that a block's part of the rows and a panel's part of
 * the weights stay in the second-level cache together; sums wait in the result in between. */
#include "simd_linear.h"

#include <string.h>

#include "meter.h"
#include "simd_act.h"
#include "simd_choice.h"
#include "simd_panels.h"
#include "simd_sweep.h"

#define MOST_ROWS 128             // of a block
#define CACHE_FLOATS (96 * 1024)  // of rows and weights that are used together
#define LEAST_LENGTH 256          // of a piece
#define PAGE_FLOATS (4096 / 4)    // rows this far apart would fall on the same cache lines
#define STEP 8000000              // floating-point operations between two progress calls

/* y[rows, outputs] = x[rows, depth] w[depth, outputs] + bias. */
typedef struct product {
  int64_t        rows;
  bool           transposed;  // w is stored as [outputs, depth]
  ee_simd_panels panels;
} product;

/* Wide panels for a few rows, which are a tile; more rows use a weight again, and narrow panels
 * read half as many of them per product. */
static int usual_vectors(const ee_simd_kernels *k, const ee_shape *sample, int64_t depth) {
  return ee_shape_elements(sample) <= k->max_pixels[4] * depth ? 4 : 2;
}

static product product_of(const ee_model *model, const ee_node *node, const ee_shape *x,
                          const ee_shape *w) {
  const ee_simd_kernels *k = ee_simd_kernels_get();
  product                p = {.transposed = node->op == EE_OP_GEMM && node->attr.gemm.trans_b};
  p.panels.lanes           = k->lanes;
  p.panels.depth           = w->dim[p.transposed ? 1 : 0];
  p.panels.outputs         = w->dim[p.transposed ? 0 : 1];
  p.rows                   = ee_shape_elements(x) / p.panels.depth;
  int usual                = usual_vectors(k, &model->value[node->in[0]].shape, p.panels.depth);
  p.panels.vectors         = ee_simd_vectors_of(model, node, p.panels.outputs, usual);
  return p;
}

static product product_in_model(const ee_model *model, const ee_node *node) {
  return product_of(model, node, &model->value[node->in[0]].shape,
                    &model->value[node->in[1]].shape);
}

/* The same number for every row: none, or one for each feature. */
static bool bias_fits(const ee_model *model, const ee_node *node, int64_t outputs) {
  if (node->n_in < 3 || node->in[2] < 0) return true;
  const ee_value *c = &model->value[node->in[2]];
  return c->kind == EE_VALUE_CONSTANT && ee_shape_elements(&c->shape) == outputs &&
         c->shape.dim[c->shape.rank - 1] == outputs;
}

bool ee_simd_linear_can(const ee_model *model, const ee_node *node) {
  const ee_value *x = &model->value[node->in[0]], *w = &model->value[node->in[1]];
  bool            forward = node->op == EE_OP_MATMUL || !node->attr.gemm.trans_a;
  if (!forward || w->kind != EE_VALUE_CONSTANT || w->shape.rank != 2 || x->shape.rank < 2 ||
      x->kind == EE_VALUE_CONSTANT || ee_shape_elements(&w->shape) == 0) {
    return false;
  }
  return bias_fits(model, node, product_in_model(model, node).panels.outputs);
}

const char *ee_simd_linear_kernel(const ee_model *model, const ee_node *node, const float *packed) {
  (void)packed;
  return ee_simd_direct_name(product_in_model(model, node).panels.vectors);
}

size_t ee_simd_linear_prepared_bytes(const ee_model *model, const ee_node *node) {
  product p = product_in_model(model, node);
  return (size_t)ee_simd_panels_floats(&p.panels) * sizeof(float);
}

void ee_simd_linear_prepare(const ee_model *model, const ee_node *node,
                            const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  product      p     = product_in_model(model, node);
  bool         gemm  = node->op == EE_OP_GEMM;
  float        alpha = gemm ? node->attr.gemm.alpha : 1.0F;
  float        beta  = gemm ? node->attr.gemm.beta : 1.0F;
  const float *w = constant[1], *c = constant[2];
  memset(packed, 0, (size_t)ee_simd_panels_floats(&p.panels) * sizeof *packed);
  for (int64_t o = 0; o < p.panels.outputs; o++) {
    for (int64_t k = 0; k < p.panels.depth; k++) {
      packed[ee_simd_weight_place(&p.panels, o, k)] =
          alpha * w[p.transposed ? o * p.panels.depth + k : k * p.panels.outputs + o];
    }
    if (c != NULL) packed[ee_simd_weights_floats(&p.panels) + o] = beta * c[o];
  }
}

/* A block of rows, and how the products of a feature are cut. */
typedef struct cut {
  int64_t rows;    // of a block, at most
  int64_t length;  // of a piece, but for the last one
  bool    copied;  // pieces of rows are copied side by side
  int64_t step;    // floats from a row of the copy to the next
} cut;

static int64_t longest_piece(const product *p, int64_t rows) {
  int64_t length = CACHE_FLOATS / (rows + p->panels.vectors * p->panels.lanes);
  if (length < LEAST_LENGTH) length = LEAST_LENGTH;
  return p->panels.depth < length ? p->panels.depth : length;
}

static cut cut_of(const product *p) {
  int64_t depth = p->panels.depth, blocks = (p->rows + MOST_ROWS - 1) / MOST_ROWS;
  cut     c      = {.rows = blocks > 0 ? (p->rows + blocks - 1) / blocks : 0};
  int64_t length = longest_piece(p, c.rows), pieces = (depth + length - 1) / length;
  c.length = ee_simd_round_up((depth + pieces - 1) / pieces, EE_SIMD_BLOCK);
  c.copied = c.rows > 1 && (pieces > 1 || depth % PAGE_FLOATS == 0);
  c.step   = c.length % PAGE_FLOATS == 0 ? c.length + EE_SIMD_BLOCK : c.length;
  return c;
}

/* Features of the last panel that reaches beyond them are computed beside the result. */
static int64_t beside_floats(const product *p, const cut *c) {
  return c->rows * p->panels.vectors * p->panels.lanes;
}

/* Enough for every batch up to that: fewer rows have longer pieces, but a smaller copy. */
size_t ee_simd_linear_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  product p = product_in_model(model, node);
  if (model->batched) p.rows *= n;
  if (p.rows > MOST_ROWS) p.rows = MOST_ROWS;
  cut     c      = cut_of(&p);
  int64_t floats = ee_simd_round_up(beside_floats(&p, &c), EE_SIMD_BLOCK);
  int64_t length = longest_piece(&p, p.rows) + 2 * EE_SIMD_BLOCK;
  return (size_t)(floats + (c.copied ? p.rows * length : 0)) * sizeof(float);
}

/* One run of the node: what the loops below share. */
typedef struct job {
  const ee_kernel_call *call;
  product               p;
  cut                   c;
  ee_simd_limits        limits;
  float                *beside, *copy;
  int64_t               first, rows;    // of the block
  int64_t               begin, length;  // of the piece
  ee_meter              meter;
} job;

static job job_of(const ee_kernel_call *call) {
  job j  = {.call   = call,
            .p      = product_of(call->model, call->node, &call->in_shape[0], &call->in_shape[1]),
            .limits = ee_simd_limits_of(&call->act),
            .beside = call->scratch,
            .meter  = {.call = call, .step = STEP}};
  j.c    = cut_of(&j.p);
  j.copy = j.beside + ee_simd_round_up(beside_floats(&j.p, &j.c), EE_SIMD_BLOCK);
  return j;
}

static void copy_piece(const job *j) {
  const float *x = j->call->in[0] + j->first * j->p.panels.depth + j->begin;
  for (int64_t r = 0; r < j->rows; r++) {
    memcpy(j->copy + r * j->c.step, x + r * j->p.panels.depth, (size_t)j->length * sizeof *x);
  }
}

/* Sums made beside the result, on their way into it. */
static void finish_beside(const job *j, ee_simd_panel panel) {
  int64_t outputs = j->p.panels.outputs, width = panel.vectors * j->p.panels.lanes;
  for (int64_t r = 0; r < j->rows; r++) {
    int64_t at = (j->first + r) * outputs;
    for (int64_t o = panel.first; o < outputs; o++) {
      float x = j->beside[r * width + o - panel.first];
      if (j->call->residual != NULL) x += j->call->residual[at + o];
      x                    = x < j->limits.low ? j->limits.low : x;
      j->call->out[at + o] = x > j->limits.high ? j->limits.high : x;
    }
  }
}

static void multiply_panel(job *j, ee_simd_panel panel, ee_simd_panel next) {
  const product *p     = &j->p;
  int64_t        width = panel.vectors * p->panels.lanes, at = j->first * p->panels.outputs;
  bool           inside = panel.first + width <= p->panels.outputs;
  bool           last   = j->begin + j->length == p->panels.depth;
  const float   *packed = j->call->prepared;
  int64_t        ahead  = next.vectors * p->panels.lanes;
  ee_simd_fetch  fetch  = {packed + next.place + j->begin * ahead, j->length * ahead};
  ee_simd_tile   t      = {
             .in       = j->c.copied ? j->copy : j->call->in[0] + j->first * p->panels.depth + j->begin,
             .in_step  = j->c.copied ? j->c.step : p->panels.depth,
             .rows     = 1,
             .runs     = 1,
             .length   = j->length,
             .weights  = packed + panel.place + j->begin * width,
             .bias     = packed + ee_simd_weights_floats(&p->panels) + panel.first,
             .out      = inside ? j->call->out + at + panel.first : j->beside,
             .out_step = inside ? p->panels.outputs : width,
             .low      = j->limits.low,
             .high     = j->limits.high,
             .go_on    = j->begin > 0,
             .open     = !last || !inside};
  if (j->call->residual != NULL && inside) {
    t.residual      = j->call->residual + at + panel.first;
    t.residual_step = p->panels.outputs;
  }
  ee_simd_sweep(t, panel.vectors, j->rows, &fetch);
  if (last && !inside) finish_beside(j, panel);
  ee_meter_add(&j->meter, 2 * j->length * j->rows * width);
}

static void multiply_block(job *j) {
  int64_t depth = j->p.panels.depth, panels = ee_simd_panel_count(&j->p.panels);
  for (j->begin = 0; j->begin < depth; j->begin += j->length) {
    j->length = depth - j->begin < j->c.length ? depth - j->begin : j->c.length;
    if (j->c.copied) copy_piece(j);
    for (int64_t i = 0; i < panels; i++) {
      multiply_panel(j, ee_simd_panel_at(&j->p.panels, i),
                     ee_simd_panel_at(&j->p.panels, (i + 1) % panels));
    }
  }
}

void ee_simd_linear_run(const ee_kernel_call *call) {
  job j = job_of(call);
  for (j.first = 0; j.first < j.p.rows; j.first += j.rows) {
    j.rows = j.p.rows - j.first < j.c.rows ? j.p.rows - j.first : j.c.rows;
    multiply_block(&j);
  }
  if (!j.limits.whole) {
    ee_simd_act(&call->act, call->out, call->out, j.p.rows * j.p.panels.outputs);
  }
}
