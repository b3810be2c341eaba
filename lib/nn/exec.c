/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a range of layers and the heads attached in it, node by node, in one arena. */
#include "ee/exec.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "graph.h"
#include "memory.h"
#include "resident.h"

struct ee_exec {
  ee_resident      *res;
  const ee_program *program;
  const ee_model   *model;
  int               begin, end, max_batch;
  int              *start;  // shape [n_layers + 1], first node of each layer
  ee_arena          arena;
  char             *memory;   // arena.bytes of it
  bool             *done;     // shape [n_values], all false but inside ee_exec_keep
  bool             *valid;    // shape [n_values, EE_FORM_COUNT]: holds what was last written
  int64_t           rows;     // samples that the values hold
  int              *made_by;  // shape [n_values], node; -1: none
  ee_progress_fn    progress;
  void             *progress_context;
  ee_layer_fn       timer;
  void             *timer_context;
  ee_node_fn        watch;
  void             *watch_context;
};

ee_status ee_exec_arena_bytes(const ee_model *model, const ee_backend *backend, int begin, int end,
                              int max_batch, size_t *bytes) {
  ee_program program;
  ee_arena   arena = {0};
  *bytes           = 0;
  if (backend->open != NULL) EE_TRY(backend->open());
  ee_status status = ee_program_make(model, backend, &program);
  if (status == EE_OK) status = ee_arena_plan(&program, begin, end, max_batch, &arena);
  *bytes = arena.bytes;
  ee_arena_free(&arena);
  ee_program_free(&program);
  return status;
}

static void follow_values(const ee_exec *exec) {
  const ee_program *program = exec->program;
  for (int v = 0; v < exec->model->n_values; v++) exec->made_by[v] = -1;
  for (int k = 0; k < exec->model->n_nodes; k++) {
    if (!program->merged[k]) exec->made_by[ee_program_result(program, k)] = k;
  }
}

static ee_status take_memory(ee_exec *exec) {
  size_t bytes    = exec->arena.bytes;
  size_t n_values = (size_t)exec->model->n_values;
  exec->start     = calloc((size_t)exec->model->n_layers + 1, sizeof *exec->start);
  exec->memory    = ee_memory_take(bytes);
  exec->done      = calloc(n_values, sizeof *exec->done);
  exec->valid     = calloc(n_values, EE_FORM_COUNT * sizeof *exec->valid);
  exec->made_by   = calloc(n_values, sizeof *exec->made_by);
  if (exec->start == NULL || exec->memory == NULL || exec->done == NULL || exec->valid == NULL ||
      exec->made_by == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for the %zu bytes of activations of layers %d to %d", bytes,
                   exec->begin, exec->end - 1);
  }
  ee_graph_layer_starts(exec->model, exec->start);
  follow_values(exec);
  return EE_OK;
}

ee_status ee_exec_create(ee_resident *res, int begin, int end, int max_batch, ee_exec **exec) {
  *exec      = NULL;
  ee_exec *x = calloc(1, sizeof *x);
  if (x == NULL) return EE_FAIL(EE_ERR_NOMEM, "to run layers");
  const ee_program *program = ee_resident_program(res);
  *x                        = (ee_exec){.res       = res,
                                        .program   = program,
                                        .model     = program->model,
                                        .begin     = begin,
                                        .end       = end,
                                        .max_batch = max_batch};

  ee_status status = ee_arena_plan(program, begin, end, max_batch, &x->arena);
  if (status == EE_OK) status = take_memory(x);
  if (status != EE_OK) ee_exec_destroy(&x);
  *exec = x;
  return status;
}

void ee_exec_set_progress(ee_exec *exec, ee_progress_fn progress, void *context) {
  exec->progress         = progress;
  exec->progress_context = context;
}

void ee_exec_set_timer(ee_exec *exec, ee_layer_fn timer, void *context) {
  exec->timer         = timer;
  exec->timer_context = context;
}

void ee_exec_set_watch(ee_exec *exec, ee_node_fn watch, void *context) {
  exec->watch         = watch;
  exec->watch_context = context;
}

static float *memory_of(const ee_exec *exec, int v, ee_form form) {
  size_t offset = ee_arena_offset(&exec->arena, v, form);
  return offset != EE_ARENA_NONE ? (float *)(void *)(exec->memory + offset) : NULL;
}

