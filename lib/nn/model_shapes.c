/* SPDX-License-Identifier: Apache-2.0 */
/* Which shapes an operator makes of which: one rule per operator, those of ONNX. */
#include <math.h>

#include "graph.h"

/* The rules of broadcasting: aligned at the last dimension, 1 stretches. */
static bool broadcast(const ee_shape *a, const ee_shape *b, ee_shape *out) {
  out->rank = a->rank > b->rank ? a->rank : b->rank;
  for (int i = 0; i < out->rank; i++) {
    int     ia = i - (out->rank - a->rank), ib = i - (out->rank - b->rank);
    int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
    if (da != db && da != 1 && db != 1) return false;
    out->dim[i] = da == 1 ? db : da;
  }
  return true;
}

static bool broadcast_fits(const ee_shape *a, const ee_shape *b, const ee_shape *out) {
  ee_shape both;
  return broadcast(a, b, &both) && ee_shape_equal(&both, out);
}

static bool window_is_valid(const ee_window *w) {
  if (w->n_spatial < 1 || w->n_spatial > EE_MAX_SPATIAL) return false;
  for (int d = 0; d < w->n_spatial; d++) {
    if (w->kernel[d] < 1 || w->stride[d] < 1 || w->dilation[d] < 1) return false;
    if (w->pad_before[d] < 0 || w->pad_after[d] < 0) return false;
  }
  return true;
}

/* out = floor((in + pads - reach) / stride) + 1, or rounded up in ceil mode. */
static bool window_fits(const ee_window *w, bool may_ceil, const ee_shape *in,
                        const ee_shape *out) {
  if (!window_is_valid(w) || in->rank != w->n_spatial + 2 || out->rank != in->rank) return false;
  for (int d = 0; d < w->n_spatial; d++) {
    int64_t stride = w->stride[d];
    int64_t reach  = (int64_t)w->dilation[d] * (w->kernel[d] - 1) + 1;
    int64_t room   = in->dim[d + 2] + w->pad_before[d] + w->pad_after[d] - reach;
    int64_t down   = room < 0 ? 0 : room / stride + 1;
    int64_t up     = room <= -stride ? 0 : (room + stride - 1) / stride + 1;
    int64_t n      = out->dim[d + 2];
    if (n != down && !(may_ceil && n == up)) return false;
  }
  return in->dim[0] == out->dim[0];
}

static bool conv_fits(const ee_node *node, const ee_shape *const in[], const ee_shape *out) {
  const ee_window *w = &node->attr.window;
  const ee_shape  *x = in[0], *weight = in[1], *bias = node->n_in > 2 ? in[2] : NULL;
  if (!window_fits(w, false, x, out) || weight->rank != x->rank || w->groups < 1) return false;
  for (int d = 0; d < w->n_spatial; d++) {
    if (weight->dim[d + 2] != w->kernel[d]) return false;
  }
  if (x->dim[1] % w->groups != 0 || weight->dim[0] % w->groups != 0) return false;
  if (weight->dim[1] != x->dim[1] / w->groups || weight->dim[0] != out->dim[1]) return false;
  return bias == NULL || (bias->rank == 1 && bias->dim[0] == out->dim[1]);
}

static bool pool_fits(const ee_node *node, const ee_shape *in, const ee_shape *out) {
  const ee_window *w = &node->attr.window;
  return window_fits(w, w->ceil_mode, in, out) && in->dim[1] == out->dim[1];
}

static bool global_pool_fits(const ee_shape *in, const ee_shape *out) {
  if (in->rank < 3 || out->rank != in->rank) return false;
  for (int d = 2; d < out->rank; d++) {
    if (out->dim[d] != 1) return false;
  }
  return in->dim[0] == out->dim[0] && in->dim[1] == out->dim[1];
}

static bool gemm_fits(const ee_node *node, const ee_shape *const in[], const ee_shape *out) {
  const ee_shape *a = in[0], *b = in[1], *c = node->n_in > 2 ? in[2] : NULL;
  if (a->rank != 2 || b->rank != 2 || out->rank != 2) return false;
  bool ta = node->attr.gemm.trans_a, tb = node->attr.gemm.trans_b;
  if (a->dim[ta ? 1 : 0] != out->dim[0] || b->dim[tb ? 0 : 1] != out->dim[1]) return false;
  if (a->dim[ta ? 0 : 1] != b->dim[tb ? 1 : 0]) return false;
  return c == NULL || broadcast_fits(c, out, out);
}

/* The last two dimensions are matrices, the ones before are broadcast; a vector is a matrix of one
 * row on the left and of one column on the right, and loses that dimension in the result. */
