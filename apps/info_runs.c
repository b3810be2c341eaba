/* SPDX-License-Identifier: Apache-2.0 */
/* What would run a model on this host, and in how much memory. */
#include <stdio.h>

#include "ee/quantization.h"
#include "ee/tuning.h"
#include "info_parts.h"
#include "json.h"
#include "memory_json.h"
#include "tuned.h"
#include "whole.h"

#define LARGER_BATCH 8  // told beside a batch of 1

/* What a backend says of itself, or nothing. */
static const char *uses(const ee_backend *backend, char *text, size_t size) {
  text[0] = '\0';
  if (backend->describe != NULL) backend->describe(text, size);
  return text;
}

/* How the model was tuned, if it was. */
static void print_tuning(const ee_model *m) {
  const ee_tuning *t = &m->tuning;
  if (t->cpu[0] == '\0') return;
  printf("tuned on: %s with %s, batch %d: %d nodes do not go by rule (%s)\n", t->cpu, t->vectors,
         t->batch, ee_tuning_count(m), ee_tuned_text(m));
}

/* A switch that the model has, not what is on. */
static void print_winograd(const ee_model *m) {
  if (m->no_winograd) printf("Winograd convolutions are off in this model\n");
}

static void add_tuning(const ee_model *m, cJSON *to) {
  const ee_tuning *t = &m->tuning;
  if (t->cpu[0] == '\0') return;
  cJSON *one = cJSON_AddObjectToObject(to, "tuned");
  cJSON_AddStringToObject(one, "cpu", t->cpu);
  cJSON_AddStringToObject(one, "vectors", t->vectors);
  cJSON_AddNumberToObject(one, "version", t->version);
  cJSON_AddNumberToObject(one, "batch", t->batch);
  cJSON_AddNumberToObject(one, "nodes", ee_tuning_count(m));
  cJSON_AddStringToObject(one, "counts", ee_tuned_text(m));
}

/* The scales that the backend int8 would use, if there are any. */
static void print_quantization(const ee_model *m) {
  const ee_quantization *q = &m->quantization;
  if (q->method[0] == '\0') return;
  printf("8 bits: %d of %d nodes have scales, by %s of %d samples, for --backend int8\n",
         ee_quantization_count(m), ee_quantization_possible(m), q->method, q->samples);
}

static void add_quantization(const ee_model *m, cJSON *to) {
  const ee_quantization *q = &m->quantization;
  if (q->method[0] == '\0') return;
  cJSON *one = cJSON_AddObjectToObject(to, "quantized");
  cJSON_AddStringToObject(one, "method", q->method);
  cJSON_AddNumberToObject(one, "samples", q->samples);
  cJSON_AddNumberToObject(one, "nodes", ee_quantization_count(m));
  cJSON_AddNumberToObject(one, "possible", ee_quantization_possible(m));
}

static ee_status memory_of(const ee_model *m, const ee_backend *backend, int batch,
                           ee_memory_need *need) {
  return ee_exec_memory(m, backend, 0, m->n_layers, batch, need);
}

ee_status ee_info_runs_text(const ee_model *m) {
  const ee_backend *backend;
  ee_memory_need    need;
  char              text[160];
  EE_TRY(ee_choose_backend(NULL, &backend));
  EE_TRY(memory_of(m, backend, 1, &need));
  printf("\nruns on: backend %s on %s, %s", backend->name, ee_cpu_name(),
         ee_cpu_level_name(ee_backend_vectors(backend)));
  printf("%s%s\n", backend->describe != NULL ? "; " : "", uses(backend, text, sizeof text));
  printf("backends:");
  for (const char *const *name = ee_backend_names(); *name != NULL; name++) printf(" %s", *name);
  printf("\n");
  print_winograd(m);
  print_tuning(m);
  print_quantization(m);
  printf("memory: weights %.2f MB, packed %.2f MB, activations %.2f MB",
         (double)need.weights * 1e-6, (double)need.packed * 1e-6, (double)need.arena * 1e-6);
  if (m->batched) {
    EE_TRY(memory_of(m, backend, LARGER_BATCH, &need));
    printf(" at batch 1, %.2f MB at batch %d", (double)need.arena * 1e-6, LARGER_BATCH);
  }
  printf("\n");
  return EE_OK;
}

static ee_status add_memory(const ee_model *m, const ee_backend *backend, cJSON *to) {
  cJSON *list = cJSON_AddArrayToObject(to, "memory");
  for (int batch = 1; batch <= (m->batched ? LARGER_BATCH : 1); batch += LARGER_BATCH - 1) {
    ee_memory_need need;
    cJSON         *one = ee_json_item(list);
    EE_TRY(memory_of(m, backend, batch, &need));
    cJSON_AddNumberToObject(one, "batch", batch);
    ee_memory_add(&need, one);
  }
  return EE_OK;
}

ee_status ee_info_runs_add(const ee_model *m, cJSON *to) {
  const ee_backend *backend;
  char              text[160];
  cJSON            *runs = cJSON_AddObjectToObject(to, "runs");
  EE_TRY(ee_choose_backend(NULL, &backend));
  cJSON_AddStringToObject(runs, "cpu", ee_cpu_name());
  cJSON_AddStringToObject(runs, "vectors", ee_cpu_level_name(ee_backend_vectors(backend)));
  cJSON_AddStringToObject(runs, "backend", backend->name);
  cJSON_AddStringToObject(runs, "backend_uses", uses(backend, text, sizeof text));
  cJSON_AddBoolToObject(runs, "winograd_off", m->no_winograd);
  add_tuning(m, runs);
  add_quantization(m, runs);
  cJSON *list = cJSON_AddArrayToObject(runs, "backends");
  for (const char *const *name = ee_backend_names(); *name != NULL; name++) {
    cJSON_AddItemToArray(list, cJSON_CreateString(*name));
  }
  return add_memory(m, backend, runs);
}
