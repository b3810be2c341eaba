/* SPDX-License-Identifier: Apache-2.0 */
/* The layers a device holds: blobs of constants, and what the backend packed from them. */
#include "resident.h"

#include <stdlib.h>
#include <string.h>

#include "graph.h"

typedef struct held_layer {
  int    holds;  // 0: not here, and the rest is unset
  float *blob;
  size_t packed_bytes;
} held_layer;

struct ee_resident {
  const ee_model *model;
  ee_program      program;
  held_layer     *layer;     // shape [n_layers]
  int            *start;     // shape [n_layers + 1], first node of each layer
  void          **prepared;  // shape [n_nodes]
  size_t         *place;     // shape [n_nodes, EE_MAX_NODE_INPUTS], of a constant in the blob
  size_t          bytes;
};

const ee_program *ee_resident_program(const ee_resident *res) {
  return &res->program;
}

/* @p at: shape [n_values], scratch memory. */
static ee_status place_layer(ee_resident *res, int layer, size_t *at) {
  const ee_model *model = res->model;
  int            *list, n;
  EE_TRY(ee_model_layer_constants(model, layer, &list, &n));
  size_t next = 0;
  for (int i = 0; i < n; i++) {
    at[list[i]] = next;
    next += (size_t)ee_model_value_elements(model, list[i]);
  }
  free(list);
  for (int k = res->start[layer]; k < res->start[layer + 1]; k++) {
    const ee_node *node = &model->node[k];
    for (int i = 0; i < node->n_in; i++) {
      if (!ee_node_reads_constant(model, node, i)) continue;
      res->place[(size_t)k * EE_MAX_NODE_INPUTS + (size_t)i] = at[node->in[i]];
    }
  }
  return EE_OK;
}

static ee_status place_constants(ee_resident *res) {
  ee_graph_layer_starts(res->model, res->start);
  size_t *at = calloc((size_t)res->model->n_values, sizeof *at);
  if (at == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d values", res->model->n_values);
  ee_status status = EE_OK;
  for (int layer = 0; status == EE_OK && layer < res->model->n_layers; layer++) {
    status = place_layer(res, layer, at);
  }
  free(at);
  return status;
}

ee_status ee_resident_create(const ee_model *model, const ee_backend *backend, ee_resident **res) {
  *res = NULL;
  if (backend->open != NULL) EE_TRY(backend->open());
  size_t       n_layers = (size_t)model->n_layers, n_nodes = (size_t)model->n_nodes;
  ee_resident *r = calloc(1, sizeof *r);
  if (r == NULL) return EE_FAIL(EE_ERR_NOMEM, "to hold layers");
  *r = (ee_resident){.model    = model,
                     .layer    = calloc(n_layers, sizeof *r->layer),
                     .start    = calloc(n_layers + 1, sizeof *r->start),
                     .prepared = calloc(n_nodes + 1, sizeof *r->prepared),
                     .place    = calloc(n_nodes + 1, EE_MAX_NODE_INPUTS * sizeof *r->place)};

  ee_status status;
  if (r->layer == NULL || r->start == NULL || r->prepared == NULL || r->place == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "to hold %d layers", model->n_layers);
  } else {
    status = ee_program_make(model, backend, &r->program);
    if (status == EE_OK) status = place_constants(r);
  }
  if (status != EE_OK) ee_resident_destroy(&r);
  *res = r;
  return status;
}

/* The layer's blob from the model's own constants. */
static ee_status copy_constants(const ee_model *model, int layer, float **blob) {
  int *list, n;
  EE_TRY(ee_model_layer_constants(model, layer, &list, &n));
  ee_status status = EE_OK;
  float    *to     = malloc(model->layer[layer].weight_bytes);
  *blob            = to;
  if (to == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for the %zu bytes of layer '%s'",
                     model->layer[layer].weight_bytes, model->layer[layer].name);
  }
  for (int i = 0; status == EE_OK && i < n; i++) {
    const ee_value *value = &model->value[list[i]];
    size_t          count = (size_t)ee_model_value_elements(model, list[i]);
    if (value->data == NULL) {
      status = EE_FAIL(EE_ERR_ARG, "layer '%s' needs its weights: those of '%s' are not in memory",
                       model->layer[layer].name, value->name);
      break;
    }
    memcpy(to, value->data, count * sizeof *to);
    to += count;
  }
  free(list);
  if (status == EE_OK) return EE_OK;
  free(*blob);
  *blob = NULL;
  return status;
}

