/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of several heads as it is exported: queries, keys and values [.., T, D] are reshaped to
 * [.., T, H, D/H] and transposed to [.., H, T, D/H], scores are scaled, masked and made
 * probabilities, and the mix of values goes the way back.  One node does it on [.., T, D]. */
#include <string.h>

#include "onnx_fusion.h"
#include "onnx_operator.h"

/* What has been found so far. */
typedef struct found {
  int    q, k, v, mask;  // values; mask -1: none
  int    n_heads;        // 0: not known yet
  double scale;
} found;

/* Walk from *v over products with and quotients by a number, which go to @p scale. */
static void strip_scale(const onnx_fusion *f, int *v, double *scale) {
  for (;;) {
    const ee_node *mul  = ee_onnx_made_by(f, *v, EE_OP_MUL),
                  *div  = ee_onnx_made_by(f, *v, EE_OP_DIV);
    const ee_node *node = mul != NULL ? mul : div;
    float          number;
    int            k = node != NULL ? ee_onnx_number_input(f, node, &number) : -1;
    if (k < 0 || (node == div && k == 0)) return;
    if (!ee_shape_equal(ee_onnx_shape_of(f, node->in[1 - k]), ee_onnx_shape_of(f, *v))) return;
    *scale = node == mul ? *scale * (double)number : *scale / (double)number;
    *v     = node->in[1 - k];
  }
}

/* Whether @p node swaps dimensions a and b and nothing else. */
static bool swaps(const onnx_fusion *f, const ee_node *node, int a, int b) {
  int rank = ee_onnx_shape_of(f, node->out)->rank;
  for (int i = 0; i < rank; i++) {
    int from = i == a ? b : i == b ? a : i;
    if (node->attr.transpose.perm[i] != from) return false;
  }
  return true;
}

/* The array [.., T, D] that a reshape made *v, [.., T, H, D/H], of; false if none did, or of other
 * heads than are known. */
static bool merge_heads(const onnx_fusion *f, int *v, found *a) {
  const ee_node *reshape = ee_onnx_made_by(f, *v, EE_OP_RESHAPE);
  if (reshape == NULL) return false;
  const ee_shape *x = ee_onnx_shape_of(f, reshape->in[0]), *y = ee_onnx_shape_of(f, *v);
  if (x->rank < 2 || y->rank != x->rank + 1) return false;
  for (int i = 0; i < x->rank - 1; i++) {
    if (x->dim[i] != y->dim[i]) return false;
  }
  int64_t heads = y->dim[y->rank - 2];
  if (heads > (1 << 20) || (a->n_heads != 0 && a->n_heads != heads)) return false;
  a->n_heads = (int)heads;
  *v         = reshape->in[0];
  return true;
}

/* From [.., H, T, D/H] back to [.., T, D]. */
static bool find_heads(const onnx_fusion *f, int *v, found *a) {
  strip_scale(f, v, &a->scale);
  const ee_node *turn = ee_onnx_made_by(f, *v, EE_OP_TRANSPOSE);
  int            rank = ee_onnx_shape_of(f, *v)->rank;
  if (turn == NULL || rank < 3 || !swaps(f, turn, rank - 3, rank - 2)) return false;
  *v = turn->in[0];
  strip_scale(f, v, &a->scale);
  return merge_heads(f, v, a);
}

/* From keys that stand as columns, [.., H, D/H, S], back to [.., S, D]. */
static bool find_keys(const onnx_fusion *f, int *v, found *a) {
  strip_scale(f, v, &a->scale);
  const ee_node *turn = ee_onnx_made_by(f, *v, EE_OP_TRANSPOSE);
  int            rank = ee_onnx_shape_of(f, *v)->rank;
  if (turn == NULL || rank < 3) return false;
  *v = turn->in[0];
  if (swaps(f, turn, rank - 2, rank - 1)) return find_heads(f, v, a);
  const int *perm = turn->attr.transpose.perm;
  for (int i = 0; i < rank - 3; i++) {
    if (perm[i] != i) return false;
  }
  bool at_once =
      perm[rank - 3] == rank - 2 && perm[rank - 2] == rank - 1 && perm[rank - 1] == rank - 3;
  strip_scale(f, v, &a->scale);
  return at_once && merge_heads(f, v, a);
}

