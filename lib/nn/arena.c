/* SPDX-License-Identifier: Apache-2.0 */
/* One static block for all activations of a range of layers, planned from their lifetimes. */
#include "arena.h"

#include <stdlib.h>

#include "graph.h"

/* A form of a value of the range: nodes [first, last] need it, and its bytes are at
 * [offset, + bytes). */
typedef struct tenant {
  int    value, form, first, last;
  size_t bytes, offset;
} tenant;

/* When a value is needed, and in which forms. */
typedef struct need {
  bool    here;   // the range has it
  bool    whole;  // others than the nodes of layers see it: heads, or who asks for it
  int     first, last;
  bool    form[EE_FORM_COUNT];
  ee_form made;  // in which form a node of the range makes it
  int     over;  // the value whose place it then takes; -1: none
} need;

/* The range at hand: nodes [first, last) in running order. */
typedef struct range {
  const ee_program *program;
  const ee_model   *model;
  const ee_groups  *groups;
  const int        *start;  // shape [n_layers + 1], first node of each layer
  int               begin, end, first, last;
} range;

static void needed_at(need *t, int node, ee_form form) {
  if (t->last < node) t->last = node;
  t->form[form] = true;
}

static void seen_at(need *t, int node) {
  needed_at(t, node, EE_DENSE);
  t->whole = true;
}

/* Heads attached to one layer may run in any order, or not at all; so what one of them reads, and
 * every exit's logits and score, stay until the last of them ran. */
static void read_values(const range *r, need *of) {
  for (int n = r->first; n < r->last; n++) {
    const ee_node *node  = &r->model->node[n];
    int            until = node->layer >= 0 ? n : r->start[ee_node_owner(r->model, node) + 1] - 1;
    for (int i = 0; i < node->n_in; i++) {
      if (!ee_node_reads_activation(r->model, node, i)) continue;
      needed_at(&of[node->in[i]], until, ee_program_form_taken(r->program, n, i));
      if (node->layer < 0) of[node->in[i]].whole = true;
    }
  }
  for (const ee_exit *e = r->model->exit; e < r->model->exit + r->model->n_exits; e++) {
    if (e->attach < r->begin || e->attach >= r->end) continue;
    seen_at(&of[e->logits], r->start[e->attach + 1] - 1);
    if (e->has_score) seen_at(&of[e->score], r->start[e->attach + 1] - 1);
  }
}

/* Samples may come in and go out dense at the range's ends and behind exits. */
static void cross_cut(const range *r, int cut, int node, need *of) {
  int        n;
  const int *live = ee_model_cut_values(r->model, cut, &n);
  for (int i = 0; i < n; i++) seen_at(&of[live[i]], node);
}

static void find_needs(const range *r, need *of) {
  int        n;
  const int *live = ee_model_cut_values(r->model, r->begin, &n);
  for (int v = 0; v < r->model->n_values; v++) of[v] = (need){.last = -1, .over = -1};
  for (int i = 0; i < n; i++) {
    of[live[i]] = (need){.here = true, .first = r->first - 1, .last = r->first - 1, .over = -1};
  }
  for (int k = r->first; k < r->last; k++) {
    if (r->program->merged[k]) continue;
    need *out = &of[ee_program_result(r->program, k)];
    *out      = (need){.here  = true,
                       .first = k,
                       .last  = k,
                       .made  = ee_program_form_given(r->program, k),
                       .over  = -1};

    out->form[out->made] = true;
  }
  read_values(r, of);
  cross_cut(r, r->begin, r->first - 1, of);
  cross_cut(r, r->end, r->last, of);
  for (int e = 0; e < r->model->n_exits; e++) {
    int cut = r->model->exit[e].attach + 1;
    if (cut > r->begin && cut < r->end) cross_cut(r, cut, r->start[cut] - 1, of);
  }
}

/* Whether an element of both values stands at the same place. */
static bool stand_alike(const ee_program *p, int a, int b, ee_form form) {
  if (form == EE_DENSE)
    return ee_program_sample_floats(p, a, form) == ee_program_sample_floats(p, b, form);
  const ee_pixels *x = &p->pixels[a], *y = &p->pixels[b];
  return x->sample == y->sample && x->lead == y->lead && x->row == y->row && x->pixel == y->pixel &&
         x->width == y->width && x->height == y->height;
}

