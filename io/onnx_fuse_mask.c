/* SPDX-License-Identifier: Apache-2.0 */
/* Scores as exports scale and mask them.  A mask is added, or it chooses between a score and a
 * number so far below that its share is nothing, which came as p score + (1 - p) number. */
#include "onnx_fuse_mask.h"

#include <float.h>
#include <stdlib.h>

#define BOOL ONNX__TENSOR_PROTO__DATA_TYPE__BOOL
#define NOTHING (-1e30F)   // a score that swallows whatever is added to it
#define HIDDEN (-9999.0F)  // a score whose share is 0 beside any score that is shown

int ee_onnx_before_reshapes(const onnx_fusion *f, int v) {
  for (;;) {
    const ee_node *node = ee_onnx_made_by(f, v, EE_OP_RESHAPE);
    if (node == NULL) return v;
    const ee_shape *x = ee_onnx_shape_of(f, node->in[0]), *y = ee_onnx_shape_of(f, v);
    if (x->rank < 2 || y->rank < 2 || x->dim[x->rank - 1] != y->dim[y->rank - 1] ||
        x->dim[x->rank - 2] != y->dim[y->rank - 2])
      return v;
    v = node->in[0];
  }
}

/* The product that @p v is times numbers, which go to @p scale. */
static const ee_node *find_product(const onnx_fusion *f, int v, double *scale) {
  for (;;) {
    v                    = ee_onnx_before_reshapes(f, v);
    const ee_node *maker = ee_onnx_maker(f, v);
    float          number;
    if (maker == NULL) return NULL;
    if (maker->op == EE_OP_MATMUL) return maker->n_in == 2 ? maker : NULL;
    if (maker->op != EE_OP_MUL && maker->op != EE_OP_DIV) return NULL;
    int k = ee_onnx_number_input(f, maker, &number);
    if (k < 0 || (maker->op == EE_OP_DIV && k == 0)) return NULL;
    *scale *= maker->op == EE_OP_MUL ? (double)number : 1.0 / (double)number;
    v = maker->in[1 - k];
  }
}

static bool is_constant(const onnx_fusion *f, int v) {
  return f->g->value[v].kind == EE_VALUE_CONSTANT && f->g->value[v].data != NULL;
}

/* Whether every row over the keys has a score that is shown. */
static bool shows_some(const float *shown, int64_t n, int64_t keys) {
  for (int64_t row = 0; row < n; row += keys) {
    int64_t s = 0;
    while (s < keys && shown[row + s] == 0.0F) s++;
    if (s == keys) return false;
  }
  return true;
}

/* Whether constants @p p and @p fill are 1 and 0, or 0 and a number that hides. */
static bool hides(const onnx_fusion *f, int p, int fill) {
  const onnx_value *shown = &f->g->value[p], *number = &f->g->value[fill];
  const ee_shape   *shape   = &shown->at[0];
  bool              nothing = true;
  if (!is_constant(f, p) || !is_constant(f, fill) || shape->rank < 1) return false;
  if (!ee_shape_equal(shape, &number->at[0])) return false;
  int64_t n = ee_shape_elements(shape);
  for (int64_t i = 0; i < n; i++) {
    float x = number->data[i];
    if (shown->data[i] == 1.0F ? x != 0.0F : shown->data[i] != 0.0F || !(x <= HIDDEN)) return false;
    nothing &= x == 0.0F || x <= NOTHING;
  }
  return nothing || shows_some(shown->data, n, shape->dim[shape->rank - 1]);
}

/* Whether one of @p p and @p q is a computed truth and the other one 1 minus it. */
static bool are_opposite(const onnx_fusion *f, int p, int q) {
  for (int turn = 0; turn < 2; turn++) {
    int            truth = turn == 0 ? p : q, rest = turn == 0 ? q : p;
    const ee_node *sub = ee_onnx_made_by(f, rest, EE_OP_SUB);
    if (sub != NULL && sub->in[1] == truth && f->g->value[truth].type == BOOL &&
        ee_onnx_is_number(f, sub->in[0], 1.0))
      return true;
  }
  return false;
}

