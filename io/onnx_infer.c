/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a node's result from those of its inputs: one function per operator. */
#include <stdio.h>

#include "onnx_operator.h"

static ee_status need_rank(const ee_shape *x, int least, int most) {
  char text[128];
  if (x->rank >= least && x->rank <= most) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "an input of shape %s, from %d to %d dimensions are needed",
                 ee_shape_text(x, text, sizeof text), least, most);
}

static ee_status do_not_fit(const ee_shape *a, const ee_shape *b) {
  char left[128], right[128];
  return EE_FAIL(EE_ERR_FORMAT, "shapes %s and %s do not fit together",
                 ee_shape_text(a, left, sizeof left), ee_shape_text(b, right, sizeof right));
}

/* Dimension i of @p x when it is padded on the left with ones to @p rank. */
static int64_t aligned(const ee_shape *x, int rank, int i) {
  int j = i - (rank - x->rank);
  return j < 0 ? 1 : x->dim[j];
}

ee_status ee_onnx_common_shape(const ee_shape *a, const ee_shape *b, ee_shape *out) {
  *out = (ee_shape){.rank = a->rank > b->rank ? a->rank : b->rank};
  for (int i = 0; i < out->rank; i++) {
    int64_t p = aligned(a, out->rank, i), q = aligned(b, out->rank, i);
    if (p != q && p != 1 && q != 1) return do_not_fit(a, b);
    out->dim[i] = p == 1 ? q : p;
  }
  return EE_OK;
}

/* Number of places of window dimension i over an extent of @p size. */
static ee_status window_places(const ee_window *w, int i, int64_t size, int64_t *places) {
  int64_t reach  = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
  int64_t padded = size + w->pad_before[i] + w->pad_after[i];
  if (padded < reach)
    return EE_FAIL(EE_ERR_FORMAT, "a window of %lld over %lld elements, padding included",
                   (long long)reach, (long long)padded);
  int64_t rest = padded - reach;
  *places = (w->ceil_mode ? (rest + w->stride[i] - 1) / w->stride[i] : rest / w->stride[i]) + 1;
  // A window that would start in the padding after the end does not count.
  if (w->ceil_mode && (*places - 1) * w->stride[i] >= size + w->pad_before[i]) --*places;
  return EE_OK;
}

static ee_status infer_window(const ee_window *w, const ee_shape *x, ee_shape *out) {
  if (x->rank != w->n_spatial + 2)
    return EE_FAIL(EE_ERR_FORMAT, "an input of %d dimensions and a window of %d", x->rank,
                   w->n_spatial);
  *out = *x;
  for (int i = 0; i < w->n_spatial; i++)
    EE_TRY(window_places(w, i, x->dim[2 + i], &out->dim[2 + i]));
  return EE_OK;
}

static ee_status infer_conv(const ee_node *node, const ee_shape *in, ee_shape *out) {
  const ee_window *w = &node->attr.window;
  const ee_shape  *x = &in[0], *weight = &in[1], *bias = &in[2];
  EE_TRY(infer_window(w, x, out));
  if (weight->rank != x->rank || weight->dim[0] % w->groups != 0 ||
      x->dim[1] != weight->dim[1] * w->groups)
    return do_not_fit(x, weight);
  for (int i = 0; i < w->n_spatial; i++) {
    if (weight->dim[2 + i] != w->kernel[i]) return do_not_fit(x, weight);
  }
  if (node->n_in > 2 && node->in[2] >= 0 && (bias->rank != 1 || bias->dim[0] != weight->dim[0]))
    return do_not_fit(weight, bias);
  out->dim[1] = weight->dim[0];
  return EE_OK;
}

static ee_status infer_gemm(const ee_node *node, const ee_shape *in, ee_shape *out) {
  EE_TRY(need_rank(&in[0], 2, 2));
  EE_TRY(need_rank(&in[1], 2, 2));
  bool ta = node->attr.gemm.trans_a, tb = node->attr.gemm.trans_b;
  if (in[0].dim[!ta] != in[1].dim[tb]) return do_not_fit(&in[0], &in[1]);
  *out = (ee_shape){.rank = 2, .dim = {in[0].dim[ta], in[1].dim[!tb]}};
  if (node->n_in < 3 || node->in[2] < 0) return EE_OK;
  ee_shape sum;
  EE_TRY(ee_onnx_common_shape(out, &in[2], &sum));
  return ee_shape_equal(out, &sum) ? EE_OK : do_not_fit(out, &in[2]);
}

