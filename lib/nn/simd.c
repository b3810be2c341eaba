/* SPDX-License-Identifier: Apache-2.0 */
/* The backend `simd`: our own kernels, on pixels where a node has pixels. */
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "simd_batch_norm.h"
#include "simd_broadcast.h"
#include "simd_choice.h"
#include "simd_concat.h"
#include "simd_conv.h"
#include "simd_crop.h"
#include "simd_depthwise.h"
#include "simd_elementwise.h"
#include "simd_kernels.h"
#include "simd_linear.h"
#include "simd_matmul.h"
#include "simd_mean.h"
#include "simd_pool.h"
#include "simd_rows.h"
#include "simd_tokens.h"
#include "simd_transpose.h"
#include "simd_winograd.h"

/* What the backend knows of one operator. */
typedef struct simd_op {
  bool (*can)(const ee_model *model, const ee_node *node);
  size_t (*prepared_bytes)(const ee_model *model, const ee_node *node);
  void (*prepare)(const ee_model *model, const ee_node *node,
                  const float *const constant[EE_MAX_NODE_INPUTS], float *packed);
  ee_status (*check)(const ee_model *model, const ee_node *node,  // after prepare; NULL: none
                     const float *const constant[EE_MAX_NODE_INPUTS], float *packed);
  size_t (*scratch_bytes)(const ee_model *model, const ee_node *node, int64_t n);
  void (*run)(const ee_kernel_call *call);
  ee_form takes, gives;
  bool    can_add;
  bool (*over)(const ee_model *model, const ee_node *node, int i);  // NULL: never
  /* Its name, by packed weights if there are any; NULL: there is but one. */
  const char *(*kernel)(const ee_model *model, const ee_node *node, const float *packed);
} simd_op;

static const simd_op conv = {.can            = ee_simd_conv_can,
                             .prepared_bytes = ee_simd_conv_prepared_bytes,
                             .prepare        = ee_simd_conv_prepare,
                             .run            = ee_simd_conv_run,
                             .kernel         = ee_simd_conv_kernel,
                             .takes          = EE_PIXELS,
                             .gives          = EE_PIXELS,
                             .can_add        = true,
                             .over           = ee_simd_conv_over};

static const simd_op winograd = {.can            = ee_simd_winograd_can,
                                 .prepared_bytes = ee_simd_winograd_prepared_bytes,
                                 .prepare        = ee_simd_winograd_prepare,
                                 .check          = ee_simd_winograd_check,
                                 .scratch_bytes  = ee_simd_winograd_scratch_bytes,
                                 .run            = ee_simd_winograd_run,
                                 .kernel         = ee_simd_winograd_kernel,
                                 .takes          = EE_PIXELS,
                                 .gives          = EE_PIXELS,
                                 .can_add        = true,
                                 .over           = ee_simd_conv_over};

static const simd_op linear = {.can            = ee_simd_linear_can,
                               .prepared_bytes = ee_simd_linear_prepared_bytes,
                               .prepare        = ee_simd_linear_prepare,
                               .scratch_bytes  = ee_simd_linear_scratch_bytes,
                               .run            = ee_simd_linear_run,
                               .kernel         = ee_simd_linear_kernel,
                               .can_add        = true};

static const simd_op matmul = {.can           = ee_simd_matmul_can,
                               .scratch_bytes = ee_simd_matmul_scratch_bytes,
                               .run           = ee_simd_matmul_run};

static const simd_op depthwise = {.can            = ee_simd_depthwise_can,
                                  .prepared_bytes = ee_simd_depthwise_prepared_bytes,
                                  .prepare        = ee_simd_depthwise_prepare,
                                  .run            = ee_simd_depthwise_run,
                                  .takes          = EE_PIXELS,
                                  .gives          = EE_PIXELS};

static const simd_op batch_norm = {.can            = ee_simd_batch_norm_can,
                                   .prepared_bytes = ee_simd_batch_norm_prepared_bytes,
                                   .prepare        = ee_simd_batch_norm_prepare,
                                   .run            = ee_simd_batch_norm_run,
                                   .over           = ee_simd_over_first,
                                   .takes          = EE_PIXELS,
                                   .gives          = EE_PIXELS};