static bool matmul_fits(const ee_node *node, const ee_shape *const in[], const ee_shape *out) {
  const ee_shape *left = in[0], *right = in[1], *bias = node->n_in > 2 ? in[2] : NULL;
  if (left->rank < 1 || right->rank < 1) return false;
  ee_shape a = *left, b = *right, want;
  int64_t  k = a.dim[a.rank - 1];
  if (k != b.dim[b.rank > 1 ? b.rank - 2 : 0]) return false;
  a.rank = a.rank > 1 ? a.rank - 2 : 0;
  b.rank = b.rank > 1 ? b.rank - 2 : 0;
  if (!broadcast(&a, &b, &want)) return false;
  if (left->rank > 1) want.dim[want.rank++] = left->dim[left->rank - 2];
  if (right->rank > 1) want.dim[want.rank++] = right->dim[right->rank - 1];
  if (!ee_shape_equal(&want, out)) return false;
  bool has_rows = bias != NULL && right->rank > 1 && bias->rank == 1;
  return bias == NULL || (has_rows && bias->dim[0] == right->dim[right->rank - 1]);
}

static bool batch_norm_fits(const ee_shape *const in[], const ee_shape *out) {
  if (in[0]->rank < 2 || !ee_shape_equal(in[0], out)) return false;
  for (int i = 1; i < 5; i++) {
    if (in[i]->rank != 1 || in[i]->dim[0] != in[0]->dim[1]) return false;
  }
  return true;
}

static bool concat_fits(const ee_node *node, const ee_shape *const in[], const ee_shape *out) {
  int axis = node->attr.along.axis;
  if (axis < 0 || axis >= out->rank) return false;
  ee_shape want  = *out;
  want.dim[axis] = 0;
  for (int i = 0; i < node->n_in; i++) {
    if (in[i] == NULL || in[i]->rank != out->rank) return false;
    for (int d = 0; d < out->rank; d++) {
      if (d != axis && in[i]->dim[d] != out->dim[d]) return false;
    }
    want.dim[axis] += in[i]->dim[axis];
  }
  return ee_shape_equal(&want, out);
}

static bool transpose_fits(const ee_node *node, const ee_shape *in, const ee_shape *out) {
  unsigned used = 0;
  if (in->rank != out->rank) return false;
  for (int i = 0; i < in->rank; i++) {
    int from = node->attr.transpose.perm[i];
    if (from < 0 || from >= in->rank || out->dim[i] != in->dim[from]) return false;
    used |= 1u << from;
  }
  return used == (1u << in->rank) - 1;
}

static bool softmax_fits(const ee_node *node, const ee_shape *in, const ee_shape *out) {
  int axis = node->attr.along.axis;
  return axis >= 0 && axis < in->rank && ee_shape_equal(in, out);
}

static bool pad_fits(const ee_node *node, const ee_shape *in, const ee_shape *out) {
  enum { REFLECT = 1, LAST_MODE = 3 };
  int mode = node->attr.pad.mode;
  if (mode < 0 || mode > LAST_MODE || in->rank != out->rank) return false;
  for (int i = 0; i < in->rank; i++) {
    int64_t before = node->attr.pad.before[i], after = node->attr.pad.after[i], n = in->dim[i];
    if (before <= -n || after <= -n || n + before + after != out->dim[i]) return false;
    if (mode == REFLECT && (before >= n || after >= n)) return false;
  }
  return true;
}

/* The averaged axes stay with one element each, or are left out. */
static bool reduce_fits(const ee_node *node, const ee_shape *in, const ee_shape *out) {
  ee_shape kept = *in, squeezed = {.rank = 0};
  for (int i = 0; i < in->rank; i++) {
    if (node->attr.reduce.axis[i]) {
      kept.dim[i] = 1;
    } else {
      squeezed.dim[squeezed.rank++] = in->dim[i];
    }
  }
  return ee_shape_equal(&kept, out) || ee_shape_equal(&squeezed, out);
}

static bool slice_fits(const ee_node *node, const ee_shape *in, const ee_shape *out) {
  if (in->rank != out->rank) return false;
  for (int i = 0; i < in->rank; i++) {
    int64_t first = node->attr.slice.start[i], step = node->attr.slice.step[i];
    int64_t last;
    if (__builtin_mul_overflow(out->dim[i] - 1, step, &last)) return false;
    if (__builtin_add_overflow(last, first, &last)) return false;
    if (step == 0 || first < 0 || first >= in->dim[i] || last < 0 || last >= in->dim[i])
      return false;
  }
  return true;
}