static bool *valid_of(ee_exec *exec, int v, ee_form form) {
  return &exec->valid[(size_t)v * EE_FORM_COUNT + form];
}

/* Value @p v was written in @p form, and in no other. */
static void written(ee_exec *exec, int v, ee_form form) {
  for (ee_form f = 0; f < EE_FORM_COUNT; f++) *valid_of(exec, v, f) = f == form;
}

/* The value in @p form, made from the other one if need be. */
static float *in_form(ee_exec *exec, int v, ee_form form) {
  ee_form other = form == EE_DENSE ? EE_PIXELS : EE_DENSE;
  float  *to = memory_of(exec, v, form), *from = memory_of(exec, v, other);
  if (to == NULL || from == NULL || *valid_of(exec, v, form) || !*valid_of(exec, v, other)) {
    return to;
  }
  const ee_pixels *pixels = &exec->program->pixels[v];
  if (form == EE_PIXELS) {
    ee_pixels_from_dense(pixels, from, exec->rows, to);
  } else {
    ee_pixels_to_dense(pixels, from, exec->rows, to);
  }
  *valid_of(exec, v, form) = true;
  return to;
}

static bool is_value(const ee_exec *exec, int v) {
  return v >= 0 && v < exec->model->n_values;
}

float *ee_exec_input(ee_exec *exec, int v) {
  if (!is_value(exec, v)) return NULL;
  written(exec, v, EE_DENSE);
  return memory_of(exec, v, EE_DENSE);
}

const float *ee_exec_value(ee_exec *exec, int v) {
  if (!is_value(exec, v) || exec->rows > exec->arena.room[v]) return NULL;
  return in_form(exec, v, EE_DENSE);
}

/* Shape of value @p v with @p n samples. */
static ee_shape batch_shape(const ee_model *model, int v, int64_t n) {
  ee_shape shape = model->value[v].shape;
  if (model->batched && model->value[v].kind != EE_VALUE_CONSTANT) shape.dim[0] *= n;
  return shape;
}

/* Samples [first, first + n) of the batch. */
typedef struct slice {
  int64_t first, n;
} slice;

/* Whether value @p v gives its place to the next slice, and so stays in cache. */
static bool passes(const ee_exec *exec, int v) {
  return exec->arena.room[v] < exec->max_batch;
}

static float *slice_of(ee_exec *exec, int v, ee_form form, slice s) {
  int64_t before = passes(exec, v) ? 0 : s.first;
  return in_form(exec, v, form) + before * ee_program_sample_floats(exec->program, v, form);
}

static void bind_input(ee_exec *exec, int k, int i, slice s, ee_kernel_call *call) {
  int v             = call->node->in[i];
  call->in_shape[i] = batch_shape(exec->model, v, call->n);
  if (!ee_node_reads_activation(exec->model, call->node, i)) return;
  ee_form form = ee_program_form_taken(exec->program, k, i);
  call->in[i]  = slice_of(exec, v, form, s);
  if (form == EE_PIXELS) call->in_pixels[i] = &exec->program->pixels[v];
}

/* The Add that is run with node @p k: its other operand, in the form of the result, and its
 * activation. */
static void bind_residual(ee_exec *exec, int k, slice s, ee_kernel_call *call) {
  int     v    = ee_program_residual(exec->program, k);
  ee_form form = ee_program_form_given(exec->program, k);
  if (v < 0) return;
  call->residual = slice_of(exec, v, form, s);
  call->act      = exec->model->node[exec->program->adds[k]].act;
  if (form == EE_PIXELS) call->residual_pixels = &exec->program->pixels[v];
}

