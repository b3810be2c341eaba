/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of several heads as it is exported, by what its parts compute and not by how they are
 * written: a product of shares and values whose shares are the softmax of scaled, masked scores,
 * which are a product of queries and keys.  Where the elements of the operands and of the result
 * come from is traced through whatever moves them; one node does it on [.., T, D]. */
#include <math.h>
#include <string.h>

#include "onnx_fuse_mask.h"
#include "onnx_view_value.h"

#define MOST_HEADS (1 << 20)

/* What has been found so far. */
typedef struct found {
  int         mixed;             // shares times values, shape [lead.., T, E]
  int64_t     lead, rows, keys;  // product of lead dimensions, T, S
  int64_t     depth, width;      // of one head's queries and keys, of its values
  int         heads;
  double      scale;
  onnx_scores scores;
  onnx_view   y;          // of mixed, as the result shall be: [.., T, heads E]
  bool        is_matrix;  // the result is [T, heads E] and y [1, T, heads E]
  onnx_view   q, k, v;
} found;

static int64_t lead_of(const ee_shape *x) {
  return ee_shape_product(x, 0, x->rank - 2);
}

/* The dimensions in front, as they are split among stacks and heads, and T of the result's view of
 * the product; false if the last one is not whole heads side by side. */
static bool find_heads(const onnx_view *y, found *a) {
  int last = y->rank - 1, own = y->n - 1;
  if (last < 1 || own < y->start[last]) return false;
  if (y->factor[own].stride != 1 || y->factor[own].size != a->width) return false;
  int64_t heads = 1;
  for (int k = y->start[last]; k < own; k++) {
    if (y->factor[k].stride % (a->rows * a->width) != 0) return false;
    heads *= y->factor[k].size;
  }
  a->heads = (int)heads;
  return heads <= MOST_HEADS;
}

/* Whether the other dimensions are those of stacks, and then T. */
static bool stands_as_wanted(const onnx_view *y, const found *a) {
  int time = y->rank - 2;
  if (ee_onnx_view_length(y, time) != a->rows || !ee_onnx_view_is_run(y, time, time + 1, a->width))
    return false;
  for (int k = 0; k < y->start[time]; k++) {
    if (y->factor[k].stride % (a->rows * a->width) != 0) return false;
  }
  return true;
}

/* A result [T, ..] gets a first dimension of one, as a batch. */
static bool stack(found *a) {
  onnx_view y  = {.source = a->y.source, .scale = 1.0};
  a->is_matrix = a->y.rank == 2;
  if (!a->is_matrix) return true;
  bool fits = ee_onnx_view_add_dimension(&y);
  for (int i = 0; fits && i < a->y.rank; i++) {
    fits = ee_onnx_view_add_dimension(&y);
    for (int k = a->y.start[i]; fits && k < a->y.start[i + 1]; k++)
      fits = ee_onnx_view_add(&y, a->y.factor[k]);
  }
  a->y = y;
  return fits;
}

/* The view that an operand must have to be read in the order of the result: its stacks, its
 * dimension @p rows, its heads and its dimension @p columns. */
static bool arrange(const found *a, const onnx_view *x, int rows, int columns, onnx_view *to) {
  const onnx_view *y    = &a->y;
  int              last = y->rank - 1, lead = x->rank - 2;
  *to = (onnx_view){.source = x->source, .first = x->first, .scale = x->scale};
  for (int i = 0; i <= last; i++) {
    if (!ee_onnx_view_add_dimension(to)) return false;
    bool is_rows = i == last - 1;
    int  end     = is_rows ? y->start[i] : y->start[i + 1] - (i == last);
    for (int k = y->start[i]; k < end; k++) {
      onnx_factor pick = {y->factor[k].size, y->factor[k].stride / (a->rows * a->width)};
      if (!ee_onnx_view_pick(x, 0, lead, pick, to)) return false;
    }
    int whole = is_rows ? rows : i == last ? columns : -1;
    if (whole < 0) continue;
    onnx_factor all = {ee_onnx_view_length(x, whole), 1};
    if (!ee_onnx_view_pick(x, whole, whole + 1, all, to)) return false;
  }
  return true;
}

/* Whether @p v has as many matrices of @p rows by @p columns as there are. */
static bool has_matrices(const onnx_fusion *f, const found *a, int v, int64_t rows,
                         int64_t columns) {
  const ee_shape *x = ee_onnx_shape_of(f, v);
  return x->rank >= 2 && lead_of(x) == a->lead && x->dim[x->rank - 2] == rows &&
         x->dim[x->rank - 1] == columns && f->g->value[v].kind != EE_VALUE_CONSTANT;
}

static bool find_operands(const onnx_fusion *f, const ee_node *product, int values, found *a) {
  const ee_shape *q = ee_onnx_shape_of(f, product->in[0]);
  a->depth          = q->dim[q->rank - 1];
  if (!has_matrices(f, a, product->in[0], a->rows, a->depth) ||
      !has_matrices(f, a, product->in[1], a->depth, a->keys) ||
      !has_matrices(f, a, values, a->keys, a->width))
    return false;
  onnx_view q_view = ee_onnx_view_of(f, product->in[0]);
  onnx_view k_view = ee_onnx_view_of(f, product->in[1]);
  onnx_view v_view = ee_onnx_view_of(f, values);
  a->scale *= q_view.scale * k_view.scale;
  q_view.scale = k_view.scale = 1.0;
  return arrange(a, &q_view, q_view.rank - 2, q_view.rank - 1, &a->q) &&
         arrange(a, &k_view, k_view.rank - 1, k_view.rank - 2, &a->k) &&
         arrange(a, &v_view, v_view.rank - 2, v_view.rank - 1, &a->v);
}