static const simd_op pool = {
    .can = ee_simd_pool_can, .run = ee_simd_pool_run, .takes = EE_PIXELS, .gives = EE_PIXELS};

static const simd_op mean = {.can = ee_simd_mean_can, .run = ee_simd_mean_run, .takes = EE_PIXELS};

static const simd_op binary = {.can   = ee_simd_binary_can,
                               .run   = ee_simd_binary_run,
                               .over  = ee_simd_over_same,
                               .takes = EE_EITHER,
                               .gives = EE_EITHER};

static const simd_op spread = {.can   = ee_simd_spread_can,
                               .run   = ee_simd_binary_run,
                               .over  = ee_simd_over_same,
                               .takes = EE_PIXELS,
                               .gives = EE_PIXELS};

static const simd_op broadcast = {
    .can = ee_simd_broadcast_can, .run = ee_simd_broadcast_run, .over = ee_simd_over_same};

static const simd_op activation = {.can   = ee_simd_activation_can,
                                   .run   = ee_simd_activation_run,
                                   .over  = ee_simd_over_first,
                                   .takes = EE_EITHER,
                                   .gives = EE_EITHER};

static const simd_op concat = {
    .can = ee_simd_concat_can, .run = ee_simd_concat_run, .takes = EE_EITHER, .gives = EE_EITHER};

static const simd_op crop = {
    .can = ee_simd_crop_can, .run = ee_simd_crop_run, .takes = EE_EITHER, .gives = EE_EITHER};

static const simd_op attention = {.can           = ee_simd_attention_can,
                                  .scratch_bytes = ee_simd_attention_scratch_bytes,
                                  .run           = ee_simd_attention_run};

static const simd_op layer_norm = {.can = ee_simd_layer_norm_can, .run = ee_simd_layer_norm_run};

static const simd_op transpose = {.can = ee_simd_transpose_can, .run = ee_simd_transpose_run};

static const simd_op row_mean = {.can = ee_simd_row_mean_can, .run = ee_simd_row_mean_run};

static const simd_op softmax = {.can = ee_simd_softmax_can, .run = ee_simd_softmax_run};

/* Ways to run an operator, the first that can is taken. */
static const simd_op *const ways[EE_OP_COUNT][4] = {
    [EE_OP_CONV]                = {&winograd, &conv, &depthwise},
    [EE_OP_GEMM]                = {&linear},
    [EE_OP_MATMUL]              = {&linear, &matmul},
    [EE_OP_BATCH_NORM]          = {&batch_norm},
    [EE_OP_ACTIVATION]          = {&activation},
    [EE_OP_MAX_POOL]            = {&pool},
    [EE_OP_AVERAGE_POOL]        = {&pool},
    [EE_OP_GLOBAL_AVERAGE_POOL] = {&mean},
    [EE_OP_REDUCE_MEAN]         = {&mean, &row_mean},
    [EE_OP_ADD]                 = {&binary, &spread, &broadcast},
    [EE_OP_SUB]                 = {&binary, &spread, &broadcast},
    [EE_OP_MUL]                 = {&binary, &spread, &broadcast},
    [EE_OP_DIV]                 = {&binary, &spread, &broadcast},
    [EE_OP_CONCAT]              = {&concat},
    [EE_OP_SLICE]               = {&crop},
    [EE_OP_ATTENTION]           = {&attention},
    [EE_OP_LAYER_NORM]          = {&layer_norm},
    [EE_OP_TRANSPOSE]           = {&transpose},
    [EE_OP_SOFTMAX]             = {&softmax},
};

static bool has_its_forms(const simd_op *way, const ee_model *model, const ee_node *node) {
  return (way->takes != EE_PIXELS || ee_simd_has_pixels(model, node->in[0])) &&
         (way->gives != EE_PIXELS || ee_simd_has_pixels(model, node->out));
}

static const simd_op *way_of(const ee_model *model, const ee_node *node) {
  for (const simd_op *const *way = ways[node->op]; *way != NULL; way++) {
    if (has_its_forms(*way, model, node) && (*way)->can(model, node)) return *way;
  }
  return NULL;
}

