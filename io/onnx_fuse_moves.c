/* SPDX-License-Identifier: Apache-2.0 */
/* Reshapes and transpositions that undo each other vanish, and a linear layer between them works on
 * the rows as they were before. */
#include "onnx_view_value.h"

static bool is_output(const onnx_graph *g, int v) {
  for (int i = 0; i < g->n_outputs; i++) {
    if (g->output[i] == v) return true;
  }
  return false;
}

/* Whether nobody else reads what stands between the view's source and @p v, the source included. */
static bool is_only_reader(const onnx_fusion *f, int v, int source) {
  while (v != source) {
    const ee_node *node = ee_onnx_maker(f, v);
    if (node == NULL) return false;
    v = node->in[0];
    if (f->uses[v] != 1) return false;
  }
  return true;
}

/* Whether the last dimension is that of the source, and each row of it whole. */
static bool has_whole_rows(const onnx_fusion *f, const onnx_view *view) {
  const ee_shape *x    = ee_onnx_shape_of(f, view->source);
  int             last = view->rank - 1;
  return x->rank > 0 && last >= 0 && view->first == 0 &&
         ee_onnx_view_length(view, last) == x->dim[x->rank - 1] &&
         ee_onnx_view_is_run(view, last, last + 1, 1);
}

ee_status ee_onnx_fuse_moves(onnx_fusion *f, ee_node *node) {
  int v;
  if ((node->op != EE_OP_RESHAPE && node->op != EE_OP_TRANSPOSE) || node->act.kind != EE_ACT_NONE ||
      is_output(f->g, node->out))
    return EE_OK;
  onnx_view view  = ee_onnx_view_of(f, node->out);
  ee_shape  shape = ee_onnx_view_shape(&view);
  if (ee_onnx_view_source(f, &view) == ONNX_WHOLE &&
      ee_shape_equal(&shape, ee_onnx_shape_of(f, view.source))) {
    ee_onnx_read_instead(f, node->out, view.source);
    return EE_OK;
  }
  if (!ee_onnx_view_is_layer(f, &view) || !has_whole_rows(f, &view)) return EE_OK;
  if (!is_only_reader(f, node->out, view.source)) return EE_OK;
  EE_TRY(ee_onnx_view_layer(f, &view, node, &v));
  ee_onnx_read_instead(f, node->out, v);
  return EE_OK;
}
