/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that cut only where it is allowed: layers between two allowed cuts become one. */
#include <stdlib.h>
#include <string.h>

#include "chain.h"

/* A chain of blocks, each of some layers of another. */
typedef struct blocks {
  ee_chain chain;  // its arrays of layers and exits are those below
  double  *number;
  int     *index;
  int     *first;   // shape [chain.n_layers + 1], first layer of each block; last: n_layers
  int     *attach;  // shape [n_exits]
  double  *work, *reach, *weight_bytes, *packed_bytes;
  double  *cut_bytes, *copy_work, *head_work;
  double  *run_bytes;  // a block of its own; NULL if `of` has none
} blocks;

static ee_status blocks_allocate(const ee_chain *of, blocks *b) {
  size_t n = (size_t)of->n_layers + 1, exits = (size_t)of->n_exits;
  *b        = (blocks){.chain = *of};
  b->number = calloc(6 * n + exits, sizeof *b->number);
  b->index  = calloc(n + exits, sizeof *b->index);
  b->work   = b->number;
  b->first  = b->index;
  if (b->number == NULL || b->index == NULL) {
    free(b->number);
    free(b->index);
    return EE_FAIL(EE_ERR_NOMEM, "for %d layers", of->n_layers);
  }
  b->reach              = b->work + n;
  b->weight_bytes       = b->reach + n;
  b->packed_bytes       = b->weight_bytes + n;
  b->cut_bytes          = b->packed_bytes + n;
  b->copy_work          = b->cut_bytes + n;
  b->head_work          = b->copy_work + n;
  b->attach             = b->first + n;
  b->chain.work         = b->work;
  b->chain.reach        = b->reach;
  b->chain.weight_bytes = of->weight_bytes != NULL ? b->weight_bytes : NULL;
  b->chain.packed_bytes = of->packed_bytes != NULL ? b->packed_bytes : NULL;
  b->chain.cut_bytes    = b->cut_bytes;
  b->chain.copy_work    = of->copy_work != NULL ? b->copy_work : NULL;
  b->chain.head_work    = b->head_work;
  b->chain.attach       = b->attach;
  b->chain.cut_allowed  = NULL;
  return EE_OK;
}

static void blocks_free(blocks *b) {
  free(b->number);
  free(b->index);
  free(b->run_bytes);
}

/* What the planner sees is work times reach, so inside a block work is scaled to the reach of its
 * first layer. */
static double scaled(const ee_chain *of, int block_first, int l, double work) {
  double reach = of->reach[block_first];
  return reach > 0.0 ? work * (of->reach[l] / reach) : work;
}

static void add_layer(const ee_chain *of, int l, blocks *b) {
  int at = b->chain.n_layers;
  if (l == 0 || of->cut_allowed[l]) {
    b->first[at]      = l;
    b->reach[at]      = of->reach[l];
    b->cut_bytes[at]  = of->cut_bytes[l];
    b->copy_work[at]  = of->copy_work != NULL ? of->copy_work[l] : 0.0;
    b->chain.n_layers = at + 1;
  }
  at = b->chain.n_layers - 1;
  b->work[at] += scaled(of, b->first[at], l, of->work[l]);
  if (of->weight_bytes != NULL) b->weight_bytes[at] += of->weight_bytes[l];
  if (of->packed_bytes != NULL) b->packed_bytes[at] += of->packed_bytes[l];
  for (int e = 0; e < of->n_exits; e++) {
    if (of->attach[e] != l) continue;
    b->attach[e]    = at;
    b->head_work[e] = scaled(of, b->first[at], l, of->head_work[e]);
  }
}

/* Bytes to run from each block to each other. */
static ee_status take_run_bytes(const ee_chain *of, blocks *b) {
  int n = b->chain.n_layers + 1;
  if (of->run_bytes == NULL) return EE_OK;
  b->chain.run_bytes = b->run_bytes = calloc((size_t)n * (size_t)n, sizeof *b->run_bytes);
  if (b->run_bytes == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d blocks", n - 1);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      b->run_bytes[i * n + j] = ee_chain_run_bytes(of, b->first[i], b->first[j]);
    }
  }
  return EE_OK;
}

static ee_status blocks_create(const ee_chain *of, blocks *b) {
  EE_TRY(ee_chain_check(of));
  EE_TRY(blocks_allocate(of, b));
  b->chain.n_layers = 0;
  for (int l = 0; l < of->n_layers; l++) add_layer(of, l, b);
  b->first[b->chain.n_layers]     = of->n_layers;
  b->cut_bytes[b->chain.n_layers] = of->cut_bytes[of->n_layers];
  ee_status status                = take_run_bytes(of, b);
  if (status != EE_OK) blocks_free(b);
  return status;
}

ee_status ee_partition_find(const ee_planner *planner, const ee_chain *chain, ee_plan **plan) {
  blocks b;
  *plan = NULL;
  if (chain->cut_allowed == NULL) return planner->find(chain, plan);
  EE_TRY(blocks_create(chain, &b));
  ee_status status = planner->find(&b.chain, plan);
  if (status == EE_OK) {
    (*plan)->n_layers = chain->n_layers;
    for (int s = 0; s < (*plan)->n_stages; s++) {
      (*plan)->stage[s].begin = b.first[(*plan)->stage[s].begin];
      (*plan)->stage[s].end   = b.first[(*plan)->stage[s].end];
    }
  }
  blocks_free(&b);
  return status;
}