/* The shares that are the left operand of the product, back to the softmax. */
static const ee_node *find_softmax(const onnx_fusion *f, const ee_node *mix) {
  int             v       = ee_onnx_before_reshapes(f, mix->in[0]);
  const ee_node  *softmax = ee_onnx_made_by(f, v, EE_OP_SOFTMAX);
  const ee_shape *x       = ee_onnx_shape_of(f, v);
  return softmax != NULL && softmax->attr.along.axis == x->rank - 1 ? softmax : NULL;
}

static bool find_attention(const onnx_fusion *f, const ee_node *node, found *a) {
  a->y               = ee_onnx_view_of(f, node->out);
  const ee_node *mix = ee_onnx_made_by(f, a->y.source, EE_OP_MATMUL);
  if (mix == NULL || mix->n_in > 2 || a->y.scale != 1.0 || a->y.first != 0) return false;
  const ee_shape *y      = ee_onnx_shape_of(f, a->y.source);
  const ee_shape *shares = ee_onnx_shape_of(f, mix->in[0]);
  if (y->rank < 2 || shares->rank < 2) return false;
  a->lead  = lead_of(y);
  a->rows  = y->dim[y->rank - 2];
  a->width = y->dim[y->rank - 1];
  a->keys  = shares->dim[shares->rank - 1];
  a->mixed = a->y.source;
  if (ee_shape_elements(y) != ee_shape_elements(ee_onnx_shape_of(f, node->out))) return false;
  if (!find_heads(&a->y, a) || !stands_as_wanted(&a->y, a) || !stack(a)) return false;

  const ee_node *softmax = find_softmax(f, mix);
  if (softmax == NULL || !has_matrices(f, a, mix->in[0], a->rows, a->keys)) return false;
  if (!ee_onnx_find_scores_of(f, softmax->in[0], &a->scores)) return false;
  a->scale = a->scores.scale;
  if (!find_operands(f, a->scores.product, mix->in[1], a)) return false;
  ee_shape lead           = ee_onnx_view_shape(&a->y);
  lead.dim[lead.rank - 2] = a->heads;
  lead.rank--;
  return isfinite((float)a->scale) && ee_onnx_mask_fits(f, &a->scores, &lead);
}

/* [1, T, D] to what the node made. */
static ee_status drop_stack(onnx_fusion *f, ee_node *node, const ee_node *attention) {
  ee_node  last  = {.op = EE_OP_RESHAPE, .n_in = 1};
  ee_shape shape = *ee_onnx_shape_of(f, node->out);
  ee_shape whole = {.rank = 3, .dim = {1, shape.dim[0], shape.dim[1]}};
  memcpy(last.name, node->name, sizeof last.name);
  EE_TRY(ee_onnx_insert(f, node, attention, &whole, &last.in[0]));
  ee_onnx_replace(f, node, &last);
  return EE_OK;
}

static ee_status put(onnx_fusion *f, ee_node *node, const found *a) {
  ee_node with                = {.op = EE_OP_ATTENTION};
  with.attr.attention.n_heads = a->heads;
  with.attr.attention.scale   = (float)a->scale;
  memcpy(with.name, node->name, sizeof with.name);
  EE_TRY(ee_onnx_make_mask(f, &a->scores, &with.in[3]));
  with.n_in = with.in[3] >= 0 ? 4 : 3;
  EE_TRY(ee_onnx_view_value(f, &a->q, node, &with.in[0]));
  EE_TRY(ee_onnx_view_value(f, &a->k, node, &with.in[1]));
  EE_TRY(ee_onnx_view_value(f, &a->v, node, &with.in[2]));
  if (a->is_matrix) return drop_stack(f, node, &with);
  ee_onnx_replace(f, node, &with);
  return EE_OK;
}

static bool can_be_made(const onnx_fusion *f, const found *a) {
  return ee_onnx_view_source(f, &a->q) != ONNX_NO_SOURCE &&
         ee_onnx_view_source(f, &a->k) != ONNX_NO_SOURCE &&
         ee_onnx_view_source(f, &a->v) != ONNX_NO_SOURCE;
}

static ee_status fuse(onnx_fusion *f, ee_node *node, bool one_head) {
  found a = {0};
  if (node->act.kind != EE_ACT_NONE || !find_attention(f, node, &a)) return EE_OK;
  if ((a.heads == 1) != one_head || !can_be_made(f, &a)) return EE_OK;
  return put(f, node, &a);
}

ee_status ee_onnx_fuse_attention(onnx_fusion *f, ee_node *node) {
  bool moves = node->op == EE_OP_RESHAPE || node->op == EE_OP_TRANSPOSE;
  return moves ? fuse(f, node, false) : EE_OK;
}

ee_status ee_onnx_fuse_one_head(onnx_fusion *f, ee_node *node) {
  return node->op == EE_OP_RESHAPE ? fuse(f, node, true) : EE_OK;
}

ee_status ee_onnx_fuse_bare_head(onnx_fusion *f, ee_node *node) {
  return node->op == EE_OP_MATMUL ? fuse(f, node, true) : EE_OK;
}