static void run_node(ee_exec *exec, int k, slice s) {
  const ee_program *program = exec->program;
  const ee_node    *node    = &exec->model->node[k];
  int               out     = ee_program_result(program, k);
  ee_form           form    = ee_program_form_given(exec->program, k);
  ee_kernel_call    call    = {.model            = exec->model,
                               .node             = node,
                               .n                = s.n,
                               .out_shape        = batch_shape(exec->model, out, s.n),
                               .act              = node->act,
                               .scratch          = exec->memory + exec->arena.scratch,
                               .progress         = exec->progress,
                               .progress_context = exec->progress_context};
  if (program->merged[k]) return;
  written(exec, out, form);
  call.out = slice_of(exec, out, form, s);
  if (form == EE_PIXELS) call.out_pixels = &program->pixels[out];
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] >= 0) bind_input(exec, k, i, s, &call);
  }
  bind_residual(exec, k, s, &call);
  const ee_backend *runner = ee_resident_bind(exec->res, k, &call);
  if (exec->watch != NULL) exec->watch(exec->watch_context, &call);
  runner->run(&call);
  if (form == EE_PIXELS) ee_pixels_clear_sides(call.out_pixels, call.out, s.n);
  if (exec->progress != NULL) exec->progress(exec->progress_context);
}

/* Whether value @p v is made by one of nodes [@p first, @p k). */
static bool made_in(const ee_exec *exec, int first, int k, int v) {
  return exec->made_by[v] >= first && exec->made_by[v] < k;
}

/* Values from before the group, whole, in the forms in which node @p k reads them. */
static void turn_inputs(ee_exec *exec, int first, int k) {
  const ee_node *node     = &exec->model->node[k];
  int            residual = ee_program_residual(exec->program, k);
  for (int i = 0; i < node->n_in; i++) {
    if (!ee_node_reads_activation(exec->model, node, i)) continue;
    if (!made_in(exec, first, k, node->in[i]))
      in_form(exec, node->in[i], ee_program_form_taken(exec->program, k, i));
  }
  if (residual >= 0 && !made_in(exec, first, k, residual)) {
    in_form(exec, residual, ee_program_form_given(exec->program, k));
  }
}

/* Nodes [first, end) of a group, in slices of about the same size. */
static void run_group(ee_exec *exec, int first, int end, int at_once, int64_t n) {
  for (int k = first; k < end; k++) {
    if (exec->model->node[k].layer >= 0 && !exec->program->merged[k]) turn_inputs(exec, first, k);
  }
  int64_t slices = (n + at_once - 1) / at_once;
  for (slice s = {.n = (n + slices - 1) / slices}; s.first < n; s.first += s.n) {
    if (s.n > n - s.first) s.n = n - s.first;
    for (int k = first; k < end; k++) {
      if (exec->model->node[k].layer < 0) continue;
      run_node(exec, k, s);
      if (exec->timer != NULL) exec->timer(exec->timer_context, exec->model->node[k].layer);
    }
  }
}

static ee_status check_run(const ee_exec *exec, int from, int to, int64_t n) {
  if (from < exec->begin || to > exec->end || from > to) {
    return EE_FAIL(EE_ERR_ARG, "layers [%d, %d) are outside of [%d, %d)", from, to, exec->begin,
                   exec->end);
  }
  if (n < 0 || n > exec->max_batch) {
    return EE_FAIL(EE_ERR_ARG, "a batch of %lld samples, at most %d are possible", (long long)n,
                   exec->max_batch);
  }
  for (int layer = from; layer < to; layer++) {
    if (ee_resident_has(exec->res, layer)) continue;
    return EE_FAIL(EE_ERR_STATE, "layer %d ('%s') is not held by this device", layer,
                   exec->model->layer[layer].name);
  }
  return EE_OK;
}

/* What nodes [@p from, @p to) have of the group; a part of it can only be run for as many samples
 * as its values have room for. */
static ee_status run_part(ee_exec *exec, const ee_group *g, int from, int to, int64_t n) {
  int first = g->first > from ? g->first : from, end = g->end < to ? g->end : to;
  if (first >= end) return EE_OK;
  if (n > g->at_once && (first > g->first || end < g->end)) {
    return EE_FAIL(EE_ERR_ARG,
                   "nodes %d to %d are run together, %d samples at a time: a batch of %lld cannot "
                   "stop between them",
                   g->first, g->end - 1, g->at_once, (long long)n);
  }
  run_group(exec, first, end, g->at_once, n);
  return EE_OK;
}

ee_status ee_exec_run_layers(ee_exec *exec, int from, int to, int64_t n) {
  const ee_groups *groups = &exec->arena.groups;
  EE_TRY(check_run(exec, from, to, n));
  exec->rows = n;
  for (const ee_group *g = groups->group; n > 0 && g < groups->group + groups->n; g++) {
    EE_TRY(run_part(exec, g, exec->start[from], exec->start[to], n));
  }
  return EE_OK;
}

