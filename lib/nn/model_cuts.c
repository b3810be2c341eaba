/* SPDX-License-Identifier: Apache-2.0 */
/* Which values are alive across each cut. */
#include <limits.h>
#include <stdlib.h>

#include "graph.h"

/* A value lives across the cuts in front of layers first + 1 .. last. */
typedef struct span {
  int first;  // layer that makes it; -1: the input
  int last;   // last layer that reads it, itself or through a head attached after it
} span;

static void used_at(span *s, int layer) {
  if (s->last < layer) s->last = layer;
}

/* False for what a part of a model has no nodes for. */
static bool is_made(const ee_model *model, const span *spans, int v) {
  return spans[v].first >= 0 || v == model->input;
}

/* Values inside a head never cross a cut: first is so late that no cut comes after. */
static void find_spans(const ee_model *model, const bool *kept, span *spans) {
  for (int v = 0; v < model->n_values; v++) spans[v] = (span){.first = -1, .last = -1};
  for (const ee_node *node = model->node; node < model->node + model->n_nodes; node++) {
    spans[node->out].first = node->layer >= 0 ? node->layer : model->n_layers;
    for (int i = 0; i < node->n_in; i++) {
      if (!ee_node_reads_activation(model, node, i)) continue;
      used_at(&spans[node->in[i]], ee_node_owner(model, node));
    }
  }
  for (const ee_exit *e = model->exit; e < model->exit + model->n_exits; e++) {
    if (is_made(model, spans, e->logits)) used_at(&spans[e->logits], e->attach);
    if (e->has_score && is_made(model, spans, e->score)) used_at(&spans[e->score], e->attach);
  }
  for (int v = 0; kept != NULL && v < model->n_values; v++) {
    if (kept[v]) used_at(&spans[v], model->n_layers);
  }
}

static ee_status count_spans(const ee_model *model, const span *spans, int64_t *total) {
  *total = 0;
  for (int v = 0; v < model->n_values; v++) {
    if (spans[v].last > spans[v].first) *total += spans[v].last - spans[v].first;
  }
  if (*total <= INT_MAX) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "model '%s' keeps too many values alive across its %d layers",
                 model->name, model->n_layers);
}

/* By counting: cut_start first holds how many values each cut has, then where the next one goes. */
static void fill_cuts(const span *spans, int n_values, int n_cuts, int *start, int *value) {
  for (int v = 0; v < n_values; v++) {
    for (int cut = spans[v].first + 1; cut <= spans[v].last; cut++) start[cut + 1]++;
  }
  for (int cut = 0; cut < n_cuts; cut++) start[cut + 1] += start[cut];
  for (int v = 0; v < n_values; v++) {
    for (int cut = spans[v].first + 1; cut <= spans[v].last; cut++) value[start[cut]++] = v;
  }
  for (int cut = n_cuts; cut > 0; cut--) start[cut] = start[cut - 1];
  start[0] = 0;
}

ee_status ee_graph_cuts(ee_model *model, const bool *kept) {
  free(model->cut_start);
  free(model->cut_value);
  model->cut_start = NULL;
  model->cut_value = NULL;

  span *spans = calloc((size_t)model->n_values, sizeof *spans);
  if (spans == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d values", model->n_values);
  find_spans(model, kept, spans);
  int64_t   total;
  ee_status status = count_spans(model, spans, &total);
  if (status == EE_OK) {
    model->cut_start = calloc((size_t)model->n_layers + 2, sizeof *model->cut_start);
    model->cut_value = calloc((size_t)total + 1, sizeof *model->cut_value);
    if (model->cut_start == NULL || model->cut_value == NULL) {
      status = EE_FAIL(EE_ERR_NOMEM, "for %lld live values", (long long)total);
    } else {
      fill_cuts(spans, model->n_values, model->n_layers + 1, model->cut_start, model->cut_value);
    }
  }
  free(spans);
  return status;
}
