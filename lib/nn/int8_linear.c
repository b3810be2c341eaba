/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm and MatMul of 8 bits: rows of the left matrix are the pixels of a line, features its
 * channels.  alpha is in the packed weights, beta in the bias. */
#include "int8_linear.h"

#include <stdlib.h>

#include "int8_image.h"
#include "int8_lines.h"
#include "simd_linear.h"

#define LONG_LINE 4  // tiles in a line

/* y[rows, outputs] = x[rows, depth] w[depth, outputs] + bias. */
typedef struct product {
  int64_t      rows, depth;  // of a sample
  bool         transposed;   // w is stored as [outputs, depth]
  float        alpha, beta;
  ee_int8_pack pack;
} product;

/* Numbers of a row in whole words. */
static int64_t whole_words(int64_t depth) {
  const ee_int8_kernels *k = ee_int8_kernels_get();
  return ee_int8_pixel_bytes(k, depth) / 4 * k->group;
}

static product product_of(const ee_model *model, const ee_node *node) {
  const ee_shape *x = &model->value[node->in[0]].shape, *w = &model->value[node->in[1]].shape;
  bool            gemm    = node->op == EE_OP_GEMM;
  product         p       = {.transposed = gemm && node->attr.gemm.trans_b,
                             .alpha      = gemm ? node->attr.gemm.alpha : 1.0F,
                             .beta       = gemm ? node->attr.gemm.beta : 1.0F};
  int64_t         outputs = w->dim[p.transposed ? 0 : 1];
  p.depth                 = w->dim[p.transposed ? 1 : 0];
  p.rows                  = ee_shape_elements(x) / p.depth;
  p.pack                  = ee_int8_pack_of(&node->quant, outputs, whole_words(p.depth), p.rows);
  return p;
}

bool ee_int8_linear_can(const ee_model *model, const ee_node *node) {
  return ee_simd_linear_can(model, node) && product_of(model, node).depth <= EE_INT8_MOST_SUM;
}

size_t ee_int8_linear_prepared_bytes(const ee_model *model, const ee_node *node) {
  product p = product_of(model, node);
  return ee_int8_pack_bytes(&p.pack);
}

ee_status ee_int8_linear_prepare(const ee_model *model, const ee_node *node,
                                 const float *const constant[EE_MAX_NODE_INPUTS], void *packed) {
  product      p = product_of(model, node);
  const float *w = constant[1], *c = constant[2];
  int64_t      outputs = p.pack.panels.outputs;
  float       *row     = calloc((size_t)whole_words(p.depth), sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "to round the weights of node %s", node->name);
  ee_int8_pack_clear(&p.pack, packed);
  for (int64_t o = 0; o < outputs; o++) {
    for (int64_t k = 0; k < p.depth; k++) {
      row[k] = p.alpha * w[p.transposed ? o * p.depth + k : k * outputs + o];
    }
    ee_int8_pack_output(&p.pack, o, row, c != NULL ? p.beta * c[o] : 0.0F, packed);
  }
  free(row);
  return EE_OK;
}

static int64_t rows_of(const ee_model *model, const product *p, int64_t n) {
  return model->batched ? p->rows * n : p->rows;
}

size_t ee_int8_linear_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  product p = product_of(model, node);
  return (size_t)(rows_of(model, &p, n) * ee_int8_pixel_bytes(p.pack.kernels, p.depth));
}

/* One run. */
typedef struct job {
  ee_int8_lines lines;  // the first, so that one is the other
  int64_t       rows, width;
} job;

static ee_int8_line line_of(const ee_int8_lines *lines, int64_t i) {
  const job            *j    = (const job *)lines;
  const ee_kernel_call *call = lines->call;
  const char           *in   = call->scratch;
  int64_t               at = i * j->width, left = j->rows - at;
  ee_int8_line          line = {.in    = in + at * lines->tile.in_step,
                                .out   = call->out + at * lines->tile.out_step,
                                .width = left < j->width ? left : j->width};
  if (call->residual != NULL) line.residual = call->residual + at * lines->tile.out_step;
  return line;
}

void ee_int8_linear_run(const ee_kernel_call *call) {
  product      p       = product_of(call->model, call->node);
  int64_t      outputs = p.pack.panels.outputs;
  int64_t      bytes   = ee_int8_pixel_bytes(p.pack.kernels, p.depth);
  job          j       = {.rows = rows_of(call->model, &p, call->n)};
  ee_int8_tile t       = {.in_step       = bytes,
                          .rows          = 1,
                          .runs          = 1,
                          .words         = bytes / 4,
                          .out_step      = outputs,
                          .residual_step = outputs};
  j.width              = LONG_LINE * p.pack.kernels->max_pixels[p.pack.panels.vectors];
  j.lines              = (ee_int8_lines){.call       = call,
                                         .pack       = p.pack,
                                         .tile       = t,
                                         .n          = (j.rows + j.width - 1) / j.width,
                                         .line_bytes = j.width * (bytes + outputs * (int64_t)sizeof(float)),
                                         .line       = line_of};
  ee_int8_round_pixels(p.pack.kernels, &p.pack.quant, call->in[0], p.depth, j.rows, p.depth,
                       call->scratch);
  ee_int8_lines_run(&j.lines);
}
