/* SPDX-License-Identifier: Apache-2.0 */
/* The backend `int8`: nodes that have scales, with inputs and weights of 8 bits.  Values between
 * nodes stay float32, in the forms of `simd`, which runs the other nodes. */
#include <stdio.h>
#include <stdlib.h>

#include "ee/backend.h"
#include "ee/quantization.h"
#include "int8_conv.h"
#include "int8_kernels.h"
#include "int8_linear.h"
#include "memory.h"

static bool is_conv(const ee_node *node) {
  return node->op == EE_OP_CONV;
}

static void int8_describe(char *text, size_t size) {
  char simd[96];
  ee_backend_simd.describe(simd, sizeof simd);
  snprintf(text, size, "8-bit kernels for %s; in float32 %s", ee_int8_kernels_get()->name, simd);
}

bool ee_quantization_fits(const ee_model *model, const ee_node *node) {
  switch (node->op) {
    case EE_OP_CONV:
      return ee_int8_conv_can(model, node);
    case EE_OP_GEMM:
    case EE_OP_MATMUL:
      return ee_int8_linear_can(model, node);
    default:
      return false;
  }
}

static bool int8_can(const ee_model *model, const ee_node *node) {
  return node->quant.scale > 0.0F && ee_quantization_fits(model, node);
}

static ee_form int8_form(const ee_model *model, const ee_node *node) {
  (void)model;
  return is_conv(node) ? EE_PIXELS : EE_DENSE;
}

static bool int8_can_add(const ee_model *model, const ee_node *node) {
  (void)model;
  (void)node;
  return true;
}

/* An element of the residual is read right before its sum is written. */
static bool int8_over(const ee_model *model, const ee_node *node, int i) {
  (void)model;
  return is_conv(node) && i == EE_RESIDUAL;
}

static size_t int8_prepared_bytes(const ee_model *model, const ee_node *node) {
  return is_conv(node) ? ee_int8_conv_prepared_bytes(model, node)
                       : ee_int8_linear_prepared_bytes(model, node);
}

static size_t int8_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  return is_conv(node) ? ee_int8_conv_scratch_bytes(model, node, n)
                       : ee_int8_linear_scratch_bytes(model, node, n);
}

static void int8_release(void *prepared) {
  free(prepared);
}

static ee_status int8_prepare(const ee_model *model, const ee_node *node,
                              const float *const constant[EE_MAX_NODE_INPUTS], void **prepared) {
  size_t bytes  = int8_prepared_bytes(model, node);
  void  *packed = ee_memory_take(bytes);
  if (packed == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %zu bytes of weights of 8 bits of node %s", bytes,
                   node->name);
  }
  ee_status status = is_conv(node) ? ee_int8_conv_prepare(model, node, constant, packed)
                                   : ee_int8_linear_prepare(model, node, constant, packed);
  if (status == EE_OK) {
    *prepared = packed;
  } else {
    int8_release(packed);
  }
  return status;
}

static void int8_run(const ee_kernel_call *call) {
  if (is_conv(call->node)) {
    ee_int8_conv_run(call);
  } else {
    ee_int8_linear_run(call);
  }
}

static ee_status int8_open(void) {
  return ee_backend_simd.open();
}

const ee_backend ee_backend_int8 = {
    .name           = "int8",
    .open           = int8_open,
    .can            = int8_can,
    .takes          = int8_form,
    .gives          = int8_form,
    .can_add        = int8_can_add,
    .over           = int8_over,
    .prepare        = int8_prepare,
    .release        = int8_release,
    .prepared_bytes = int8_prepared_bytes,
    .scratch_bytes  = int8_scratch_bytes,
    .run            = int8_run,
    .describe       = int8_describe,
    .vectors        = ee_simd_kernels_level,
};