ee_status ee_exec_run_head(ee_exec *exec, int e, int64_t n, const float **logits) {
  const ee_model *model = exec->model;
  *logits               = NULL;
  if (e < 0 || e >= model->n_exits) {
    return EE_FAIL(EE_ERR_ARG, "there is no exit %d; the model has %d", e, model->n_exits);
  }
  int layer = model->exit[e].attach;
  EE_TRY(check_run(exec, layer, layer + 1, n));
  exec->rows = n;
  for (int k = exec->start[layer]; n > 0 && k < exec->start[layer + 1]; k++) {
    if (model->node[k].exit == e) run_node(exec, k, (slice){.n = n});
  }
  *logits = ee_exec_value(exec, model->exit[e].logits);
  return EE_OK;
}

const float *ee_exec_score(ee_exec *exec, int e) {
  const ee_model *model = exec->model;
  bool            known = e >= 0 && e < model->n_exits && model->exit[e].has_score;
  return known ? ee_exec_value(exec, model->exit[e].score) : NULL;
}

static void move_rows(float *x, size_t row, const int *keep, int n_keep) {
  for (int i = 0; i < n_keep; i++) {
    if (keep[i] == i) continue;
    memmove(x + (size_t)i * row, x + (size_t)keep[i] * row, row * sizeof *x);
  }
}

static void keep_rows(ee_exec *exec, int v, const int *keep, int n_keep) {
  if (exec->done[v]) return;
  exec->done[v] = true;
  for (ee_form f = 0; f < EE_FORM_COUNT; f++) {
    size_t row = f == EE_PIXELS ? (size_t)exec->program->pixels[v].sample
                                : (size_t)ee_model_value_elements(exec->model, v);
    float *x   = memory_of(exec, v, f);
    if (x != NULL && *valid_of(exec, v, f)) move_rows(x, row, keep, n_keep);
  }
}

static int count_exits_at(const ee_model *model, int layer) {
  int n = 0;
  for (int e = 0; e < model->n_exits; e++) n += model->exit[e].attach == layer;
  return n;
}

/* What heads attached after @p layer read, and logits and scores that no head makes: a head that
 * still has to run must find the rows that were kept. */
static void keep_for_heads(ee_exec *exec, int layer, const int *keep, int n_keep) {
  const ee_model *model = exec->model;
  const ee_node  *first = model->node + exec->start[layer];
  const ee_node  *last  = model->node + exec->start[layer + 1];
  for (const ee_node *node = first; node < last; node++) {
    if (node->exit >= 0) exec->done[node->out] = true;
  }
  for (const ee_node *node = first; node < last; node++) {
    for (int i = 0; node->exit >= 0 && i < node->n_in; i++) {
      if (ee_node_reads_activation(model, node, i)) keep_rows(exec, node->in[i], keep, n_keep);
    }
  }
  for (int e = 0; e < model->n_exits; e++) {
    const ee_exit *exit = &model->exit[e];
    if (exit->attach != layer) continue;
    keep_rows(exec, exit->logits, keep, n_keep);
    if (exit->has_score) keep_rows(exec, exit->score, keep, n_keep);
  }
}

void ee_exec_keep(ee_exec *exec, int cut, const int *keep, int n_keep) {
  const ee_model *model = exec->model;
  int             n;
  if (cut < exec->begin || cut > exec->end) return;
  exec->rows      = n_keep;
  const int *live = ee_model_cut_values(model, cut, &n);
  for (int i = 0; i < n; i++) keep_rows(exec, live[i], keep, n_keep);
  if (cut > exec->begin && count_exits_at(model, cut - 1) > 1) {
    keep_for_heads(exec, cut - 1, keep, n_keep);
  }
  memset(exec->done, 0, (size_t)model->n_values * sizeof *exec->done);
}

void ee_exec_destroy(ee_exec **exec) {
  if (*exec == NULL) return;
  ee_arena_free(&(*exec)->arena);
  free((*exec)->start);
  free((*exec)->memory);
  free((*exec)->done);
  free((*exec)->valid);
  free((*exec)->made_by);
  free(*exec);
  *exec = NULL;
}
