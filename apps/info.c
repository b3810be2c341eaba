/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit info: what a file of ours holds; models and data are told here. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "ee/backend.h"
#include "ee/data_file.h"
#include "ee/file_format.h"
#include "ee/model_file.h"
#include "info_parts.h"
#include "json.h"

static ee_status model_text(const ee_model *m) {
  char text[128];
  printf("model %s: input %s, %d classes, %d layers, %d exits%s\n", m->name,
         ee_shape_text(&m->value[m->input].shape, text, sizeof text), m->n_classes, m->n_layers,
         m->n_exits, m->batched ? "" : ", one sample at a time");
  if (m->provenance != NULL) printf("provenance: %s\n", m->provenance);
  printf("\nlayer  name                              MFLOP  weights kB  sends on kB\n");
  for (int l = 0; l < m->n_layers; l++) {
    printf("%5d  %-28.28s %10.3f %11.1f %12.1f\n", l, m->layer[l].name, m->layer[l].flops * 1e-6,
           (double)m->layer[l].weight_bytes * 1e-3, (double)ee_model_cut_bytes(m, l + 1) * 1e-3);
  }
  printf("\nexit  name                      after layer  head MFLOP  temperature\n");
  for (int e = 0; e < m->n_exits; e++) {
    printf("%4d  %-24.24s %12d %11.3f %12.4f\n", e, m->exit[e].name, m->exit[e].attach,
           m->head_flops[e] * 1e-6, (double)m->exit[e].temperature);
  }
  return ee_info_runs_text(m);
}

static ee_status model_json(const ee_model *m) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "format", "edgeexit-model");
  cJSON_AddStringToObject(all, "name", m->name);
  cJSON_AddStringToObject(all, "provenance", m->provenance != NULL ? m->provenance : "");
  cJSON_AddNumberToObject(all, "classes", m->n_classes);
  cJSON_AddBoolToObject(all, "batched", m->batched);
  cJSON *layers = cJSON_AddArrayToObject(all, "layers");
  for (int l = 0; l < m->n_layers; l++) {
    cJSON *one = ee_json_item(layers);
    cJSON_AddStringToObject(one, "name", m->layer[l].name);
    cJSON_AddNumberToObject(one, "flops", m->layer[l].flops);
    cJSON_AddNumberToObject(one, "seconds", m->layer[l].seconds);
    cJSON_AddNumberToObject(one, "weight_bytes", (double)m->layer[l].weight_bytes);
    cJSON_AddNumberToObject(one, "cut_bytes", (double)ee_model_cut_bytes(m, l + 1));
  }
  cJSON *exits = cJSON_AddArrayToObject(all, "exits");
  for (int e = 0; e < m->n_exits; e++) {
    cJSON *one = ee_json_item(exits);
    cJSON_AddStringToObject(one, "name", m->exit[e].name);
    cJSON_AddNumberToObject(one, "attach", m->exit[e].attach);
    cJSON_AddNumberToObject(one, "head_flops", m->head_flops[e]);
    cJSON_AddNumberToObject(one, "temperature", (double)m->exit[e].temperature);
  }
  ee_status status = ee_info_runs_add(m, all);
  if (status == EE_OK) return ee_json_print(all);
  cJSON_Delete(all);
  return status;
}

static ee_status info_model(const char *path, bool json) {
  ee_model_file *file = NULL;
  ee_status      status;
  EE_TRY(ee_model_file_open(path, &file));
  const ee_model *m = ee_model_file_model(file);
  status            = json ? model_json(m) : model_text(m);
  ee_model_file_close(&file);
  return status;
}

static void add_names(cJSON *to, const char *key, int n, const char *const *name) {
  cJSON *list = cJSON_AddArrayToObject(to, key);
  for (int i = 0; i < n; i++) cJSON_AddItemToArray(list, cJSON_CreateString(name[i]));
}

static ee_status info_data(const char *path, bool json) {
  ee_data_file *file = NULL;
  EE_TRY(ee_data_open(path, &file));
  const ee_data_info *d      = ee_data_file_info(file);
  const char         *type   = d->type == EE_DATA_U8 ? "uint8" : "float32";
  ee_status           status = EE_OK;
  if (json) {
    cJSON *all = cJSON_CreateObject();
    cJSON_AddStringToObject(all, "format", "edgeexit-data");
    cJSON_AddNumberToObject(all, "samples", (double)d->n);
    cJSON *shape = cJSON_AddArrayToObject(all, "shape");
    for (int i = 0; i < 3; i++) cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)d->dim[i]));
    cJSON_AddStringToObject(all, "type", type);
    cJSON_AddBoolToObject(all, "labelled", d->labelled);
    add_names(all, "classes", d->n_classes, d->class_name);
    add_names(all, "attributes", d->n_attributes, d->attribute);
    cJSON_AddStringToObject(all, "provenance", d->provenance);
    status = ee_json_print(all);
  } else {
    printf("data: %lld samples of %s [%lld, %lld, %lld], %s\n", (long long)d->n, type,
           (long long)d->dim[0], (long long)d->dim[1], (long long)d->dim[2],
           d->labelled ? "labelled" : "unlabelled");
    for (int c = 0; c < d->n_classes; c++) printf("class %d  %s\n", c, d->class_name[c]);
    for (int a = 0; a < d->n_attributes; a++) printf("attribute  %s\n", d->attribute[a]);
    if (d->provenance[0] != '\0') printf("provenance: %s\n", d->provenance);
  }
  ee_data_close(&file);
  return status;
}

static ee_status info(const char *path, bool json) {
  char format[64];
  if (ee_file_is_unsealed(path)) return ee_info_trace(path, json);
  EE_TRY(ee_file_format(path, format, sizeof format));
  if (strcmp(format, "edgeexit-model") == 0) return info_model(path, json);
  if (strcmp(format, "edgeexit-data") == 0) return info_data(path, json);
  if (strcmp(format, "edgeexit-exits") == 0) return ee_info_exits(path, json);
  if (strcmp(format, "edgeexit-result") == 0) return ee_info_result(path, json);
  if (strcmp(format, "edgeexit-reliability") == 0) return ee_info_reliability(path, json);
  return EE_FAIL(EE_ERR_FORMAT, "%s holds %s, which is not known here", path, format);
}

int ee_app_info(int argc, char **argv) {
  bool            json = false;
  const char     *in[1];
  const ee_option option[] = {
      {"json", 0, EE_OPTION_FLAG, &json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit info [--json] [FILE.h5]",
                                "What a file of ours holds: a model, data, an exit table, results, "
                                "reliability\ndiagrams or a trace.  Without one: what would run "
                                "models on this host.",
                                option,
                                sizeof option / sizeof option[0],
                                0,
                                1};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  return ee_app_finish(n == 0 ? ee_info_host(json) : info(in[0], json));
}
