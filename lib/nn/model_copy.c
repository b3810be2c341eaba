/* SPDX-License-Identifier: Apache-2.0 */
#include "model_copy.h"

#include <stdlib.h>
#include <string.h>

/* A copy of @p n elements of @p size bytes, with room for @p more. */
static void *copy_of(const void *from, int n, int more, size_t size) {
  char *to = calloc((size_t)n + (size_t)more + 1, size);
  if (to != NULL && n > 0 && from != NULL) memcpy(to, from, (size_t)n * size);
  return to;
}

static ee_model scalars_of(const ee_model *from) {
  ee_model to = {.no_winograd  = from->no_winograd,
                 .batched      = from->batched,
                 .input        = from->input,
                 .n_values     = from->n_values,
                 .n_nodes      = from->n_nodes,
                 .n_layers     = from->n_layers,
                 .n_exits      = from->n_exits,
                 .n_classes    = from->n_classes,
                 .profile      = from->profile,
                 .tuning       = from->tuning,
                 .quantization = from->quantization};
  memcpy(to.name, from->name, sizeof to.name);
  return to;
}

/* Everything that the model owns. */
static bool copy_lists(const ee_model *from, int more, ee_model *to) {
  int n_live       = from->cut_start[from->n_layers + 1];
  to->value        = copy_of(from->value, from->n_values, more, sizeof *to->value);
  to->node         = copy_of(from->node, from->n_nodes, more, sizeof *to->node);
  to->layer        = copy_of(from->layer, from->n_layers, 0, sizeof *to->layer);
  to->exit         = copy_of(from->exit, from->n_exits, 0, sizeof *to->exit);
  to->head_flops   = copy_of(from->head_flops, from->n_exits, 0, sizeof *to->head_flops);
  to->head_seconds = copy_of(from->head_seconds, from->n_exits, 0, sizeof *to->head_seconds);
  to->cut_start    = copy_of(from->cut_start, from->n_layers + 2, 0, sizeof *to->cut_start);
  to->cut_value    = copy_of(from->cut_value, n_live, 0, sizeof *to->cut_value);
  for (int v = 0; to->value != NULL && v < from->n_values; v++) to->value[v].data = NULL;
  return to->value != NULL && to->node != NULL && to->layer != NULL && to->exit != NULL &&
         to->head_flops != NULL && to->head_seconds != NULL && to->cut_start != NULL &&
         to->cut_value != NULL;
}

ee_status ee_model_outline(const ee_model *from, int more, ee_model **to) {
  ee_model *m = calloc(1, sizeof *m);
  if (m != NULL) *m = scalars_of(from);
  if (m == NULL || !copy_lists(from, more, m)) {
    ee_model_destroy(&m);
    *to = NULL;
    return EE_FAIL(EE_ERR_NOMEM, "for a part of model '%s'", from->name);
  }
  *to = m;
  return EE_OK;
}

static ee_status copy_constant(const ee_model *from, int v, ee_model *to) {
  const float *data = from->value[v].data;
  if (data == NULL || to->value[v].data != NULL) return EE_OK;
  size_t bytes      = (size_t)ee_model_value_elements(from, v) * sizeof *data;
  to->value[v].data = malloc(bytes);
  if (to->value[v].data == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu bytes of weights", bytes);
  memcpy(to->value[v].data, data, bytes);
  return EE_OK;
}

ee_status ee_model_copy_constants(const ee_model *from, const ee_model *of, int layer,
                                  ee_model *to) {
  int *list, n;
  EE_TRY(ee_model_layer_constants(of, layer, &list, &n));
  ee_status status = EE_OK;
  for (int i = 0; i < n && status == EE_OK; i++) status = copy_constant(from, list[i], to);
  free(list);
  return status;
}
