/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates a node of constants with the reference kernels, as a model of that node alone. */
#include <stdlib.h>
#include <string.h>

#include "ee/backend.h"
#include "onnx_graph.h"

/* A model of one node, its inputs' values first and its result's last. */
typedef struct alone {
  ee_model       model;
  ee_node        node;
  ee_value       value[EE_MAX_NODE_INPUTS + 1];
  const float   *constant[EE_MAX_NODE_INPUTS];
  ee_kernel_call call;
} alone;

static void put_alone(alone *a, const onnx_graph *g, const ee_node *node, const ee_shape *shape,
                      float *out) {
  a->node = *node;
  for (int k = 0; k < node->n_in; k++) {
    if (node->in[k] < 0) continue;
    const onnx_value *value = &g->value[node->in[k]];
    a->node.in[k]           = k;
    a->value[k] = (ee_value){.kind = EE_VALUE_CONSTANT, .shape = value->at[0], .data = value->data};
    a->constant[k]      = value->data;
    a->call.in[k]       = value->data;
    a->call.in_shape[k] = value->at[0];
  }
  a->node.out          = node->n_in;
  a->value[node->n_in] = (ee_value){.kind = EE_VALUE_ACTIVATION, .shape = *shape};
  a->model             = (ee_model){
                  .input = -1, .n_values = node->n_in + 1, .n_nodes = 1, .value = a->value, .node = &a->node};
  a->call.node      = &a->node;
  a->call.n         = 1;
  a->call.out       = out;
  a->call.out_shape = *shape;
}

static ee_status run_alone(const ee_backend *backend, alone *a) {
  void  *prepared = NULL, *scratch = NULL;
  size_t bytes =
      backend->scratch_bytes == NULL ? 0 : backend->scratch_bytes(&a->model, &a->node, 1);
  if (backend->open != NULL) EE_TRY(backend->open());
  if (bytes > 0 && posix_memalign(&scratch, 64, bytes) != 0)
    return EE_FAIL(EE_ERR_NOMEM, "for evaluating constants");

  ee_status status = EE_OK;
  if (backend->prepare != NULL)
    status = backend->prepare(&a->model, &a->node, a->constant, &prepared);
  if (status == EE_OK) {
    a->call.prepared = prepared;
    a->call.scratch  = scratch;
    backend->run(&a->call);
  }
  if (prepared != NULL) backend->release(prepared);
  free(scratch);
  return status;
}

ee_status ee_onnx_evaluate(const onnx_graph *g, const ee_node *node, const ee_shape *shape,
                           float **data) {
  alone *a = calloc(1, sizeof *a);
  *data    = malloc((size_t)ee_shape_elements(shape) * sizeof **data);
  if (a == NULL || *data == NULL) {
    free(a);
    free(*data);
    *data = NULL;
    return EE_FAIL(EE_ERR_NOMEM, "for evaluating '%s'", node->name);
  }
  put_alone(a, g, node, shape, *data);
  ee_status status = run_alone(&ee_backend_ref, a);
  free(a);
  if (status != EE_OK) {
    free(*data);
    *data = NULL;
  }
  return status;
}
