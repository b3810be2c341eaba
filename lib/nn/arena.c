/* SPDX-License-Identifier: Apache-2.0 */
/* One static block for all activations of a range of layers, planned from their lifetimes. */
#include "arena.h"

#include <stdlib.h>

#include "graph.h"
#include "resident.h"

/* A value of the range: nodes [first, last] need it, and its bytes are at [offset, + bytes). */
typedef struct tenant {
  int    value, first, last;
  size_t bytes, offset;
} tenant;

/* The range at hand: nodes [first, last) in running order. */
typedef struct range {
  const ee_model *model;
  const int      *start;  // shape [n_layers + 1], first node of each layer
  int             begin, end, first, last;
} range;

static void needed_at(tenant *t, int node) {
  if (t->last < node) t->last = node;
}

/* Heads attached to one layer may run in any order, or not at all; so what one of them reads, and
 * every exit's logits and score, stay until the last of them ran. */
static void read_values(const range *r, tenant *of) {
  for (int n = r->first; n < r->last; n++) {
    const ee_node *node  = &r->model->node[n];
    int            until = node->layer >= 0 ? n : r->start[ee_node_owner(r->model, node) + 1] - 1;
    for (int i = 0; i < node->n_in; i++) {
      if (ee_node_reads_activation(r->model, node, i)) needed_at(&of[node->in[i]], until);
    }
  }
  for (const ee_exit *e = r->model->exit; e < r->model->exit + r->model->n_exits; e++) {
    if (e->attach < r->begin || e->attach >= r->end) continue;
    needed_at(&of[e->logits], r->start[e->attach + 1] - 1);
    if (e->has_score) needed_at(&of[e->score], r->start[e->attach + 1] - 1);
  }
}

/* Fill in first and last; @p of: shape [n_values], value -1 where the range has nothing. */
static void find_lifetimes(const range *r, tenant *of) {
  int        n;
  const int *live = ee_model_cut_values(r->model, r->begin, &n);
  for (int v = 0; v < r->model->n_values; v++) of[v] = (tenant){.value = -1, .last = -1};
  for (int i = 0; i < n; i++) {
    of[live[i]] = (tenant){.value = live[i], .first = r->first - 1, .last = r->first - 1};
  }
  for (int k = r->first; k < r->last; k++) {
    int out = r->model->node[k].out;
    of[out] = (tenant){.value = out, .first = k, .last = k};
  }
  read_values(r, of);
  live = ee_model_cut_values(r->model, r->end, &n);
  for (int i = 0; i < n; i++) needed_at(&of[live[i]], r->last);
}

static bool round_up(size_t bytes, size_t *rounded) {
  if (__builtin_add_overflow(bytes, EE_ARENA_ALIGN - 1, rounded)) return false;
  *rounded -= *rounded % EE_ARENA_ALIGN;
  return true;
}

static bool value_bytes(const ee_model *model, int v, int max_batch, size_t *bytes) {
  size_t sample = (size_t)ee_model_value_elements(model, v) * sizeof(float);
  return !__builtin_mul_overflow(sample, (size_t)max_batch, bytes) && round_up(*bytes, bytes);
}

static int compare_tenants(const void *a, const void *b) {
  const tenant *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
  return (x->value > y->value) - (x->value < y->value);
}

static bool meet(const tenant *a, const tenant *b) {
  return a->first <= b->last && b->first <= a->last;
}

/* The smallest gap that is large enough between those of @p placed, sorted by offset, that live at
 * the same time as @p t; behind them all if there is none. */
static size_t best_gap(const tenant *placed, int n, const tenant *t) {
  size_t best = EE_ARENA_NONE, best_size = EE_ARENA_NONE, end = 0;
  for (int i = 0; i < n; i++) {
    if (!meet(&placed[i], t)) continue;
    size_t gap = placed[i].offset > end ? placed[i].offset - end : 0;
    if (gap >= t->bytes && gap < best_size) {
      best      = end;
      best_size = gap;
    }
    size_t after = placed[i].offset + placed[i].bytes;
    if (end < after) end = after;
  }
  return best != EE_ARENA_NONE ? best : end;
}