/* Whether @p fill is nothing where truth @p p is 0, and 0 elsewhere. */
static bool is_nothing_where_hidden(const onnx_fusion *f, int p, int fill) {
  const ee_node *mul = ee_onnx_made_by(f, fill, EE_OP_MUL);
  float          number;
  int            k = mul != NULL ? ee_onnx_number_input(f, mul, &number) : -1;
  return k >= 0 && number <= NOTHING && are_opposite(f, p, mul->in[1 - k]);
}

/* p score + fill. */
static bool find_choice(const onnx_fusion *f, int v, int fill, onnx_scores *s) {
  const ee_node *mul = ee_onnx_made_by(f, v, EE_OP_MUL);
  for (int k = 0; mul != NULL && k < 2; k++) {
    bool constant = hides(f, mul->in[k], fill);
    if (!constant && !is_nothing_where_hidden(f, mul->in[k], fill)) continue;
    s->scale   = 1.0;
    s->product = find_product(f, mul->in[1 - k], &s->scale);
    s->mask    = constant ? -1 : fill;
    s->shown   = constant ? mul->in[k] : -1;
    if (s->product == NULL) continue;
    return ee_shape_equal(ee_onnx_shape_of(f, mul->in[1 - k]), &s->shape);
  }
  return false;
}

static bool find_masked(const onnx_fusion *f, int v, onnx_scores *s) {
  const ee_node *add = ee_onnx_made_by(f, v, EE_OP_ADD);
  for (int k = 0; add != NULL && k < 2; k++) {
    *s         = (onnx_scores){.scale = 1.0, .mask = add->in[1 - k], .shown = -1};
    s->shape   = *ee_onnx_shape_of(f, v);
    s->product = find_product(f, add->in[k], &s->scale);
    if (s->product != NULL && ee_shape_equal(ee_onnx_shape_of(f, add->in[k]), &s->shape))
      return true;
    if (find_choice(f, add->in[k], add->in[1 - k], s)) return true;
  }
  return false;
}

bool ee_onnx_find_scores_of(const onnx_fusion *f, int v, onnx_scores *s) {
  *s         = (onnx_scores){.scale = 1.0, .mask = -1, .shown = -1};
  s->product = find_product(f, v, &s->scale);
  return s->product != NULL || find_masked(f, ee_onnx_before_reshapes(f, v), s);
}

bool ee_onnx_mask_fits(const onnx_fusion *f, const onnx_scores *s, const ee_shape *lead) {
  int mask = s->shown >= 0 ? s->shown : s->mask;
  if (mask < 0) return true;
  const ee_shape *m = ee_onnx_shape_of(f, mask);
  if (m->rank > lead->rank + 2) return false;
  if (m->rank <= 2 || ee_shape_product(m, 0, m->rank - 2) == 1) return true;
  if (s->shape.rank != lead->rank + 2) return false;
  for (int i = 0; i < lead->rank; i++) {
    if (s->shape.dim[i] != lead->dim[i]) return false;
  }
  return true;
}

ee_status ee_onnx_make_mask(onnx_fusion *f, const onnx_scores *s, int *mask) {
  *mask = s->mask;
  if (s->shown < 0) return EE_OK;
  const onnx_value *shown = &f->g->value[s->shown];
  ee_shape          shape = shown->at[0];
  int64_t           n     = ee_shape_elements(&shape);
  float            *data  = malloc((size_t)n * sizeof *data);
  if (data == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the mask '%s'", shown->name);
  for (int64_t i = 0; i < n; i++) data[i] = shown->data[i] == 0.0F ? -FLT_MAX : 0.0F;
  return ee_onnx_constant(f->g, shown->name, &shape, data, mask);
}