/* The environment may ask for lesser vectors, once. */
static ee_status simd_open(void) {
  static bool open;
  const char *asked = getenv("EE_SIMD");
  if (open) return EE_OK;
  if (asked != NULL && asked[0] == '\0') asked = NULL;
  if (ee_simd_kernels_use(asked) != EE_OK) {
    return EE_FAIL(EE_ERR_USAGE,
                   "the environment's EE_SIMD is %s; expected avx512, avx2 or base, as far as this "
                   "processor has them",
                   asked);
  }
  open = true;
  return EE_OK;
}

static void simd_describe(char *text, size_t size) {
  const ee_simd_kernels *k = ee_simd_kernels_get();
  snprintf(text, size, "our own kernels for %s, %d floats in a vector", k->name, k->lanes);
}

static bool simd_can(const ee_model *model, const ee_node *node) {
  return way_of(model, node) != NULL;
}

static ee_form simd_takes(const ee_model *model, const ee_node *node) {
  return way_of(model, node)->takes;
}

static ee_form simd_gives(const ee_model *model, const ee_node *node) {
  return way_of(model, node)->gives;
}

static bool simd_can_add(const ee_model *model, const ee_node *node) {
  return way_of(model, node)->can_add;
}

static bool simd_over(const ee_model *model, const ee_node *node, int i) {
  const simd_op *way = way_of(model, node);
  return way->over != NULL && way->over(model, node, i);
}

static const char *simd_kernel(const ee_model *model, const ee_node *node, int64_t n,
                               const void *prepared) {
  (void)n;
  const simd_op *way = way_of(model, node);
  return way->kernel != NULL ? way->kernel(model, node, prepared) : NULL;
}

static ee_method simd_way(const ee_model *model, const ee_node *node) {
  if (way_of(model, node) != &winograd) return EE_METHOD_BY_RULE;
  bool small = ee_simd_conv_way_of(model, node) == EE_SIMD_WINOGRAD_2;
  return small ? EE_METHOD_WINOGRAD_2 : EE_METHOD_WINOGRAD_4;
}

static size_t simd_prepared_bytes(const ee_model *model, const ee_node *node) {
  const simd_op *way = way_of(model, node);
  return way->prepared_bytes != NULL ? way->prepared_bytes(model, node) : 0;
}

static size_t simd_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  const simd_op *way = way_of(model, node);
  return way->scratch_bytes != NULL ? way->scratch_bytes(model, node, n) : 0;
}

static ee_status simd_prepare(const ee_model *model, const ee_node *node,
                              const float *const constant[EE_MAX_NODE_INPUTS], void **prepared) {
  const simd_op *way = way_of(model, node);
  if (way->prepare == NULL) return EE_OK;
  size_t bytes = way->prepared_bytes(model, node);
  *prepared    = ee_memory_take(bytes);
  if (*prepared == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %zu bytes of packed weights of node %s", bytes, node->name);
  }
  way->prepare(model, node, constant, *prepared);
  ee_status status = way->check != NULL ? way->check(model, node, constant, *prepared) : EE_OK;
  if (status == EE_OK) return EE_OK;
  free(*prepared);
  *prepared = NULL;
  return status;
}

static void simd_release(void *prepared) {
  free(prepared);
}

static void simd_run(const ee_kernel_call *call) {
  way_of(call->model, call->node)->run(call);
}

const ee_backend ee_backend_simd = {
    .name           = "simd",
    .open           = simd_open,
    .can            = simd_can,
    .takes          = simd_takes,
    .gives          = simd_gives,
    .can_add        = simd_can_add,
    .over           = simd_over,
    .prepare        = simd_prepare,
    .release        = simd_release,
    .prepared_bytes = simd_prepared_bytes,
    .scratch_bytes  = simd_scratch_bytes,
    .run            = simd_run,
    .describe       = simd_describe,
    .vectors        = ee_simd_kernels_level,
    .kernel         = simd_kernel,
    .way            = simd_way,
};