/* Whether a node behind node @p k reads value @p v; an Add that is run with @p k does not. */
static bool is_read_after(const range *r, const need *of, int k, int v) {
  for (int n = k + 1; n <= of[v].last; n++) {
    const ee_node *node = &r->model->node[n];
    for (int i = 0; i < node->n_in && n != r->program->adds[k]; i++) {
      if (node->in[i] == v) return true;
    }
  }
  return false;
}

/* Whether node @p k may write its result over value @p v, which it reads as input @p i in
 * @p form. */
static bool may_replace(const range *r, const need *of, int k, int i, int v, ee_form form) {
  const ee_backend *runner = r->program->runner[k];
  return runner->over != NULL && form == ee_program_form_given(r->program, k) && of[v].here &&
         form == of[v].made && !of[v].whole && !is_read_after(r, of, k, v) &&
         stand_alike(r->program, v, ee_program_result(r->program, k), form) &&
         runner->over(r->model, &r->model->node[k], i);
}

/* A value that node @p k reads, and whose place its result can take; or -1. */
static int replaced_by(const range *r, const need *of, int k) {
  const ee_node *node     = &r->model->node[k];
  int            residual = ee_program_residual(r->program, k);
  ee_form        form     = ee_program_form_given(r->program, k);
  bool           is_input = false;
  for (int i = 0; i < node->n_in; i++) {
    if (!ee_node_reads_activation(r->model, node, i)) continue;
    is_input |= node->in[i] == residual;
    if (residual >= 0) continue;
    ee_form taken = ee_program_form_taken(r->program, k, i);
    if (may_replace(r, of, k, i, node->in[i], taken)) return node->in[i];
  }
  bool free = residual >= 0 && !is_input;
  return free && may_replace(r, of, k, EE_RESIDUAL, residual, form) ? residual : -1;
}

/* Results in the place of what is read for the last time; heads' stay by themselves. */
static void write_over(const range *r, need *of) {
  for (int k = r->first; k < r->last; k++) {
    if (r->model->node[k].layer < 0 || r->program->merged[k]) continue;
    of[ee_program_result(r->program, k)].over = replaced_by(r, of, k);
  }
}

static bool round_up(size_t bytes, size_t *rounded) {
  if (__builtin_add_overflow(bytes, EE_ARENA_ALIGN - 1, rounded)) return false;
  *rounded -= *rounded % EE_ARENA_ALIGN;
  return true;
}

static bool tenant_bytes(const range *r, const tenant *t, int samples, size_t *bytes) {
  int64_t floats = ee_program_sample_floats(r->program, t->value, t->form);
  return !__builtin_mul_overflow((size_t)floats * sizeof(float), (size_t)samples, bytes) &&
         round_up(*bytes, bytes);
}

/* How many samples a value has room for.  What only the nodes of one group see belongs to the slice
 * at hand; all else that a group makes or reads is there as long as the group runs. */
static int settle(const range *r, need *t) {
  const ee_group *maker  = ee_groups_sliced(r->groups, t->first);
  const ee_group *reader = ee_groups_sliced(r->groups, t->last);
  if (maker != NULL && maker == reader && !t->whole) return maker->at_once;

  if (maker != NULL) t->first = maker->first;
  if (reader != NULL) t->last = reader->end - 1;
  return r->groups->max_batch;
}

static int compare_tenants(const void *a, const void *b) {
  const tenant *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
  if (x->value != y->value) return x->value > y->value ? 1 : -1;
  return x->form - y->form;
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
    arena->offset[all[i].value * EE_FORM_COUNT + all[i].form] = all[i].offset;

    int k = i;
    for (; k > 0 && placed[k - 1].offset > all[i].offset; k--) placed[k] = placed[k - 1];
    placed[k] = all[i];
  }
  return true;
}

/* Heads run on the whole batch, also those between the nodes of a group. */
static bool place_scratch(const range *r, ee_arena *arena) {
  size_t most = 0;
  for (int k = r->first; k < r->last; k++) {
    const ee_backend *runner = r->program->runner[k];
    const ee_group   *group  = ee_groups_sliced(r->groups, k);
    bool              sliced = group != NULL && r->model->node[k].layer >= 0;
    int               n      = sliced ? group->at_once : r->groups->max_batch;
    if (runner->scratch_bytes == NULL) continue;
    size_t bytes = runner->scratch_bytes(r->model, &r->model->node[k], n);
    if (most < bytes) most = bytes;
  }
  arena->scratch = arena->bytes;
  return round_up(most, &most) && !__builtin_add_overflow(arena->bytes, most, &arena->bytes);
}

