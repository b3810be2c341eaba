/* SPDX-License-Identifier: Apache-2.0 */
/* A product with a matrix and the Add of a number for each column: a linear layer, one MatMul. */
#include "onnx_affine.h"
#include "onnx_fusion.h"

/* Whether @p v is a constant of @p n numbers along the last dimension. */
static bool is_row(const onnx_fusion *f, int v, int64_t n) {
  const onnx_value *value = &f->g->value[v];
  const ee_shape   *shape = &value->at[0];
  bool constant = value->kind == EE_VALUE_CONSTANT && value->data != NULL && shape->rank > 0;
  return constant && shape->dim[shape->rank - 1] == n && ee_shape_elements(shape) == n;
}

/* Constant @p v as a vector, *row. */
static ee_status as_vector(onnx_graph *g, int v, int64_t n, int *row) {
  ee_shape shape = {.rank = 1, .dim = {n}};
  *row           = v;
  if (g->value[v].at[0].rank == 1) return EE_OK;
  float *copy = ee_onnx_copy_floats(&g->value[v]);
  if (copy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the bias '%s'", g->value[v].name);
  return ee_onnx_constant(g, g->value[v].name, &shape, copy, row);
}

ee_status ee_onnx_fuse_bias(onnx_fusion *f, ee_node *node) {
  if (node->op != EE_OP_ADD || node->act.kind != EE_ACT_NONE) return EE_OK;
  for (int k = 0; k < 2; k++) {
    const ee_node *product = ee_onnx_sole_producer(f, node->in[k]);
    if (product == NULL || product->op != EE_OP_MATMUL || product->n_in > 2) continue;
    const ee_shape *y = ee_onnx_shape_of(f, product->out);
    if (y->rank == 0 || ee_onnx_shape_of(f, product->in[1])->rank < 2) continue;
    int64_t columns = y->dim[y->rank - 1];
    if (!is_row(f, node->in[1 - k], columns)) continue;
    if (!ee_shape_equal(y, ee_onnx_shape_of(f, node->out))) continue;
    ee_node with = *product;
    with.n_in    = 3;
    EE_TRY(as_vector(f->g, node->in[1 - k], columns, &with.in[2]));
    ee_onnx_replace(f, node, &with);
    return EE_OK;
  }
  return EE_OK;
}
