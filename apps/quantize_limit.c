/* SPDX-License-Identifier: Apache-2.0 */
/* Finds which nodes to leave in float32 so that no exit loses more accuracy than allowed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quantize.h"

#define RANKED 128  // samples that each node is tried with

/* A node that has a scale, and what it does to the logits alone. */
typedef struct harm {
  int    node;
  double error;
} harm;

static int worse_first(const void *a, const void *b) {
  const harm *x = a, *y = b;
  if (x->error != y->error) return x->error > y->error ? -1 : 1;
  return x->node - y->node;
}

static double error_of(const ee_quantize *q) {
  double error = 0.0;
  for (int e = 0; e < q->model->n_exits; e++) error = fmax(error, q->exit[e].error);
  return error;
}

/* Try each node of @p list alone; @p asked: shape [n_nodes], what the user wants kept. */
static ee_status rank_nodes(ee_quantize *q, const bool *asked, harm *list, int n) {
  int64_t   all    = q->stream->n;
  ee_status status = EE_OK;
  if (q->stream->n > RANKED) q->stream->n = RANKED;
  for (int i = 0; i < n && status == EE_OK; i++) {
    for (int k = 0; k < q->model->n_nodes; k++) q->keep[k] = asked[k] || k != list[i].node;
    status        = ee_quantize_measure(q);
    list[i].error = error_of(q);
  }
  q->stream->n = all;
  qsort(list, (size_t)n, sizeof *list, worse_first);
  return status;
}

/* With the first @p n of @p list in float32. */
static ee_status measure_without(ee_quantize *q, const bool *asked, const harm *list, int n) {
  memcpy(q->keep, asked, (size_t)q->model->n_nodes * sizeof *asked);
  for (int i = 0; i < n; i++) q->keep[list[i].node] = true;
  q->given_back = n;
  return ee_quantize_measure(q);
}

/* The least number that suffices lies in (too few, enough]: all of them lose nothing. */
static ee_status search(ee_quantize *q, double most, const bool *asked, const harm *list, int n) {
  int few = 0, enough = n;
  while (enough - few > 1) {
    int middle = (few + enough) / 2;
    EE_TRY(measure_without(q, asked, list, middle));
    if (ee_quantize_loss(q) <= most) {
      enough = middle;
    } else {
      few = middle;
    }
  }
  return measure_without(q, asked, list, enough);
}

ee_status ee_quantize_limit_loss(ee_quantize *q, double most) {
  size_t    nodes  = (size_t)q->model->n_nodes;
  int       n      = 0;
  ee_status status = EE_OK;
  if (isnan(q->exit[0].accuracy[0]))
    return EE_FAIL(EE_ERR_ARG, "%s has no labels, so a loss of accuracy cannot be seen", q->data);
  if (ee_quantize_loss(q) <= most) return EE_OK;
  harm *list  = calloc(nodes, sizeof *list);
  bool *asked = calloc(nodes, sizeof *asked);
  if (list == NULL || asked == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "to compare %zu nodes", nodes);
  } else {
    memcpy(asked, q->keep, nodes * sizeof *asked);
    for (int k = 0; k < q->model->n_nodes; k++) {
      if (q->quant[k].scale > 0.0F && !asked[k]) list[n++] = (harm){k, 0.0};
    }
    status = rank_nodes(q, asked, list, n);
    if (status == EE_OK) status = search(q, most, asked, list, n);
  }
  free(list);
  free(asked);
  return status;
}