/* The scores q k^T scale + mask that are @p v. */
static bool find_scores(const onnx_fusion *f, int v, found *a) {
  const ee_node *add = ee_onnx_made_by(f, v, EE_OP_ADD);
  a->mask            = -1;
  for (int k = 0; k < (add != NULL ? 2 : 1); k++) {
    found b       = *a;
    int   product = add != NULL ? add->in[k] : v;
    strip_scale(f, &product, &b.scale);
    const ee_node *matmul = ee_onnx_made_by(f, product, EE_OP_MATMUL);
    if (matmul == NULL || matmul->n_in > 2) continue;
    b.q = matmul->in[0];
    b.k = matmul->in[1];
    if (!find_heads(f, &b.q, &b) || !find_keys(f, &b.k, &b)) continue;
    b.mask = add != NULL ? add->in[1 - k] : -1;
    *a     = b;
    return true;
  }
  return false;
}

static bool find_attention(const onnx_fusion *f, const ee_node *node, found *a) {
  const ee_node  *turn = ee_onnx_made_by(f, node->in[0], EE_OP_TRANSPOSE);
  const ee_shape *x = ee_onnx_shape_of(f, node->in[0]), *y = ee_onnx_shape_of(f, node->out);
  if (turn == NULL || x->rank < 3 || x->rank != y->rank + 1) return false;
  for (int i = 0; i < y->rank - 1; i++) {
    if (x->dim[i] != y->dim[i]) return false;
  }
  if (!swaps(f, turn, x->rank - 3, x->rank - 2)) return false;
  const ee_node *mix = ee_onnx_made_by(f, turn->in[0], EE_OP_MATMUL);
  if (mix == NULL || mix->n_in > 2) return false;
  const ee_node *softmax = ee_onnx_made_by(f, mix->in[0], EE_OP_SOFTMAX);
  if (softmax == NULL || softmax->attr.along.axis != x->rank - 1) return false;
  *a = (found){.v = mix->in[1], .scale = 1.0};
  if (!find_heads(f, &a->v, a) || a->scale != 1.0) return false;  // values are not scaled
  return find_scores(f, softmax->in[0], a);
}

/* Whether the operands agree as the node wants it: no broadcasting in front. */
static bool shapes_fit(const onnx_fusion *f, const found *a, const ee_shape *y) {
  const ee_shape *q = ee_onnx_shape_of(f, a->q), *k = ee_onnx_shape_of(f, a->k);
  const ee_shape *v = ee_onnx_shape_of(f, a->v);
  if (q->rank != y->rank || k->rank != y->rank || v->rank != y->rank) return false;
  for (int i = 0; i < y->rank - 2; i++) {
    if (q->dim[i] != y->dim[i] || k->dim[i] != y->dim[i] || v->dim[i] != y->dim[i]) return false;
  }
  if (a->mask < 0) return true;
  ee_shape scores         = *y, sum;
  scores.rank             = y->rank + 1;
  scores.dim[y->rank - 2] = a->n_heads;
  scores.dim[y->rank - 1] = q->dim[y->rank - 2];
  scores.dim[y->rank]     = k->dim[y->rank - 2];
  const ee_shape *mask    = ee_onnx_shape_of(f, a->mask);
  return ee_onnx_common_shape(mask, &scores, &sum) == EE_OK && ee_shape_equal(&sum, &scores);
}

ee_status ee_onnx_fuse_attention(onnx_fusion *f, ee_node *node) {
  found a;
  if (node->op != EE_OP_RESHAPE || node->act.kind != EE_ACT_NONE) return EE_OK;
  if (!find_attention(f, node, &a)) return EE_OK;
  if (!shapes_fit(f, &a, ee_onnx_shape_of(f, node->out))) return EE_OK;
  ee_node with = {
      .op = EE_OP_ATTENTION, .n_in = a.mask >= 0 ? 4 : 3, .in = {a.q, a.k, a.v, a.mask}};
  with.attr.attention.n_heads = a.n_heads;
  with.attr.attention.scale   = (float)a.scale;
  memcpy(with.name, node->name, sizeof with.name);
  ee_onnx_replace(f, node, &with);
  return EE_OK;
}