/* As numpy.matmul: vectors become matrices for the product, leading dimensions are broadcast. */
static ee_status infer_matmul(const ee_shape *in, ee_shape *out) {
  ee_shape a = in[0], b = in[1], lead_a, lead_b;
  EE_TRY(need_rank(&a, 1, EE_MAX_RANK));
  EE_TRY(need_rank(&b, 1, EE_MAX_RANK));
  if (a.rank == 1) a = (ee_shape){.rank = 2, .dim = {1, in[0].dim[0]}};
  if (b.rank == 1) b = (ee_shape){.rank = 2, .dim = {in[1].dim[0], 1}};
  if (a.dim[a.rank - 1] != b.dim[b.rank - 2]) return do_not_fit(&in[0], &in[1]);
  lead_a = a;
  lead_b = b;
  lead_a.rank -= 2;
  lead_b.rank -= 2;
  EE_TRY(ee_onnx_common_shape(&lead_a, &lead_b, out));
  if (in[0].rank > 1) out->dim[out->rank++] = a.dim[a.rank - 2];
  if (in[1].rank > 1) out->dim[out->rank++] = b.dim[b.rank - 1];
  return EE_OK;
}

static ee_status infer_batch_norm(const ee_node *node, const ee_shape *in, ee_shape *out) {
  EE_TRY(need_rank(&in[0], 2, EE_MAX_RANK));
  for (int k = 1; k < node->n_in; k++) {
    if (in[k].rank != 1 || in[k].dim[0] != in[0].dim[1]) return do_not_fit(&in[0], &in[k]);
  }
  *out = in[0];
  return EE_OK;
}

static ee_status infer_concat(const ee_node *node, const ee_shape *in, ee_shape *out) {
  int axis = node->attr.along.axis;
  *out     = in[0];
  EE_TRY(need_rank(&in[0], axis + 1, EE_MAX_RANK));
  for (int k = 1; k < node->n_in; k++) {
    ee_shape like = in[k];
    if (like.rank == out->rank) like.dim[axis] = out->dim[axis];
    if (!ee_shape_equal(&like, out)) return do_not_fit(&in[0], &in[k]);
    out->dim[axis] += in[k].dim[axis];
  }
  return EE_OK;
}

static ee_status infer_transpose(const ee_node *node, const ee_shape *in, ee_shape *out) {
  *out = in[0];
  for (int i = 0; i < out->rank; i++) out->dim[i] = in[0].dim[node->attr.transpose.perm[i]];
  return EE_OK;
}

static ee_status infer_pad(const ee_node *node, const ee_shape *in, ee_shape *out) {
  enum { REFLECT = 1 };
  *out = in[0];
  for (int i = 0; i < out->rank; i++) {
    int     before = node->attr.pad.before[i], after = node->attr.pad.after[i];
    int64_t size = in[0].dim[i], longest = before > after ? before : after;
    out->dim[i] = size + before + after;
    if (out->dim[i] < 1 || size + before < 1 || size + after < 1)
      return EE_FAIL(EE_ERR_FORMAT, "dimension %d of %lld is padded by %d and %d", i,
                     (long long)size, before, after);
    if (node->attr.pad.mode == REFLECT && longest >= size)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "padding by %lld reflects more than the %lld elements",
                     (long long)longest, (long long)size);
  }
  return EE_OK;
}

static ee_status infer_gather(const ee_node *node, const ee_shape *in, ee_shape *out) {
  int axis = node->attr.gather.axis;
  if (in[0].rank - 1 + in[1].rank > EE_MAX_RANK) return do_not_fit(&in[0], &in[1]);
  *out = (ee_shape){0};
  for (int i = 0; i < axis; i++) out->dim[out->rank++] = in[0].dim[i];
  for (int i = 0; i < in[1].rank; i++) out->dim[out->rank++] = in[1].dim[i];
  for (int i = axis + 1; i < in[0].rank; i++) out->dim[out->rank++] = in[0].dim[i];
  return EE_OK;
}

static ee_status infer_global_pool(const ee_shape *in, ee_shape *out) {
  EE_TRY(need_rank(&in[0], 3, EE_MAX_RANK));
  *out = in[0];
  for (int i = 2; i < out->rank; i++) out->dim[i] = 1;
  return EE_OK;
}

ee_status ee_onnx_infer(const ee_node *node, const ee_shape *in, ee_shape *out) {
  switch (node->op) {
    case EE_OP_CONV:
      return infer_conv(node, in, out);
    case EE_OP_GEMM:
      return infer_gemm(node, in, out);
    case EE_OP_MATMUL:
      return infer_matmul(in, out);
    case EE_OP_BATCH_NORM:
      return infer_batch_norm(node, in, out);
    case EE_OP_MAX_POOL:
    case EE_OP_AVERAGE_POOL:
      return infer_window(&node->attr.window, &in[0], out);
    case EE_OP_GLOBAL_AVERAGE_POOL:
      return infer_global_pool(in, out);
    case EE_OP_ADD:
    case EE_OP_MUL:
    case EE_OP_SUB:
    case EE_OP_DIV:
    case EE_OP_POW:
      return ee_onnx_common_shape(&in[0], &in[1], out);
    case EE_OP_CONCAT:
      return infer_concat(node, in, out);
    case EE_OP_TRANSPOSE:
      return infer_transpose(node, in, out);
    case EE_OP_PAD:
      return infer_pad(node, in, out);
    case EE_OP_GATHER:
      return infer_gather(node, in, out);
    default:
      *out = in[0];
      return EE_OK;  // elementwise, or along an axis
  }
}
