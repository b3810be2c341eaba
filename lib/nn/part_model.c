/* SPDX-License-Identifier: Apache-2.0 */
/* The model of some nodes of another. */
#include <stdlib.h>
#include <string.h>

#include "ee/units.h"
#include "graph.h"
#include "model_copy.h"

/* Of each value: made by a node that was kept, and read by one that was not. */
typedef struct border {
  bool *made, *wanted;  // shape [n_values]
} border;

static void find_border(const ee_model *whole, const bool *keep, const border *b) {
  for (int k = 0; k < whole->n_nodes; k++) {
    const ee_node *node = &whole->node[k];
    if (keep[k]) b->made[node->out] = true;
    for (int i = 0; i < node->n_in && !keep[k]; i++) {
      if (node->in[i] >= 0) b->wanted[node->in[i]] = true;
    }
  }
  for (int v = 0; v < whole->n_values; v++) b->wanted[v] &= b->made[v];
}

static void keep_nodes(const ee_model *whole, const bool *keep, int head, ee_model *to) {
  to->n_nodes = 0;
  for (int k = 0; k < whole->n_nodes; k++) {
    if (!keep[k]) continue;
    ee_node *node = &to->node[to->n_nodes++];
    *node         = whole->node[k];
    node->layer   = node->exit == head ? node->layer : ee_node_owner(whole, &whole->node[k]);
    node->exit    = node->layer >= 0 ? -1 : head;
  }
}

/* Each layer and head is given what it is of the whole one, by operations. */
static void scale_seconds(const ee_model *whole, ee_model *to) {
  for (int l = 0; l < to->n_layers; l++) {
    double all           = whole->layer[l].flops;
    to->layer[l].seconds = all > 0.0 ? whole->layer[l].seconds * to->layer[l].flops / all : 0.0;
  }
  for (int e = 0; e < to->n_exits; e++) {
    double all          = whole->head_flops[e];
    to->head_seconds[e] = all > 0.0 ? whole->head_seconds[e] * to->head_flops[e] / all : 0.0;
  }
}

static ee_status derive(const ee_model *whole, const border *b, ee_model *to) {
  EE_TRY(ee_graph_cuts(to, b->wanted));
  for (int l = 0; l < to->n_layers; l++) to->layer[l].flops = 0.0;
  EE_TRY(ee_graph_costs(to));
  scale_seconds(whole, to);
  for (int l = 0; l < to->n_layers; l++) EE_TRY(ee_model_copy_constants(whole, to, l, to));
  return EE_OK;
}

ee_status ee_part_model(const ee_model *whole, const bool *keep, int head, ee_model **made) {
  *made           = NULL;
  border    b     = {.made   = calloc((size_t)whole->n_values, sizeof *b.made),
                     .wanted = calloc((size_t)whole->n_values, sizeof *b.wanted)};
  ee_model *to    = NULL;
  bool      there = b.made != NULL && b.wanted != NULL;
  ee_status status =
      there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %d values of a part", whole->n_values);
  if (status == EE_OK) status = ee_model_outline(whole, 0, &to);
  if (status == EE_OK) {
    find_border(whole, keep, &b);
    keep_nodes(whole, keep, head, to);
    status = derive(whole, &b, to);
  }
  free(b.made);
  free(b.wanted);
  if (status != EE_OK) ee_model_destroy(&to);
  *made = to;
  return status;
}