static bool gather_fits(const ee_node *node, const ee_shape *const in[], const ee_shape *out) {
  const ee_shape *data = in[0], *index = in[1];
  int             axis = node->attr.gather.axis;
  if (axis < 0 || axis >= data->rank || data->rank - 1 + index->rank > EE_MAX_RANK) return false;
  ee_shape want = {.rank = 0};
  for (int i = 0; i < axis; i++) want.dim[want.rank++] = data->dim[i];
  for (int i = 0; i < index->rank; i++) want.dim[want.rank++] = index->dim[i];
  for (int i = axis + 1; i < data->rank; i++) want.dim[want.rank++] = data->dim[i];
  return ee_shape_equal(&want, out);
}

static bool layer_norm_fits(const ee_node *node, const ee_shape *const in[], const ee_shape *out) {
  int   axis    = node->attr.layer_norm.axis;
  float epsilon = node->attr.layer_norm.epsilon;
  if (axis < 0 || axis >= out->rank || !ee_shape_equal(in[0], out)) return false;
  if (!isfinite(epsilon) || epsilon < 0.0F) return false;
  ee_shape row = {.rank = out->rank - axis};
  for (int i = 0; i < row.rank; i++) row.dim[i] = out->dim[axis + i];
  bool has_bias = node->n_in > 2 && in[2] != NULL;
  return ee_shape_equal(in[1], &row) && (!has_bias || ee_shape_equal(in[2], &row));
}

/* Everything in front of the last two dimensions agrees, and so do the operands' inner ones. */
static bool attention_fits(const ee_node *node, const ee_shape *const in[], const ee_shape *out) {
  const ee_shape *q = in[0], *k = in[1], *v = in[2], *mask = node->n_in > 3 ? in[3] : NULL;
  int             rank = out->rank, heads = node->attr.attention.n_heads;
  if (rank < 2 || q->rank != rank || k->rank != rank || v->rank != rank) return false;
  for (int i = 0; i < rank - 2; i++) {
    if (q->dim[i] != out->dim[i] || k->dim[i] != out->dim[i] || v->dim[i] != out->dim[i])
      return false;
  }
  int64_t rows = q->dim[rank - 2], keys = k->dim[rank - 2], depth = q->dim[rank - 1];
  if (rows != out->dim[rank - 2] || depth != k->dim[rank - 1] || keys != v->dim[rank - 2])
    return false;
  if (v->dim[rank - 1] != out->dim[rank - 1] || !isfinite(node->attr.attention.scale)) return false;
  if (heads < 1 || depth % heads != 0 || out->dim[rank - 1] % heads != 0) return false;
  if (mask == NULL) return true;
  if (rank == EE_MAX_RANK) return false;
  ee_shape scores      = *out;
  scores.rank          = rank + 1;
  scores.dim[rank - 2] = heads;
  scores.dim[rank - 1] = rows;
  scores.dim[rank]     = keys;
  return broadcast_fits(mask, &scores, &scores);
}

bool ee_node_shapes_fit(const ee_node *node, const ee_shape *const in[EE_MAX_NODE_INPUTS],
                        const ee_shape *out) {
  switch (node->op) {
    case EE_OP_CONV:
      return conv_fits(node, in, out);
    case EE_OP_GEMM:
      return gemm_fits(node, in, out);
    case EE_OP_MATMUL:
      return matmul_fits(node, in, out);
    case EE_OP_BATCH_NORM:
      return batch_norm_fits(in, out);
    case EE_OP_ACTIVATION:
      return ee_shape_equal(in[0], out);
    case EE_OP_MAX_POOL:
    case EE_OP_AVERAGE_POOL:
      return pool_fits(node, in[0], out);
    case EE_OP_GLOBAL_AVERAGE_POOL:
      return global_pool_fits(in[0], out);
    case EE_OP_ADD:
    case EE_OP_MUL:
    case EE_OP_SUB:
    case EE_OP_DIV:
    case EE_OP_POW:
      return broadcast_fits(in[0], in[1], out);
    case EE_OP_CONCAT:
      return concat_fits(node, in, out);
    case EE_OP_RESHAPE:
      return ee_shape_elements(in[0]) == ee_shape_elements(out);
    case EE_OP_TRANSPOSE:
      return transpose_fits(node, in[0], out);
    case EE_OP_SOFTMAX:
    case EE_OP_LOG_SOFTMAX:
      return softmax_fits(node, in[0], out);
    case EE_OP_PAD:
      return pad_fits(node, in[0], out);
    case EE_OP_REDUCE_MEAN:
      return reduce_fits(node, in[0], out);
    case EE_OP_SLICE:
      return slice_fits(node, in[0], out);
    case EE_OP_GATHER:
      return gather_fits(node, in, out);
    case EE_OP_LAYER_NORM:
      return layer_norm_fits(node, in, out);
    case EE_OP_ATTENTION:
      return attention_fits(node, in, out);
    case EE_OP_COUNT:
      break;
  }
  return false;
}