/* Largest first; @p placed: shape [n], scratch memory.  False if the size cannot be counted. */
static bool place_tenants(tenant *all, int n, tenant *placed, ee_arena *arena) {
  qsort(all, (size_t)n, sizeof *all, compare_tenants);
  for (int i = 0; i < n; i++) {
    size_t end;
    all[i].offset = best_gap(placed, i, &all[i]);
    if (__builtin_add_overflow(all[i].offset, all[i].bytes, &end)) return false;
    if (arena->bytes < end) arena->bytes = end;
    arena->offset[all[i].value] = all[i].offset;
    int k                       = i;
    for (; k > 0 && placed[k - 1].offset > all[i].offset; k--) placed[k] = placed[k - 1];
    placed[k] = all[i];
  }
  return true;
}

static bool place_scratch(const range *r, const ee_backend *backend, int max_batch,
                          ee_arena *arena) {
  size_t most = 0;
  for (int k = r->first; k < r->last; k++) {
    const ee_node    *node   = &r->model->node[k];
    const ee_backend *runner = ee_backend_for(backend, r->model, node);
    size_t bytes = runner->scratch_bytes ? runner->scratch_bytes(r->model, node, max_batch) : 0;
    if (most < bytes) most = bytes;
  }
  arena->scratch = arena->bytes;
  return round_up(most, &most) && !__builtin_add_overflow(arena->bytes, most, &arena->bytes);
}

/* @p of and @p placed: shape [n_values], scratch memory. */
static ee_status plan(const range *r, const ee_backend *backend, int max_batch, tenant *of,
                      tenant *placed, ee_arena *arena) {
  bool counted = true;
  int  n       = 0;
  find_lifetimes(r, of);
  for (int v = 0; v < r->model->n_values; v++) {
    arena->offset[v] = EE_ARENA_NONE;
    if (of[v].value < 0) continue;
    counted &= value_bytes(r->model, v, max_batch, &of[v].bytes);
    of[n++] = of[v];
  }
  counted = counted && place_tenants(of, n, placed, arena);
  counted = counted && place_scratch(r, backend, max_batch, arena);
  if (counted) return EE_OK;
  return EE_FAIL(EE_ERR_NOMEM,
                 "activations of layers %d to %d for %d samples do not fit an address", r->begin,
                 r->end - 1, max_batch);
}

static ee_status check_range(const ee_model *model, int begin, int end, int max_batch) {
  if (begin < 0 || begin >= end || end > model->n_layers) {
    return EE_FAIL(EE_ERR_ARG, "layers [%d, %d) are no range of the model's %d", begin, end,
                   model->n_layers);
  }
  if (max_batch < 1 || (max_batch > 1 && !model->batched)) {
    return EE_FAIL(EE_ERR_ARG, "the largest batch is %d; model '%s' takes %s", max_batch,
                   model->name, model->batched ? "1 or more" : "1, because it is not batched");
  }
  return EE_OK;
}

ee_status ee_arena_plan(const ee_model *model, const ee_backend *backend, int begin, int end,
                        int max_batch, ee_arena *arena) {
  *arena = (ee_arena){0};
  EE_TRY(check_range(model, begin, end, max_batch));
  size_t  n_values = (size_t)model->n_values;
  int    *start    = calloc((size_t)model->n_layers + 1, sizeof *start);
  tenant *tenants  = calloc(2 * n_values, sizeof *tenants);
  arena->offset    = calloc(n_values, sizeof *arena->offset);

  ee_status status;
  if (start == NULL || tenants == NULL || arena->offset == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "to plan for %d values", model->n_values);
  } else {
    ee_graph_layer_starts(model, start);
    range r = {model, start, begin, end, start[begin], start[end]};
    status  = plan(&r, backend, max_batch, tenants, tenants + n_values, arena);
  }
  free(start);
  free(tenants);
  if (status != EE_OK) ee_arena_free(arena);
  return status;
}

void ee_arena_free(ee_arena *arena) {
  free(arena->offset);
  *arena = (ee_arena){0};
}
