/* SPDX-License-Identifier: Apache-2.0 */
/* The backend `ref`: plain loops for every operator; what the other backends are checked against
 * and what runs the nodes they leave. */
#include "ref.h"

#include "activation.h"

typedef void (*ref_fn)(const ee_kernel_call *call);

static const ref_fn run_of_op[EE_OP_COUNT] = {
    [EE_OP_CONV]                = ee_ref_conv,
    [EE_OP_GEMM]                = ee_ref_gemm,
    [EE_OP_MATMUL]              = ee_ref_matmul,
    [EE_OP_BATCH_NORM]          = ee_ref_batch_norm,
    [EE_OP_MAX_POOL]            = ee_ref_max_pool,
    [EE_OP_AVERAGE_POOL]        = ee_ref_average_pool,
    [EE_OP_GLOBAL_AVERAGE_POOL] = ee_ref_global_average_pool,
    [EE_OP_ADD]                 = ee_ref_add,
    [EE_OP_MUL]                 = ee_ref_mul,
    [EE_OP_SUB]                 = ee_ref_sub,
    [EE_OP_DIV]                 = ee_ref_div,
    [EE_OP_CONCAT]              = ee_ref_concat,
    [EE_OP_RESHAPE]             = ee_ref_reshape,
    [EE_OP_TRANSPOSE]           = ee_ref_transpose,
    [EE_OP_SOFTMAX]             = ee_ref_softmax,
    [EE_OP_LOG_SOFTMAX]         = ee_ref_log_softmax,
    [EE_OP_PAD]                 = ee_ref_pad,
    [EE_OP_REDUCE_MEAN]         = ee_ref_reduce_mean,
    [EE_OP_POW]                 = ee_ref_pow,
    [EE_OP_SLICE]               = ee_ref_slice,
    [EE_OP_GATHER]              = ee_ref_gather,
    [EE_OP_LAYER_NORM]          = ee_ref_layer_norm,
    [EE_OP_ATTENTION]           = ee_ref_attention,
};

static bool ref_can(const ee_model *model, const ee_node *node) {
  (void)model;
  return node->op >= 0 && node->op < EE_OP_COUNT;
}

static size_t ref_prepared_bytes(const ee_model *model, const ee_node *node) {
  (void)model, (void)node;
  return 0;
}

static size_t ref_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  (void)n;  // one row at a time
  return node->op == EE_OP_ATTENTION ? ee_ref_attention_scratch(model, node) : 0;
}

static void ref_run(const ee_kernel_call *call) {
  const ee_activation *act      = &call->act;
  int64_t              elements = ee_shape_elements(&call->out_shape);
  if (call->node->op == EE_OP_ACTIVATION) {
    ee_act_apply(act, call->in[0], call->out, elements);
    return;
  }
  run_of_op[call->node->op](call);
  ee_act_apply(act, call->out, call->out, elements);
}

const ee_backend ee_backend_ref = {
    .name           = "ref",
    .can            = ref_can,
    .prepared_bytes = ref_prepared_bytes,
    .scratch_bytes  = ref_scratch_bytes,
    .run            = ref_run,
};
