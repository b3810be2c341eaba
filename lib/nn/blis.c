/* SPDX-License-Identifier: Apache-2.0 */
/* The backend `blis`: convolutions and products with constant weights through BLIS's micro-kernel,
 * on any processor that BLIS knows.  Weights are packed once, activations a block at a time. */
#include <stdlib.h>

#include "blis_conv.h"
#include "blis_gemm.h"
#include "blis_kernel.h"
#include "memory.h"

static bool blis_can(const ee_model *model, const ee_node *node) {
  if (ee_blis_open() != EE_OK) return false;
  switch (node->op) {
    case EE_OP_CONV:
      return ee_blis_conv_can(model, node);
    case EE_OP_GEMM:
    case EE_OP_MATMUL:
      return ee_blis_gemm_can(model, node);
    default:
      return false;
  }
}

static size_t blis_prepared_bytes(const ee_model *model, const ee_node *node) {
  return node->op == EE_OP_CONV ? ee_blis_conv_prepared_bytes(model, node)
                                : ee_blis_gemm_prepared_bytes(model, node);
}

static size_t blis_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  return node->op == EE_OP_CONV ? ee_blis_conv_scratch_bytes(model, node, n)
                                : ee_blis_gemm_scratch_bytes(model, node, n);
}

static ee_status blis_prepare(const ee_model *model, const ee_node *node,
                              const float *const constant[EE_MAX_NODE_INPUTS], void **prepared) {
  size_t bytes = blis_prepared_bytes(model, node);
  *prepared    = ee_memory_take(bytes);
  if (*prepared == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %zu bytes of packed weights of node %s", bytes, node->name);
  }
  if (node->op == EE_OP_CONV) {
    ee_blis_conv_prepare(model, node, constant, *prepared);
  } else {
    ee_blis_gemm_prepare(model, node, constant, *prepared);
  }
  return EE_OK;
}

static void blis_release(void *prepared) {
  free(prepared);
}

static void blis_run(const ee_kernel_call *call) {
  if (call->node->op == EE_OP_CONV) {
    ee_blis_conv_run(call);
  } else {
    ee_blis_gemm_run(call);
  }
}

const ee_backend ee_backend_blis = {
    .name           = "blis",
    .open           = ee_blis_open,
    .can            = blis_can,
    .prepare        = blis_prepare,
    .release        = blis_release,
    .prepared_bytes = blis_prepared_bytes,
    .scratch_bytes  = blis_scratch_bytes,
    .run            = blis_run,
    .describe       = ee_blis_describe,
};
