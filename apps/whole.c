/* SPDX-License-Identifier: Apache-2.0 */
#include "whole.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fallback.h"
#include "tuned.h"
#include "whole_cuts.h"
#include "winograd.h"

static ee_status refuse_backend(const char *source, const char *name) {
  const char *const *names     = ee_backend_names();
  char               list[128] = "";
  for (int i = 0; names[i] != NULL; i++) {
    size_t at = strlen(list);
    snprintf(list + at, sizeof list - at, " %s", names[i]);
  }
  return EE_FAIL(EE_ERR_USAGE, "%s is %s; there are:%s", source, name, list);
}

ee_status ee_choose_backend(const char *name, const ee_backend **backend) {
  const char *source = "--backend";
  if (name == NULL) {
    name   = getenv("EE_BACKEND");
    source = "the environment's EE_BACKEND";
    if (name == NULL || name[0] == '\0') name = ee_backend_names()[0];
  }
  EE_TRY(ee_choose_winograd());
  EE_TRY(ee_choose_tuned());
  *backend = ee_backend_by_name(name);
  if (*backend == NULL) return refuse_backend(source, name);
  return (*backend)->open != NULL ? (*backend)->open() : EE_OK;
}

/* Weights come from @p file, or are the model's own if it is NULL. */
static ee_status open_parts(ee_whole *w, const ee_backend *backend, ee_model_file *file) {
  EE_TRY(ee_resident_create(w->model, backend, &w->resident));
  for (int l = 0; l < w->model->n_layers; l++) {
    float *blob = NULL;
    if (file != NULL) EE_TRY(ee_model_file_read_layer(file, l, &blob));
    EE_TRY(ee_resident_add(w->resident, l, blob));
  }
  return ee_exec_create(w->resident, 0, w->model->n_layers, w->batch_limit, &w->exec);
}

static ee_status open_whole(const ee_model *model, ee_model_file *file, const char *backend,
                            int batch_limit, ee_whole *whole) {
  *whole = (ee_whole){.model = model, .batch_limit = model->batched ? batch_limit : 1};
  EE_TRY(ee_choose_backend(backend, &whole->backend));
  ee_say_fallback(model, whole->backend);
  ee_say_tuned(model, whole->backend);
  ee_status status = open_parts(whole, whole->backend, file);
  if (status != EE_OK) ee_whole_close(whole);
  return status;
}

ee_status ee_whole_open(const ee_model *model, const char *backend, int batch_limit,
                        ee_whole *whole) {
  return open_whole(model, NULL, backend, batch_limit, whole);
}

ee_status ee_whole_open_file(ee_model_file *file, const char *backend, int batch_limit,
                             ee_whole *whole) {
  return open_whole(ee_model_file_model(file), file, backend, batch_limit, whole);
}

float *ee_whole_input(ee_whole *whole) {
  return ee_exec_input(whole->exec, whole->model->input);
}

/* What the head of exit @p e just made on @p exec, to its place in the arrays of all exits. */
static void keep_outputs(const ee_whole *whole, ee_exec *exec, int e, size_t n, const float *z,
                         float *logits, float *score) {
  const float *s       = ee_exec_score(exec, e);
  size_t       classes = (size_t)whole->model->n_classes, exits = (size_t)whole->model->n_exits;
  for (size_t i = 0; i < n; i++) {
    size_t cell = i * exits + (size_t)e;
    memcpy(logits + cell * classes, z + i * classes, classes * sizeof *z);
    if (score != NULL) score[cell] = s != NULL ? s[i] : NAN;
  }
}

ee_status ee_whole_run(ee_whole *whole, int n, float *logits, float *score) {
  const ee_model *m    = whole->model;
  ee_exec        *exec = whole->exec;
  int             at   = 0;
  for (int e = 0; e < m->n_exits; e++) {
    const float *z;
    int          behind = m->exit[e].attach + 1;
    if (whole->cuts != NULL) EE_TRY(ee_whole_cross(whole, n, behind, &at, &exec));
    EE_TRY(ee_exec_run_layers(exec, at, behind, n));
    at = behind;
    EE_TRY(ee_exec_run_head(exec, e, n, &z));
    keep_outputs(whole, exec, e, (size_t)n, z, logits, score);
  }
  return EE_OK;
}

void ee_whole_close(ee_whole *whole) {
  ee_whole_cuts_free(whole);
  ee_exec_destroy(&whole->exec);
  ee_resident_destroy(&whole->resident);
}
