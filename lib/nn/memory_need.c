/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what a range of layers will take, before any of it is taken. */
#include <stdlib.h>

#include "ee/exec.h"
#include "graph.h"

/* What backends pack for the nodes that the range holds. */
static size_t packed_bytes(const ee_model *model, const ee_backend *backend, int begin, int end) {
  size_t bytes = 0;
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node *node  = &model->node[k];
    int            owner = ee_node_owner(model, node);
    if (owner < begin || owner >= end) continue;
    const ee_backend *runner = ee_backend_for(backend, model, node);
    if (runner->prepare != NULL) bytes += runner->prepared_bytes(model, node);
  }
  return bytes;
}

ee_status ee_exec_memory(const ee_model *model, const ee_backend *backend, int begin, int end,
                         int max_batch, ee_memory_need *need) {
  *need = (ee_memory_need){0};
  EE_TRY(ee_exec_arena_bytes(model, backend, begin, end, max_batch, &need->arena));
  for (int l = begin; l < end; l++) need->weights += model->layer[l].weight_bytes;
  need->packed = packed_bytes(model, backend, begin, end);
  return EE_OK;
}