static void bind_constants(const ee_resident *res, int n, const float *in[EE_MAX_NODE_INPUTS]) {
  const ee_node *node = &res->model->node[n];
  const float   *blob = res->layer[ee_node_owner(res->model, node)].blob;
  const size_t  *at   = res->place + (size_t)n * EE_MAX_NODE_INPUTS;
  for (int i = 0; i < node->n_in; i++) {
    if (ee_node_reads_constant(res->model, node, i)) in[i] = blob + at[i];
  }
}

static void release_node(ee_resident *res, int n) {
  const ee_backend *runner = res->program.runner[n];
  if (res->prepared[n] != NULL && runner->release != NULL) runner->release(res->prepared[n]);
  res->prepared[n] = NULL;
}

static ee_status prepare_node(ee_resident *res, int n, size_t *packed_bytes) {
  const ee_node    *node   = &res->model->node[n];
  const ee_backend *runner = res->program.runner[n];
  if (runner->prepare == NULL) return EE_OK;
  const float *constant[EE_MAX_NODE_INPUTS] = {NULL};
  bind_constants(res, n, constant);
  EE_TRY(runner->prepare(res->model, node, constant, &res->prepared[n]));
  if (res->prepared[n] != NULL) *packed_bytes += runner->prepared_bytes(res->model, node);
  return EE_OK;
}

static size_t layer_bytes(const ee_resident *res, int layer) {
  return res->model->layer[layer].weight_bytes + res->layer[layer].packed_bytes;
}

static void free_layer(ee_resident *res, int layer) {
  for (int k = res->start[layer]; k < res->start[layer + 1]; k++) release_node(res, k);
  free(res->layer[layer].blob);
  res->layer[layer] = (held_layer){0};
}

static ee_status load_layer(ee_resident *res, int layer, float *blob) {
  held_layer *held = &res->layer[layer];
  if (blob == NULL && res->model->layer[layer].weight_bytes > 0) {
    EE_TRY(copy_constants(res->model, layer, &blob));
  }
  *held            = (held_layer){.holds = 1, .blob = blob};
  ee_status status = EE_OK;
  for (int k = res->start[layer]; status == EE_OK && k < res->start[layer + 1]; k++) {
    status = prepare_node(res, k, &held->packed_bytes);
  }
  if (status != EE_OK) {
    free_layer(res, layer);
    return status;
  }
  res->bytes += layer_bytes(res, layer);
  return EE_OK;
}

ee_status ee_resident_add(ee_resident *res, int layer, float *blob) {
  if (layer < 0 || layer >= res->model->n_layers) {
    free(blob);
    return EE_FAIL(EE_ERR_ARG, "there is no layer %d; the model has %d", layer,
                   res->model->n_layers);
  }
  if (!ee_resident_has(res, layer)) return load_layer(res, layer, blob);
  free(blob);
  res->layer[layer].holds++;
  return EE_OK;
}

void ee_resident_drop(ee_resident *res, int layer) {
  if (!ee_resident_has(res, layer) || --res->layer[layer].holds > 0) return;
  res->bytes -= layer_bytes(res, layer);
  free_layer(res, layer);
}

bool ee_resident_has(const ee_resident *res, int layer) {
  return layer >= 0 && layer < res->model->n_layers && res->layer[layer].holds > 0;
}

const float *ee_resident_blob(const ee_resident *res, int layer) {
  return ee_resident_has(res, layer) ? res->layer[layer].blob : NULL;
}

const ee_backend *ee_resident_runner(const ee_resident *res, int k, int64_t n,
                                     const char **kernel) {
  const ee_backend *runner = res->program.runner[k];
  const ee_node    *node   = &res->model->node[k];
  *kernel = runner->kernel != NULL ? runner->kernel(res->model, node, n, res->prepared[k]) : NULL;
  return runner;
}

size_t ee_resident_bytes(const ee_resident *res) {
  return res->bytes;
}

const ee_backend *ee_resident_bind(const ee_resident *res, int n, ee_kernel_call *call) {
  bind_constants(res, n, call->in);
  call->prepared = res->prepared[n];
  return res->program.runner[n];
}

void ee_resident_destroy(ee_resident **res) {
  ee_resident *r = *res;
  if (r == NULL) return;
  for (int layer = 0; r->layer != NULL && layer < r->model->n_layers; layer++) {
    if (r->layer[layer].holds > 0) free_layer(r, layer);
  }
  ee_program_free(&r->program);
  free(r->layer);
  free(r->start);
  free(r->prepared);
  free(r->place);
  free(r);
  *res = NULL;
}
