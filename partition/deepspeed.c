/* SPDX-License-Identifier: Apache-2.0 */
/* DeepSpeed's balanced partition, from its recurrence: parts whose largest and smallest differ
 * least.
 *
 * The best first k layers are found alone and then kept, although the difference of the whole does
 * not follow from that of a part: this is how it is published, and part of what it costs. */
#include <math.h>
#include <stdlib.h>

#include "baseline.h"
#include "chain.h"

/** How the first layers are best held by a number of parts. */
typedef struct parts {
  double largest, smallest;  // of the parts' works [FLOP]
  int    begin;              // first layer of the last part; -1: there is no way
} parts;

typedef struct balance {
  ee_loads loads;  // every reach 1
  int      n_parts;
  parts   *best;  // shape [n_parts + 1, n_layers + 1]
} balance;

static parts *best_of(const balance *b, int n, int j) {
  return b->best + (size_t)n * ((size_t)b->loads.chain->n_layers + 1) + (size_t)j;
}

/* Layers [0, j) in n parts; among equals the shortest last part. */
static parts hold(const balance *b, int n, int j) {
  parts best = {.begin = -1};
  for (int i = n - 1; i < j; i++) {
    const parts *before = best_of(b, n - 1, i);
    double       work   = b->loads.work[j] - b->loads.work[i];
    if (before->begin < 0) continue;
    parts here = {fmax(before->largest, work), fmin(before->smallest, work), i};
    if (best.begin < 0 || here.largest - here.smallest <= best.largest - best.smallest) best = here;
  }
  return best;
}

static ee_status balance_layers(balance *b, ee_plan **plan) {
  const ee_chain *chain = b->loads.chain;
  for (int j = 0; j <= chain->n_layers; j++) best_of(b, 0, j)->begin = -1;
  *best_of(b, 0, 0) = (parts){.largest = 0.0, .smallest = INFINITY, .begin = 0};
  for (int n = 1; n <= b->n_parts; n++) {
    for (int j = 0; j <= chain->n_layers; j++) *best_of(b, n, j) = hold(b, n, j);
  }
  EE_TRY(ee_plan_create(chain->n_layers, b->n_parts, b->n_parts, plan));
  for (int n = b->n_parts, end = chain->n_layers; n > 0; n--) {
    int begin             = best_of(b, n, end)->begin;
    (*plan)->stage[n - 1] = (ee_stage){.begin = begin, .end = end, .device = n - 1};
    end                   = begin;
  }
  return EE_OK;
}

static ee_status run(const ee_chain *chain, int n_parts, double *ones, ee_plan **plan) {
  size_t    cells  = ((size_t)n_parts + 1) * ((size_t)chain->n_layers + 1);
  ee_chain  blind  = ee_chain_blind(chain, ones);
  balance   b      = {.n_parts = n_parts, .best = calloc(cells, sizeof *b.best)};
  ee_status status = b.best != NULL ? ee_loads_create(&blind, &b.loads)
                                    : EE_FAIL(EE_ERR_NOMEM, "for %d parts", n_parts);
  if (status == EE_OK) {
    status = balance_layers(&b, plan);
    ee_loads_destroy(&b.loads);
  }
  free(b.best);
  return status;
}

ee_status ee_partition_deepspeed(const ee_chain *chain, ee_plan **plan) {
  *plan = NULL;
  EE_TRY(ee_chain_check(chain));
  int     present = ee_chain_count_present(chain);
  double *ones    = malloc((size_t)chain->n_layers * sizeof *ones);
  if (ones == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d layers", chain->n_layers);

  ee_status status = run(chain, present < chain->n_layers ? present : chain->n_layers, ones, plan);
  free(ones);
  EE_TRY(status);
  return ee_plan_on_present(chain, plan);
}
