/* SPDX-License-Identifier: Apache-2.0 */
/* What tune found out, as text or as one JSON object. */
#include <stdio.h>

#include "json.h"
#include "tune.h"

static int n_parts(const ee_tune *t) {
  return t->model->n_layers + t->model->n_exits;
}

static const char *name_of(const ee_tune *t, int p) {
  const ee_model *m = t->model;
  return p < m->n_layers ? m->layer[p].name : m->exit[p - m->n_layers].name;
}

static void print_part(const ee_tune *t, int p) {
  const ee_tuned_part *part = &t->part[p];
  int                  l    = t->model->n_layers;
  printf("%-5s %3d  %-32.32s %-14s %-14s %6.3f\n", p < l ? "layer" : "head", p < l ? p : p - l,
         name_of(t, p), part->by_rule, part->tuned, part->ratio);
}

void ee_tune_print_text(const ee_tune *t) {
  int n = 0;
  for (int p = 0; p < n_parts(t); p++) n += t->part[p].tuned != NULL;
  printf("%s, batch %d, %s with %s\n", t->model->name, t->batch, t->model->tuning.cpu,
         t->model->tuning.vectors);
  if (n == 0) {
    printf("no layer is faster by more than %.0f%% than as the rule has it\n",
           100.0 * EE_TUNE_LEAST_GAIN);
    return;
  }
  printf("%-5s %3s  %-32s %-14s %-14s %6s\n", "", "", "name", "by rule", "faster", "time");
  for (int p = 0; p < n_parts(t); p++) {
    if (t->part[p].tuned != NULL) print_part(t, p);
  }
  printf("the whole takes %.3f of its time by rule: %s\n", t->whole,
         t->kept ? "stored" : "not worth it, all layers stay with the rule");
}

static void add_part(const ee_tune *t, int p, cJSON *list) {
  const ee_tuned_part *part = &t->part[p];
  int                  l    = t->model->n_layers;
  cJSON               *one  = ee_json_item(list);
  cJSON_AddNumberToObject(one, p < l ? "layer" : "exit", p < l ? p : p - l);
  cJSON_AddStringToObject(one, "name", name_of(t, p));
  cJSON_AddStringToObject(one, "by_rule", part->by_rule);
  cJSON_AddStringToObject(one, "tuned", part->tuned);
  cJSON_AddNumberToObject(one, "ratio", part->ratio);
}

ee_status ee_tune_print_json(const ee_tune *t) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "model", t->model->name);
  cJSON_AddStringToObject(all, "cpu", t->model->tuning.cpu);
  cJSON_AddStringToObject(all, "vectors", t->model->tuning.vectors);
  cJSON_AddNumberToObject(all, "batch", t->batch);
  cJSON_AddNumberToObject(all, "ratio", t->whole);
  cJSON_AddBoolToObject(all, "stored", t->kept);
  cJSON *list = cJSON_AddArrayToObject(all, "faster");
  for (int p = 0; p < n_parts(t); p++) {
    if (t->part[p].tuned != NULL) add_part(t, p, list);
  }
  return ee_json_print(all);
}
