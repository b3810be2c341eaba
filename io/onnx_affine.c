/* SPDX-License-Identifier: Apache-2.0 */
/* Scales and shifts per channel, and how they go into the weights before them:
 * s (sum_k w[c,k] x[k] + b[c]) + t = sum_k (s w[c,k]) x[k] + (s b[c] + t). */
#include "onnx_affine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_constant(const onnx_graph *g, int v) {
  return v >= 0 && g->value[v].kind == EE_VALUE_CONSTANT;
}

int ee_onnx_affine_input(const onnx_graph *g, const ee_node *node) {
  switch (node->op) {
    case EE_OP_BATCH_NORM:
      return 0;
    case EE_OP_ADD:
    case EE_OP_MUL:
    case EE_OP_SUB:
      return is_constant(g, node->in[1]) ? 0 : is_constant(g, node->in[0]) ? 1 : -1;
    case EE_OP_DIV:
      return is_constant(g, node->in[1]) ? 0 : -1;
    default:
      return -1;
  }
}

bool ee_onnx_affine_fits(const onnx_graph *g, const ee_node *node, int x, int64_t n) {
  if (node->op == EE_OP_BATCH_NORM) return true;  // shapes were checked when it was read
  const ee_shape *a = &g->value[node->in[x]].at[0], *c = &g->value[node->in[1 - x]].at[0];
  int             missing = a->rank - c->rank;
  if (missing < 0) return false;
  for (int i = 0; i < c->rank; i++) {
    if (c->dim[i] != 1 && (i + missing != 1 || c->dim[i] != n)) return false;
  }
  return true;
}

static void batch_norm_affine(const onnx_graph *g, const ee_node *node, onnx_affine *a) {
  const float *scale = g->value[node->in[1]].data, *bias = g->value[node->in[2]].data;
  const float *mean = g->value[node->in[3]].data, *var = g->value[node->in[4]].data;
  for (int64_t c = 0; c < a->n; c++) {
    a->scale[c] = scale[c] / sqrt((double)var[c] + (double)node->attr.batch_norm.epsilon);
    a->shift[c] = bias[c] - a->scale[c] * mean[c];
  }
}

static void elementwise_affine(const onnx_graph *g, const ee_node *node, int x, onnx_affine *a) {
  const onnx_value *value = &g->value[node->in[1 - x]];
  int64_t           step  = ee_shape_elements(&value->at[0]) > 1;
  for (int64_t c = 0; c < a->n; c++) {
    double k    = (double)value->data[c * step];
    a->scale[c] = 1.0;
    a->shift[c] = 0.0;
    switch (node->op) {
      case EE_OP_ADD:
        a->shift[c] = k;
        break;
      case EE_OP_MUL:
        a->scale[c] = k;
        break;
      case EE_OP_DIV:
        a->scale[c] = 1.0 / k;
        break;
      default:  // Sub, either way round
        a->scale[c] = x == 0 ? 1.0 : -1.0;
        a->shift[c] = x == 0 ? -k : k;
    }
  }
}

ee_status ee_onnx_affine_of(const onnx_graph *g, const ee_node *node, int x, int64_t n,
                            onnx_affine *affine) {
  double *both = calloc(2 * (size_t)n, sizeof *both);
  if (both == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld channels", (long long)n);
  *affine = (onnx_affine){.n = n, .scale = both, .shift = both + n};
  if (node->op == EE_OP_BATCH_NORM)
    batch_norm_affine(g, node, affine);
  else
    elementwise_affine(g, node, x, affine);
  return EE_OK;
}

void ee_onnx_affine_free(onnx_affine *affine) {
  free(affine->scale);
  *affine = (onnx_affine){0};
}

int64_t ee_onnx_foldable_channels(const onnx_graph *g, const ee_node *node) {
  if ((node->op != EE_OP_CONV && node->op != EE_OP_GEMM) || !is_constant(g, node->in[1])) return 0;
  int64_t n = g->value[node->out].at[0].dim[1];
  if (node->in[2] < 0) return n;
  const ee_shape *bias = &g->value[node->in[2]].at[0];
  int64_t         size = ee_shape_elements(bias);
  bool            row  = bias->rank == 0 || bias->dim[bias->rank - 1] == size;
  return is_constant(g, node->in[2]) && row && (size == n || size == 1) ? n : 0;
}

ee_status ee_onnx_own_bias(onnx_graph *g, ee_node *node, int64_t n) {
  float *bias = calloc((size_t)n, sizeof *bias);
  if (bias == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a bias of %lld numbers", (long long)n);
  if (node->in[2] >= 0) {
    const onnx_value *old  = &g->value[node->in[2]];
    int64_t           step = ee_shape_elements(&old->at[0]) > 1;
    float             beta = node->op == EE_OP_GEMM ? node->attr.gemm.beta : 1.0f;
    for (int64_t c = 0; c < n; c++) bias[c] = beta * old->data[c * step];
  }
  if (node->op == EE_OP_GEMM) node->attr.gemm.beta = 1.0f;
  ee_shape shape = {.rank = 1, .dim = {n}};
  char     name[EE_NAME_BYTES + 8];
  snprintf(name, sizeof name, "%s.bias", node->name);
  return ee_onnx_constant(g, name, &shape, bias, &node->in[2]);
}

/* Weights are [channels, rest], or [rest, channels] for a Gemm that is not transposed. */
void ee_onnx_apply_affine(onnx_graph *g, const ee_node *node, const onnx_affine *affine) {
  onnx_value *weight = &g->value[node->in[1]];
  float      *bias   = g->value[node->in[2]].data;
  int64_t     n = affine->n, rest = ee_shape_elements(&weight->at[0]) / n;
  bool        last = node->op == EE_OP_GEMM && !node->attr.gemm.trans_b;
  for (int64_t i = 0; i < n * rest; i++) {
    int64_t c       = last ? i % n : i / rest;
    weight->data[i] = (float)(weight->data[i] * affine->scale[c]);
  }
  for (int64_t c = 0; c < n; c++) bias[c] = (float)(bias[c] * affine->scale[c] + affine->shift[c]);
}

float *ee_onnx_copy_floats(const onnx_value *value) {
  size_t bytes = (size_t)ee_shape_elements(&value->at[0]) * sizeof *value->data;
  float *copy  = malloc(bytes);
  if (copy != NULL) memcpy(copy, value->data, bytes);
  return copy;
}
