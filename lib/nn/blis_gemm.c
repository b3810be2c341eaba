/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm and MatMul with a constant matrix on the right.
 *
 * The constant's columns (features) are lanes, packed once; the rows of the left matrix are packed
 * a block at a time.  For every panel of features, all row panels of the block are multiplied, so
 * that weights are read once per block. */
#include "blis_gemm.h"

#include "blis_kernel.h"
#include "blis_loops.h"
#include "meter.h"
#include "ref_strides.h"

/* y[rows, features] = alpha x[rows, depth] w[depth, features] + beta c. */
typedef struct product {
  int64_t       rows, depth, features;
  bool          transposed;  // w is stored as [features, depth]
  ee_blis_shape tile;
  int64_t       block;  // row panels of a block
  const float  *c;      // NULL: none; of MatMul: its bias
} product;

static int64_t panels_of(int64_t n, int width) {
  return (n + width - 1) / width;
}

static product product_of(const ee_node *node, const ee_shape *x, const ee_shape *w) {
  product p    = {.transposed = node->op == EE_OP_GEMM && node->attr.gemm.trans_b};
  p.depth      = w->dim[p.transposed ? 1 : 0];
  p.features   = w->dim[p.transposed ? 0 : 1];
  p.rows       = ee_shape_elements(x) / p.depth;
  p.tile       = ee_blis_tile_shape();
  int64_t most = panels_of(p.rows, p.tile.rows);
  p.block      = EE_BLIS_BLOCK_BYTES / (ee_blis_panel_stride(p.depth, p.tile.rows) * 4);
  p.block      = p.block < 1 ? 1 : p.block > most ? most : p.block;
  return p;
}

static product product_in_model(const ee_model *model, const ee_node *node, int64_t n) {
  ee_shape x = model->value[node->in[0]].shape;
  if (model->batched && x.rank > 0) x.dim[0] *= n;
  return product_of(node, &x, &model->value[node->in[1]].shape);
}

bool ee_blis_gemm_can(const ee_model *model, const ee_node *node) {
  const ee_value *x = &model->value[node->in[0]], *w = &model->value[node->in[1]];
  bool            forward = node->op == EE_OP_MATMUL || !node->attr.gemm.trans_a;
  return forward && w->kind == EE_VALUE_CONSTANT && w->shape.rank == 2 && x->shape.rank >= 1;
}

size_t ee_blis_gemm_prepared_bytes(const ee_model *model, const ee_node *node) {
  product p      = product_in_model(model, node, 1);
  int64_t panels = panels_of(p.features, p.tile.lanes);
  return (size_t)ee_blis_panels_floats(panels, p.depth, p.tile.lanes) * sizeof(float);
}

void ee_blis_gemm_prepare(const ee_model *model, const ee_node *node,
                          const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  product p = product_in_model(model, node, 1);
  ee_blis_pack_rows(constant[1], p.transposed ? p.depth : 1, p.transposed ? 1 : p.features,
                    p.features, p.depth, p.tile.lanes, packed);
}

/* Scratch: the row panels of a block, then one tile. */
static int64_t panels_floats(const product *p) {
  return ee_blis_panels_floats(p->block, p->depth, p->tile.rows);
}

size_t ee_blis_gemm_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  product p = product_in_model(model, node, n);
  return (size_t)(panels_floats(&p) + p.tile.rows * p.tile.lanes) * sizeof(float);
}

/* Multiply the packed rows [first, first + rows) by one panel of features, and store. */
static void multiply_panel(const product *p, const ee_kernel_call *call, int64_t first,
                           int64_t rows, int64_t panel, ee_blis_scatter *s, ee_meter *meter) {
  const float *weights = call->prepared;
  float       *packed = call->scratch, *tile = packed + panels_floats(p);
  int64_t      feature = panel * p->tile.lanes, left = p->features - feature;
  ee_blis_run  run = {.n = (int)(left < p->tile.lanes ? left : p->tile.lanes)};
  weights += panel * ee_blis_panel_stride(p->depth, p->tile.lanes);

  for (int64_t r = 0; r < rows; r += p->tile.rows) {
    int64_t row = first + r;
    ee_blis_tile(p->depth, packed, weights, tile);
    packed += ee_blis_panel_stride(p->depth, p->tile.rows);
    s->tile = tile;
    s->rows = (int)(rows - r < p->tile.rows ? rows - r : p->tile.rows);
    s->out  = call->out + row * p->features + feature;
    s->run  = &run;
    if (p->c != NULL) s->c = p->c + row * s->c_row_step + feature * s->c_lane_step;
    ee_blis_loops_get()->scatter(s);
    ee_meter_add(meter, 2 * p->depth * p->tile.rows * p->tile.lanes);
  }
}

static ee_blis_scatter scatter_of(const product *p, const ee_kernel_call *call) {
  ee_blis_scatter s = {.lanes       = p->tile.lanes,
                       .alpha       = 1.0F,
                       .beta        = 1.0F,
                       .c_lane_step = 1,
                       .act         = call->act,
                       .row_step    = p->features,
                       .n_runs      = 1};
  if (call->node->op == EE_OP_MATMUL) return s;
  s.alpha = call->node->attr.gemm.alpha;
  s.beta  = call->node->attr.gemm.beta;
  if (p->c != NULL) {
    int64_t step[EE_MAX_RANK];
    ee_broadcast_strides(&call->in_shape[2], &call->out_shape, step);
    s.c_row_step  = step[0];
    s.c_lane_step = step[1];
  }
  return s;
}

void ee_blis_gemm_run(const ee_kernel_call *call) {
  product p             = product_of(call->node, &call->in_shape[0], &call->in_shape[1]);
  p.c                   = call->in[2];
  ee_blis_scatter s     = scatter_of(&p, call);
  ee_meter        meter = {.call = call, .step = EE_BLIS_STEP};
  int64_t         most  = p.block * p.tile.rows;
  for (int64_t first = 0; first < p.rows; first += most) {
    int64_t rows = p.rows - first < most ? p.rows - first : most;
    ee_blis_pack_rows(call->in[0] + first * p.depth, p.depth, 1, rows, p.depth, p.tile.rows,
                      call->scratch);
    for (int64_t panel = 0; panel < panels_of(p.features, p.tile.lanes); panel++) {
      multiply_panel(&p, call, first, rows, panel, &s, &meter);
    }
  }
}