/* What has less room than the value that it would replace, or more, stays by itself. */
static void settle_all(const range *r, need *of, int *room) {
  for (int v = 0; v < r->model->n_values; v++) {
    if (of[v].here) room[v] = settle(r, &of[v]);
  }
  for (int v = 0; v < r->model->n_values; v++) {
    if (of[v].over >= 0 && room[of[v].over] != room[v]) of[v].over = -1;
  }
}

/* The first of the values that stand one after the other where @p v stands. */
static int root_of(const need *of, int v) {
  while (of[v].over >= 0) v = of[v].over;
  return v;
}

/* The tenant of a root is there until the last of those that follow it is. */
static int last_at(const range *r, const need *of, int root, int form) {
  int last = of[root].last;
  for (int v = 0; v < r->model->n_values; v++) {
    if (of[v].over < 0 || (int)of[v].made != form || root_of(of, v) != root) continue;
    if (last < of[v].last) last = of[v].last;
  }
  return last;
}

/* @p all: shape [n_values, EE_FORM_COUNT]; returns how many tenants there are, or -1. */
static int list_tenants(const range *r, const need *of, const int *room, tenant *all) {
  bool counted = true;
  int  n       = 0;
  for (int v = 0; v < r->model->n_values; v++) {
    for (int f = 0; f < EE_FORM_COUNT; f++) {
      if (!of[v].here || !of[v].form[f] || (of[v].over >= 0 && (int)of[v].made == f)) continue;
      all[n] = (tenant){.value = v, .form = f, .first = of[v].first, .last = last_at(r, of, v, f)};
      counted &= tenant_bytes(r, &all[n], room[v], &all[n].bytes);
      n++;
    }
  }
  return counted ? n : -1;
}

static void follow_roots(const range *r, const need *of, ee_arena *arena) {
  for (int v = 0; v < r->model->n_values; v++) {
    if (of[v].over < 0) continue;
    arena->offset[(size_t)v * EE_FORM_COUNT + of[v].made] =
        ee_arena_offset(arena, root_of(of, v), of[v].made);
  }
}

/* @p of: shape [n_values], @p all and @p placed: shape [n_values, EE_FORM_COUNT]; scratch. */
static ee_status plan(const range *r, need *of, tenant *all, tenant *placed, ee_arena *arena) {
  find_needs(r, of);
  write_over(r, of);
  settle_all(r, of, arena->room);
  for (int i = 0; i < r->model->n_values * EE_FORM_COUNT; i++) arena->offset[i] = EE_ARENA_NONE;
  int  n       = list_tenants(r, of, arena->room, all);
  bool counted = n >= 0 && place_tenants(all, n, placed, arena);
  counted      = counted && place_scratch(r, arena);
  if (counted) follow_roots(r, of, arena);
  if (counted) return EE_OK;
  return EE_FAIL(EE_ERR_NOMEM,
                 "activations of layers %d to %d for %d samples do not fit an address", r->begin,
                 r->end - 1, r->groups->max_batch);
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

ee_status ee_arena_plan(const ee_program *program, int begin, int end, int max_batch,
                        ee_arena *arena) {
  const ee_model *model = program->model;
  *arena                = (ee_arena){0};
  EE_TRY(check_range(model, begin, end, max_batch));
  size_t  n_forms = (size_t)model->n_values * EE_FORM_COUNT;
  int    *start   = calloc((size_t)model->n_layers + 1, sizeof *start);
  need   *needs   = calloc((size_t)model->n_values, sizeof *needs);
  tenant *tenants = calloc(2 * n_forms, sizeof *tenants);
  arena->offset   = calloc(n_forms, sizeof *arena->offset);
  arena->room     = calloc((size_t)model->n_values, sizeof *arena->room);

  ee_status status = EE_OK;
  if (start == NULL || needs == NULL || tenants == NULL || arena->offset == NULL ||
      arena->room == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "to plan for %d values", model->n_values);
  } else {
    ee_graph_layer_starts(model, start);
    status = ee_groups_find(program, start, begin, end, max_batch, &arena->groups);
  }
  if (status == EE_OK) {
    range r = {program, model, &arena->groups, start, begin, end, start[begin], start[end]};
    status  = plan(&r, needs, tenants, tenants + n_forms, arena);
  }
  free(start);
  free(needs);
  free(tenants);
  if (status != EE_OK) ee_arena_free(arena);
  return status;
}

void ee_arena_free(ee_arena *arena) {
  ee_groups_free(&arena->groups);
  free(arena->offset);
  free(arena->room);
  *arena = (ee_arena){0};
}
