/* SPDX-License-Identifier: Apache-2.0 */
/* What tune found out, as text or as one JSON object. */
#include <math.h>
#include <stdio.h>

#include "ee/tuning.h"

#include "json.h"
#include "tune.h"

static int n_parts(const ee_tune *t) {
  return t->model->n_layers + t->model->n_exits;
}

const char *ee_tune_part_name(const ee_tune *t, int p) {
  const ee_model *m = t->model;
  return p < m->n_layers ? m->layer[p].name : m->exit[p - m->n_layers].name;
}

static void print_part(const ee_tune *t, int p) {
  const ee_tuned_part *part = &t->part[p];
  int                  l    = t->model->n_layers;
  printf("%-5s %3d  %-32.32s %-14s %-14s %6.3f\n", p < l ? "layer" : "head", p < l ? p : p - l,
         ee_tune_part_name(t, p), part->by_rule, part->tuned, part->ratio);
}

void ee_tune_print_text(const ee_tune *t) {
  char verdict[EE_TUNE_VERDICT_BYTES];
  int  n = 0;
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
  ee_tune_verdict(t, verdict, sizeof verdict);
  printf("%s\n", verdict);
}

static void add_part(const ee_tune *t, int p, cJSON *list) {
  const ee_tuned_part *part = &t->part[p];
  int                  l    = t->model->n_layers;
  cJSON               *one  = ee_json_item(list);
  cJSON_AddNumberToObject(one, p < l ? "layer" : "exit", p < l ? p : p - l);
  cJSON_AddStringToObject(one, "name", ee_tune_part_name(t, p));
  cJSON_AddStringToObject(one, "by_rule", part->by_rule);
  cJSON_AddStringToObject(one, "tuned", part->tuned);
  cJSON_AddNumberToObject(one, "ratio", part->ratio);
}

/* Times of all methods of part @p p, in units of that by rule. */
static void add_ratios(const ee_tune *t, int p, cJSON *one) {
  cJSON *ratios = cJSON_AddObjectToObject(one, "ratios");
  for (int w = EE_METHOD_BY_RULE + 1; w < EE_METHOD_COUNT; w++) {
    double ratio = t->ratio[p * EE_METHOD_COUNT + w];
    if (!isnan(ratio)) cJSON_AddNumberToObject(ratios, ee_method_name((ee_method)w), ratio);
  }
}

static void add_tried(const ee_tune *t, cJSON *all) {
  cJSON *list = cJSON_AddArrayToObject(all, "tried");
  int    l    = t->model->n_layers;
  for (int p = 0; p < n_parts(t); p++) {
    if (t->part[p].node < 0) continue;
    cJSON *one = ee_json_item(list);
    cJSON_AddNumberToObject(one, p < l ? "layer" : "exit", p < l ? p : p - l);
    cJSON_AddStringToObject(one, "name", ee_tune_part_name(t, p));
    cJSON_AddStringToObject(one, "by_rule", t->part[p].by_rule);
    add_ratios(t, p, one);
  }
}

ee_status ee_tune_print_json(const ee_tune *t) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "model", t->model->name);
  cJSON_AddStringToObject(all, "cpu", t->model->tuning.cpu);
  cJSON_AddStringToObject(all, "vectors", t->model->tuning.vectors);
  cJSON_AddNumberToObject(all, "batch", t->batch);
  cJSON_AddNumberToObject(all, "ratio", t->whole);
  cJSON_AddNumberToObject(all, "ratio_upper", t->whole_upper);
  cJSON_AddNumberToObject(all, "cpu_share", t->cpu_share);
  cJSON_AddBoolToObject(all, "stored", t->kept);
  cJSON *list = cJSON_AddArrayToObject(all, "faster");
  for (int p = 0; p < n_parts(t); p++) {
    if (t->part[p].tuned != NULL) add_part(t, p, list);
  }
  add_tried(t, all);
  return ee_json_print(all);
}
