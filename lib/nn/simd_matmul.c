/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul of two stacks of matrices.  Each matrix on the right is packed when it is needed, once for
 * all on the left that meet it one after the other; panels that lie inside the result are computed
 * where they belong, the last one beside it. */
#include "simd_matmul.h"

#include <string.h>

#include "meter.h"
#include "ref_strides.h"
#include "simd_act.h"
#include "simd_kernels.h"
#include "simd_product.h"

#define STEP 8000000   // floating-point operations between two progress calls
#define MOST_ROWS 512  // that are multiplied at once

/* One product, and how they are stacked. */
typedef struct stacks {
  int64_t        rows;
  ee_simd_panels panels;
  int            rank;                                              // of the stacks
  int64_t        dim[EE_MAX_RANK], a[EE_MAX_RANK], b[EE_MAX_RANK];  // steps [matrices]
} stacks;

/* The matrices of an array as elements, [dimensions in front]. */
static ee_shape stack_of(const ee_shape *x) {
  ee_shape stack = *x;
  stack.rank -= 2;
  return stack;
}

/* Wide panels where a tile holds all rows. */
static int vectors_for(const ee_simd_kernels *k, int64_t rows) {
  return rows <= k->max_pixels[4] ? 4 : 2;
}

static stacks stacks_of(const ee_shape *a, const ee_shape *b, const ee_shape *y) {
  const ee_simd_kernels *k       = ee_simd_kernels_get();
  stacks                 s       = {.rows = a->dim[a->rank - 2], .rank = y->rank - 2};
  ee_shape               a_stack = stack_of(a), b_stack = stack_of(b), y_stack = stack_of(y);
  s.panels = (ee_simd_panels){.lanes   = k->lanes,
                              .vectors = vectors_for(k, s.rows),
                              .outputs = b->dim[b->rank - 1],
                              .depth   = a->dim[a->rank - 1]};
  memcpy(s.dim, y_stack.dim, sizeof s.dim);
  ee_broadcast_strides(&a_stack, &y_stack, s.a);
  ee_broadcast_strides(&b_stack, &y_stack, s.b);
  return s;
}

bool ee_simd_matmul_can(const ee_model *model, const ee_node *node) {
  const ee_value *a = &model->value[node->in[0]], *b = &model->value[node->in[1]];
  bool            biased = node->n_in > 2 && node->in[2] >= 0;
  return a->shape.rank >= 2 && b->shape.rank >= 2 && !biased && ee_shape_elements(&b->shape) > 0;
}

static int64_t beside_floats(const stacks *s) {
  int64_t rows = s->rows < MOST_ROWS ? s->rows : MOST_ROWS;
  return rows * s->panels.vectors * s->panels.lanes;
}

size_t ee_simd_matmul_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  stacks s = stacks_of(&model->value[node->in[0]].shape, &model->value[node->in[1]].shape,
                       &model->value[node->out].shape);
  if (model->batched && s.rank == 0) s.rows *= n;
  return (size_t)(ee_simd_panels_floats(&s.panels) + beside_floats(&s)) * sizeof(float);
}

/* Rows of one product, and the last panel's way into the result. */
static void multiply_rows(ee_simd_product p, float *beside) {
  const ee_simd_panels *panels = p.panels;
  int64_t               all    = ee_simd_panel_count(panels);
  ee_simd_panel         last   = ee_simd_panel_at(panels, all - 1);
  int64_t               width = last.vectors * panels->lanes, left = panels->outputs - last.first;
  if (left == width) {
    ee_simd_multiply(&p, all);
    return;
  }
  ee_simd_multiply(&p, all - 1);
  ee_simd_product edge = p;
  edge.y_step          = width;
  ee_simd_multiply_panel(&edge, all - 1, beside);
  for (int64_t r = 0; r < p.rows; r++) {
    memcpy(p.y + r * p.y_step + last.first, beside + r * width, (size_t)left * sizeof *beside);
  }
}

static void multiply(const ee_kernel_call *call, const stacks *s, const float *a, float *y) {
  ee_simd_limits limits = ee_simd_limits_of(&call->act);
  float         *packed = call->scratch;
  for (int64_t r = 0; r < s->rows; r += MOST_ROWS) {
    ee_simd_product p = {.panels = &s->panels,
                         .packed = packed,
                         .x      = a + r * s->panels.depth,
                         .x_step = s->panels.depth,
                         .rows   = s->rows - r < MOST_ROWS ? s->rows - r : MOST_ROWS,
                         .y      = y + r * s->panels.outputs,
                         .y_step = s->panels.outputs,
                         .low    = limits.low,
                         .high   = limits.high};
    multiply_rows(p, packed + ee_simd_panels_floats(&s->panels));
  }
}

void ee_simd_matmul_run(const ee_kernel_call *call) {
  stacks   s      = stacks_of(&call->in_shape[0], &call->in_shape[1], &call->out_shape);
  int64_t  a_size = s.rows * s.panels.depth, b_size = s.panels.depth * s.panels.outputs;
  int64_t  n = ee_shape_product(&call->out_shape, 0, s.rank), packed = -1;
  ee_meter meter = {.call = call, .step = STEP};
  for (int64_t i = 0; i < n; i++) {
    int64_t a = ee_walk_offset(s.rank, s.dim, s.a, i), b = ee_walk_offset(s.rank, s.dim, s.b, i);
    if (b != packed)
      ee_simd_pack_rows(&s.panels, call->in[1] + b * b_size, s.panels.outputs, call->scratch);
    packed = b;
    multiply(call, &s, call->in[0] + a * a_size, call->out + i * s.rows * s.panels.outputs);
    ee_meter_add(&meter, 2 * s.rows * b_size);
  }
  if (!ee_simd_limits_of(&call->act).whole)
    ee_simd_act(&call->act, call->out, call->out, ee_shape_elements(&call->out_shape));
}
