/* SPDX-License-Identifier: Apache-2.0 */
/* GELU as exports of operator sets before 20 write it out: a product, in any order, of x, 1/2 and
 * 1 + erf(x / sqrt 2) or 1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)). */
#include <string.h>

#include "onnx_fusion.h"

#define SQRT_2 1.41421356237309505
#define SQRT_2_BY_PI 0.79788456080286536
#define CUBIC 0.044715

/* The other input of the Mul that makes @p v, if one is @p number; -1: there is none. */
static int times(const onnx_fusion *f, int v, double number) {
  const ee_node *mul = ee_onnx_made_by(f, v, EE_OP_MUL);
  for (int k = 0; mul != NULL && k < 2; k++) {
    if (ee_onnx_is_number(f, mul->in[k], number)) return mul->in[1 - k];
  }
  return -1;
}

/* The other input of an Add of one, if it is made by @p act; NULL: there is none. */
static const ee_node *one_plus(const onnx_fusion *f, int v, ee_act act) {
  const ee_node *add = ee_onnx_made_by(f, v, EE_OP_ADD);
  for (int k = 0; add != NULL && k < 2; k++) {
    if (ee_onnx_is_number(f, add->in[k], 1.0))
      return ee_onnx_made_by_function(f, add->in[1 - k], act);
  }
  return NULL;
}

static bool is_exact(const onnx_fusion *f, int x, int v) {
  const ee_node *erf = one_plus(f, v, EE_ACT_ERF);
  if (erf == NULL) return false;
  const ee_node *div = ee_onnx_made_by(f, erf->in[0], EE_OP_DIV);
  if (div != NULL && div->in[0] == x) return ee_onnx_is_number(f, div->in[1], SQRT_2);
  return times(f, erf->in[0], 1.0 / SQRT_2) == x;
}

static bool is_square(const onnx_fusion *f, int v, int x) {
  const ee_node *mul = ee_onnx_made_by(f, v, EE_OP_MUL), *power = ee_onnx_made_by(f, v, EE_OP_POW);
  if (power != NULL) return power->in[0] == x && ee_onnx_is_number(f, power->in[1], 2.0);
  return mul != NULL && mul->in[0] == x && mul->in[1] == x;
}

static bool is_cube(const onnx_fusion *f, int v, int x) {
  const ee_node *mul = ee_onnx_made_by(f, v, EE_OP_MUL), *power = ee_onnx_made_by(f, v, EE_OP_POW);
  if (power != NULL) return power->in[0] == x && ee_onnx_is_number(f, power->in[1], 3.0);
  for (int k = 0; mul != NULL && k < 2; k++) {
    if (mul->in[k] == x && is_square(f, mul->in[1 - k], x)) return true;
  }
  return false;
}

static bool is_by_tanh(const onnx_fusion *f, int x, int v) {
  const ee_node *tanh = one_plus(f, v, EE_ACT_TANH);
  int            sum  = tanh != NULL ? times(f, tanh->in[0], SQRT_2_BY_PI) : -1;
  const ee_node *add  = ee_onnx_made_by(f, sum, EE_OP_ADD);
  for (int k = 0; add != NULL && k < 2; k++) {
    if (add->in[k] == x && is_cube(f, times(f, add->in[1 - k], CUBIC), x)) return true;
  }
  return false;
}

/* What the product of these three is of *x; EE_ACT_NONE: neither. */
static ee_act gelu_of(const onnx_fusion *f, const int factor[3], int *x) {
  for (int half = 0; half < 3; half++) {
    if (!ee_onnx_is_number(f, factor[half], 0.5)) continue;
    for (int other = 1; other < 3; other++) {
      int gate = factor[(half + 3 - other) % 3];
      *x       = factor[(half + other) % 3];
      if (is_exact(f, *x, gate)) return EE_ACT_GELU;
      if (is_by_tanh(f, *x, gate)) return EE_ACT_GELU_TANH;
    }
  }
  return EE_ACT_NONE;
}

ee_status ee_onnx_fuse_gelu(onnx_fusion *f, ee_node *node) {
  if (node->op != EE_OP_MUL || node->act.kind != EE_ACT_NONE) return EE_OK;
  for (int k = 0; k < 2; k++) {
    const ee_node *inner = ee_onnx_made_by(f, node->in[k], EE_OP_MUL);
    if (inner == NULL) continue;
    int     x, factor[3] = {inner->in[0], inner->in[1], node->in[1 - k]};
    ee_node with  = {.op = EE_OP_ACTIVATION, .n_in = 1};
    with.act.kind = gelu_of(f, factor, &x);
    if (with.act.kind == EE_ACT_NONE) continue;
    if (!ee_shape_equal(ee_onnx_shape_of(f, x), ee_onnx_shape_of(f, node->out))) continue;
    memcpy(with.name, node->name, sizeof with.name);
    with.in[0] = x;
    ee_onnx_replace(f, node, &with);
    return EE_OK;
  }
  return EE_OK;
}
