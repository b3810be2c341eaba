/* SPDX-License-Identifier: Apache-2.0 */
/* What would run a model on this host, and in how much memory. */
#include <stdio.h>

#include "ee/quantization.h"
#include "ee/tuning.h"
#include "info_parts.h"
#include "json.h"
#include "memory_json.h"
#include "profiled.h"
#include "tuned.h"
#include "whole.h"

#define LARGER_BATCH 8  // told beside a batch of 1

/* What a backend says of itself, or nothing. */
static const char *uses(const ee_backend *backend, char *text, size_t size) {
  text[0] = '\0';
  if (backend->describe != NULL) backend->describe(text, size);
  return text;
}

/* With what the model was profiled, if it was. */
static void print_profile(const ee_model *m) {
  char text[192];
  if (ee_is_profiled(m))
    printf("profiled with: %s\n", ee_profile_text(&m->profile, text, sizeof text));
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

static void add_profile(const ee_model *m, const ee_backend *backend, cJSON *to) {
  const ee_profile *p = &m->profile;
  if (!ee_is_profiled(m)) return;
  cJSON *one = cJSON_AddObjectToObject(to, "profiled");
  cJSON_AddBoolToObject(one, "recorded", p->backend[0] != '\0');
  cJSON_AddStringToObject(one, "backend", p->backend);
  cJSON_AddStringToObject(one, "cpu", p->cpu);
  cJSON_AddStringToObject(one, "vectors", p->vectors);
  cJSON_AddBoolToObject(one, "alike", ee_profiled_alike(m, backend));
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

static void print_backends(const ee_backend *backend) {
  char text[160];
  printf("runs on: backend %s on %s, %s", backend->name, ee_cpu_name(),
         ee_cpu_level_name(ee_backend_vectors(backend)));
  printf("%s%s\n", backend->describe != NULL ? "; " : "", uses(backend, text, sizeof text));
  printf("backends:");
  for (const char *const *name = ee_backend_names(); *name != NULL; name++) printf(" %s", *name);
  printf("\n");
}

static void add_backends(const ee_backend *backend, cJSON *to) {
  char text[160];
  cJSON_AddStringToObject(to, "backend", backend->name);
  cJSON_AddStringToObject(to, "backend_uses", uses(backend, text, sizeof text));
  cJSON_AddStringToObject(to, "cpu", ee_cpu_name());
  cJSON_AddStringToObject(to, "vectors", ee_cpu_level_name(ee_backend_vectors(backend)));
  cJSON *list = cJSON_AddArrayToObject(to, "backends");
  for (const char *const *name = ee_backend_names(); *name != NULL; name++) {
    cJSON_AddItemToArray(list, cJSON_CreateString(*name));
  }
}

ee_status ee_info_host(bool json) {
  const ee_backend *backend;
  EE_TRY(ee_choose_backend(NULL, &backend));
  if (!json) {
    print_backends(backend);
    return EE_OK;
  }
  cJSON *all = cJSON_CreateObject();
  add_backends(backend, all);
  return ee_json_print(all);
}

ee_status ee_info_runs_text(const ee_model *m) {
  const ee_backend *backend;
  ee_memory_need    need;
  EE_TRY(ee_choose_backend(NULL, &backend));
  EE_TRY(memory_of(m, backend, 1, &need));
  printf("\n");
  print_backends(backend);
  print_winograd(m);
  print_profile(m);
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
  cJSON            *runs = cJSON_AddObjectToObject(to, "runs");
  EE_TRY(ee_choose_backend(NULL, &backend));
  add_backends(backend, runs);
  cJSON_AddBoolToObject(runs, "winograd_off", m->no_winograd);
  add_profile(m, backend, runs);
  add_tuning(m, runs);
  add_quantization(m, runs);
  return add_memory(m, backend, runs);
}
