/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what a range of layers will take, before any of it is taken. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
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

/* Arenas of all ranges, shorter ones first, since a range counts no less than its parts. */
static ee_status fill_arenas(const ee_program *program, int max_batch, double *arena) {
  int layers = program->model->n_layers, n = layers + 1;
  for (int length = 1; length <= layers; length++) {
    for (int i = 0; i + length <= layers; i++) {
      double  *at = &arena[i * n + i + length];
      ee_arena one;
      EE_TRY(ee_arena_plan(program, i, i + length, max_batch, &one));
      *at = (double)one.bytes;
      ee_arena_free(&one);
      if (length == 1) continue;
      if (*at < at[-1]) *at = at[-1];
      if (*at < at[n]) *at = at[n];
    }
  }
  return EE_OK;
}

static ee_status fill_alike(const ee_program *program, int max_batch, double *arena) {
  int      layers = program->model->n_layers, n = layers + 1;
  ee_arena whole;
  EE_TRY(ee_arena_plan(program, 0, layers, max_batch, &whole));
  for (int i = 0; i < layers; i++) {
    for (int j = i + 1; j <= layers; j++) arena[i * n + j] = (double)whole.bytes;
  }
  ee_arena_free(&whole);
  return EE_OK;
}

ee_status ee_exec_memory_of_ranges(const ee_model *model, const ee_backend *backend, int max_batch,
                                   double *packed, double *arena) {
  ee_program program;
  size_t     n = (size_t)model->n_layers + 1;
  memset(arena, 0, n * n * sizeof *arena);
  if (backend->open != NULL) EE_TRY(backend->open());
  for (int l = 0; l < model->n_layers; l++) {
    packed[l] = (double)packed_bytes(model, backend, l, l + 1);
  }
  ee_status status = ee_program_make(model, backend, &program);
  if (status == EE_OK && model->n_layers <= EE_EXEC_RANGES) {
    status = fill_arenas(&program, max_batch, arena);
  } else if (status == EE_OK) {
    status = fill_alike(&program, max_batch, arena);
  }
  ee_program_free(&program);
  return status;
}
