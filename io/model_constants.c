/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for numbers among a model's constants that would spoil every answer. */
#include "model_constants.h"

#include <math.h>
#include <string.h>

#include "model_format.h"

#define BLOCK 4096            // elements that are looked at together
#define EXPONENT 0x7F800000U  // all ones in what is not finite

/* Without a branch for each element: this goes over all weights whenever they are read. */
static bool all_finite(const float *x, int64_t n) {
  uint32_t odd = 0;
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    odd |= (bits & EXPONENT) == EXPONENT;
  }
  return odd == 0;
}

/* The first element from @p i on that is not finite; @p n if there is none. */
static int64_t next_odd(const float *x, int64_t i, int64_t n) {
  while (i < n) {
    int64_t block = n - i < BLOCK ? n - i : BLOCK;
    if (all_finite(x + i, block)) {
      i += block;
      continue;
    }
    while (isfinite(x[i])) i++;
    return i;
  }
  return n;
}

static bool is_weighted(ee_op op) {
  return op == EE_OP_CONV || op == EE_OP_GEMM || op == EE_OP_MATMUL || op == EE_OP_BATCH_NORM ||
         op == EE_OP_LAYER_NORM;
}

/* A node that reads constant @p v, one that needs finite numbers before others; NULL if none. */
static const ee_node *reader(const ee_model *model, int v) {
  const ee_node *found = NULL;
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node *node = &model->node[k];
    for (int i = 0; i < node->n_in; i++) {
      if (node->in[i] != v) continue;
      if (is_weighted(node->op)) return node;
      if (found == NULL) found = node;
    }
  }
  return found;
}

ee_status ee_model_check_constant(const char *path, const ee_model *model, int v,
                                  const float *data) {
  int64_t n = ee_model_value_elements(model, v);
  int64_t i = next_odd(data, 0, n);
  if (i == n) return EE_OK;
  const ee_node *node   = reader(model, v);
  bool           finite = node != NULL && is_weighted(node->op);
  while (i < n && !finite && !isnan(data[i])) i = next_odd(data, i + 1, n);
  if (i == n) return EE_OK;
  char set[EE_WEIGHTS_BYTES];
  ee_weights_set(model, v, set);
  return EE_FAIL(EE_ERR_FORMAT, "%s: element %lld of %s, which node '%s' (%s) reads, is %g, %s",
                 path, (long long)i, set, node != NULL ? node->name : "",
                 node != NULL ? ee_op_name(node->op) : "none", (double)data[i],
                 finite ? "expected a finite number" : "which is no number");
}
