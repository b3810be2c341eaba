/* SPDX-License-Identifier: Apache-2.0 */
#include "fallback.h"

#include <stdio.h>
#include <string.h>

#include "ee/log.h"
#include "ee/quantization.h"

#define LIST_BYTES 512  // of all operators with their numbers and backends

/* Nodes of one operator that fall. */
typedef struct fallen {
  int               n;
  const ee_backend *to;  // who runs the first of them
} fallen;

/* Whether @p op takes time that kernels could save; the others only move or rename numbers. */
static bool computes(ee_op op) {
  switch (op) {
    case EE_OP_RESHAPE:
    case EE_OP_TRANSPOSE:
    case EE_OP_CONCAT:
    case EE_OP_SLICE:
    case EE_OP_GATHER:
    case EE_OP_PAD:
      return false;
    default:
      return true;
  }
}

/* What int8 does not run because nobody ever quantises it is no surprise. */
static bool is_expected(const ee_backend *backend, ee_op op) {
  bool multiplies = op == EE_OP_CONV || op == EE_OP_GEMM || op == EE_OP_MATMUL;
  return !computes(op) || (backend == &ee_backend_int8 && !multiplies);
}

static void count_fallen(const ee_model *model, const ee_backend *backend, fallen of[EE_OP_COUNT]) {
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node    *node   = &model->node[k];
    const ee_backend *runner = ee_backend_for(backend, model, node);
    if (runner == backend) continue;
    ee_log(EE_LOG_DEBUG, "%s '%s' runs on %s", ee_op_name(node->op), node->name, runner->name);
    if (is_expected(backend, node->op)) continue;
    if (of[node->op].n++ == 0) of[node->op].to = runner;
  }
}

void ee_say_fallback(const ee_model *model, const ee_backend *backend) {
  static const ee_backend *said;
  fallen                   of[EE_OP_COUNT]  = {{0}};
  char                     list[LIST_BYTES] = "";
  if (said == backend) return;
  said = backend;
  if (backend == &ee_backend_int8 && ee_quantization_count(model) == 0) {
    ee_log(EE_LOG_INFO,
           "model %s has no scales, so backend int8 runs none of its nodes: all are in float32; "
           "'edgeexit quantize' makes them",
           model->name);
    return;
  }
  count_fallen(model, backend, of);
  for (int op = 0; op < EE_OP_COUNT; op++) {
    size_t at = strlen(list);
    if (of[op].n == 0) continue;
    snprintf(list + at, sizeof list - at, "%s%d %s on %s", at > 0 ? ", " : "", of[op].n,
             ee_op_name((ee_op)op), of[op].to->name);
  }
  if (list[0] == '\0') return;
  ee_log(EE_LOG_INFO, "backend %s cannot run all nodes; others run %s", backend->name, list);
}
