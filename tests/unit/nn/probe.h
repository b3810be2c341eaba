/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exec.h"
#include "ee_test.h"
#include "graph_maker.h"

/**
 * @file probe.h
 * A backend for tests that runs the nodes of graph_maker.h one sample at a time and watches how it
 * is called; and the oracle: the whole graph, every value in memory of its own.
 */

static int  probe_prepared, probe_runs, probe_fail_at = -1;
static bool probe_refuses_add;

static inline void naive_conv(const float *x, const float *w, const ee_shape *shape, float *y) {
  int c = (int)shape->dim[1], h = (int)shape->dim[2], width = (int)shape->dim[3];
  for (int o = 0; o < c; o++) {
    for (int i = 0; i < h * width; i++) {
      float sum = 0.0f;
      for (int k = 0; k < c * 9; k++) {
        int row = i / width + k % 9 / 3 - 1, col = i % width + k % 3 - 1;
        if (row < 0 || row >= h || col < 0 || col >= width) continue;
        sum += w[o * c * 9 + k] * x[(k / 9 * h + row) * width + col];
      }
      y[o * h * width + i] = sum;
    }
  }
}

static inline void naive_gemm(const float *x, const float *w, const float *b, int64_t k, int64_t n,
                              float *y) {
  for (int64_t j = 0; j < n; j++) {
    y[j] = b[j];
    for (int64_t i = 0; i < k; i++) y[j] += x[i] * w[i * n + j];
  }
}

/* One sample of one node; shapes are of one sample. */
static inline void naive_node(const ee_node *node, const float *const in[], const ee_shape *x_shape,
                              const ee_shape *shape, float *y) {
  int64_t n = ee_shape_elements(shape);
  if (node->op == EE_OP_CONV) naive_conv(in[0], in[1], shape, y);
  if (node->op == EE_OP_GEMM) naive_gemm(in[0], in[1], in[2], x_shape->dim[1], n, y);
  for (int64_t i = 0; i < n; i++) {
    if (node->op == EE_OP_ACTIVATION) y[i] = in[0][i] > 0.0f ? in[0][i] : 0.0f;
    if (node->op == EE_OP_ADD) y[i] = in[0][i] + in[1][i];
    if (node->op == EE_OP_RESHAPE) y[i] = in[0][i];
  }
}

/* Every value of the model for @p n samples; value[v] has shape [n, elements]; constants are the
 * model's.  Free with naive_free(). */
static inline float **naive_run(const ee_model *m, const float *input, int n) {
  float **value = calloc((size_t)m->n_values, sizeof *value);
  if (value == NULL) abort();
  for (int v = 0; v < m->n_values; v++) {
    int64_t size = ee_model_value_elements(m, v);
    if (m->value[v].kind == EE_VALUE_CONSTANT) continue;
    value[v] = calloc((size_t)(size * n), sizeof(float));
    if (value[v] == NULL) abort();
    if (v == m->input) memcpy(value[v], input, (size_t)(size * n) * sizeof(float));
  }
  for (int k = 0; k < m->n_nodes * n; k++) {
    const ee_node *node                   = &m->node[k / n];
    const float   *in[EE_MAX_NODE_INPUTS] = {NULL};
    for (int i = 0; i < node->n_in; i++) {
      int v = node->in[i];
      in[i] =
          value[v] == NULL ? m->value[v].data : value[v] + ee_model_value_elements(m, v) * (k % n);
    }
    const ee_shape *shape = &m->value[node->out].shape;
    naive_node(node, in, &m->value[node->in[0]].shape, shape,
               value[node->out] + ee_shape_elements(shape) * (k % n));
  }
  return value;
}

static inline void naive_free(const ee_model *m, float **value) {
  for (int v = 0; v < m->n_values; v++) free(value[v]);
  free(value);
}

static inline bool probe_can(const ee_model *model, const ee_node *node) {
  (void)model;
  return !(probe_refuses_add && node->op == EE_OP_ADD);
}

/* Keeps a copy of the weights, to see later that it is handed back with them. */
static inline ee_status probe_prepare(const ee_model *model, const ee_node *node,
                                      const float *const constant[EE_MAX_NODE_INPUTS],
                                      void             **prepared) {
  if (node->n_in < 2 || constant[1] == NULL) return EE_OK;
  if (probe_prepared == probe_fail_at) return EE_FAIL(EE_ERR_NOMEM, "as the test wanted");
  size_t bytes = (size_t)ee_model_value_elements(model, node->in[1]) * sizeof(float);
  *prepared    = malloc(bytes);
  if (*prepared == NULL) abort();
  memcpy(*prepared, constant[1], bytes);
  CU_ASSERT_PTR_NULL(constant[0]);
  probe_prepared++;
  return EE_OK;
}

static inline void probe_release(void *prepared) {
  free(prepared);
  probe_prepared--;
}

static inline size_t probe_prepared_bytes(const ee_model *model, const ee_node *node) {
  return (size_t)ee_model_value_elements(model, node->in[1]) * sizeof(float);
}

static inline size_t probe_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  (void)model;
  return (size_t)n * (node->op == EE_OP_CONV ? 100 : 10);
}

static inline bool overlap(const float *a, int64_t n_a, const float *b, int64_t n_b) {
  return (uintptr_t)a < (uintptr_t)(b + n_b) && (uintptr_t)b < (uintptr_t)(a + n_a);
}

static inline void probe_check_call(const ee_kernel_call *call) {
  int64_t out = ee_shape_elements(&call->out_shape);
  CU_ASSERT_EQUAL((uintptr_t)call->scratch % 64, 0);
  CU_ASSERT_EQUAL((uintptr_t)call->out % 64, 0);
  CU_ASSERT_EQUAL(call->out_shape.dim[0], call->n);
  for (int i = 0; i < call->node->n_in; i++) {
    bool constant = i > 0 && call->node->op != EE_OP_ADD;
    if (!constant) CU_ASSERT_EQUAL(call->in_shape[i].dim[0], call->n);
    int64_t in = ee_shape_elements(&call->in_shape[i]);
    CU_ASSERT_FALSE(overlap(call->in[i], in, call->out, out));
  }
  if (call->prepared == NULL) return;
  CU_ASSERT_TRUE(call->node->op == EE_OP_CONV || call->node->op == EE_OP_GEMM);
  size_t bytes = (size_t)ee_shape_elements(&call->in_shape[1]) * sizeof(float);
  CU_ASSERT_EQUAL(memcmp(call->prepared, call->in[1], bytes), 0);
}

static inline void probe_run(const ee_kernel_call *call) {
  probe_check_call(call);
  memset(call->scratch, 0xa5, probe_scratch_bytes(NULL, call->node, call->n));
  ee_shape shape = call->out_shape, x_shape = call->in_shape[0];
  shape.dim[0] = x_shape.dim[0] = 1;
  for (int64_t s = 0; s < call->n; s++) {
    const float *in[3] = {call->in[0] + s * ee_shape_elements(&x_shape), call->in[1], call->in[2]};
    if (call->node->op == EE_OP_ADD) in[1] += s * ee_shape_elements(&shape);
    naive_node(call->node, in, &x_shape, &shape, call->out + s * ee_shape_elements(&shape));
  }
  probe_runs++;
}

static const ee_backend probe = {
    .name           = "probe",
    .can            = probe_can,
    .prepare        = probe_prepare,
    .release        = probe_release,
    .prepared_bytes = probe_prepared_bytes,
    .scratch_bytes  = probe_scratch_bytes,
    .run            = probe_run,
};
