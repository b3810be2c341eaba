/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of backends. */
#include "ee/backend.h"

#include <string.h>

static const ee_backend *const backends[] = {&ee_backend_simd, &ee_backend_blis, &ee_backend_ref,
                                             &ee_backend_int8};  // in float32, best first; int8

#define N_BACKENDS (sizeof backends / sizeof backends[0])
#define N_FLOAT32 (N_BACKENDS - 1)

const ee_backend *ee_backend_by_name(const char *name) {
  for (size_t i = 0; i < N_BACKENDS; i++) {
    if (strcmp(backends[i]->name, name) == 0) return backends[i];
  }
  return NULL;
}

const char *const *ee_backend_names(void) {
  static const char *names[N_BACKENDS + 1];
  for (size_t i = 0; i < N_BACKENDS; i++) names[i] = backends[i]->name;
  return names;
}

const ee_backend *ee_backend_for(const ee_backend *backend, const ee_model *model,
                                 const ee_node *node) {
  size_t i = 0;
  if (backend->can(model, node)) return backend;
  if (backend != &ee_backend_int8) {
    while (i < N_FLOAT32 && backends[i] != backend) i++;
    i++;
  }
  for (; i < N_FLOAT32; i++) {
    if (backends[i]->can(model, node)) return backends[i];
  }
  return &ee_backend_ref;
}

ee_method ee_backend_way(const ee_backend *backend, const ee_model *model, const ee_node *node) {
  const ee_backend *runner = ee_backend_for(backend, model, node);
  return runner->way != NULL ? runner->way(model, node) : EE_METHOD_BY_RULE;
}

ee_cpu_level ee_backend_vectors(const ee_backend *backend) {
  return backend->vectors != NULL ? backend->vectors() : ee_cpu_vectors();
}
