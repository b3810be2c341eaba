/* SPDX-License-Identifier: Apache-2.0 */
#include "fallback.h"

#include "ee/log.h"

/* Operators that take nearly all of a network's time. */
static bool is_heavy(const ee_node *node) {
  return node->op == EE_OP_CONV || node->op == EE_OP_GEMM || node->op == EE_OP_MATMUL ||
         node->op == EE_OP_ATTENTION;
}

void ee_say_fallback(const ee_model *model, const ee_backend *backend) {
  static bool       said  = false;
  const ee_node    *first = NULL;
  const ee_backend *to    = NULL;
  int               heavy = 0;
  if (said) return;
  said = true;
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node    *node   = &model->node[k];
    const ee_backend *runner = ee_backend_for(backend, model, node);
    if (runner == backend) continue;
    ee_log(EE_LOG_DEBUG, "%s '%s' runs on %s", ee_op_name(node->op), node->name, runner->name);
    if (!is_heavy(node) || heavy++ > 0) continue;
    first = node;
    to    = runner;
  }
  if (heavy == 0) return;
  ee_log(EE_LOG_INFO,
         "backend %s cannot run %d of the convolutions and products; the first is %s '%s', which "
         "runs on %s",
         backend->name, heavy, ee_op_name(first->op), first->name, to->name);
}
