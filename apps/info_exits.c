/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit info: an exit table, and how good the answers of its exits are. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ee/exit_quality.h"
#include "ee/exits_file.h"
#include "info_parts.h"
#include "json.h"

/* What is told. */
typedef struct exits_told {
  const ee_exits_info *info;
  ee_exit_quality     *quality;  // shape [n_exits]
  ee_answer_kinds      kinds;
} exits_told;

static void print_figure(const char *name, double x) {
  if (!isnan(x)) printf(", %s %.4f", name, x);
}

static void print_text(const exits_told *t) {
  const ee_exits_info *x    = t->info;
  const char          *what = x->has_logits       ? "logits"
                              : x->has_confidence ? "predictions and confidences"
                                                  : "predictions";
  printf("exit table: %s of %lld samples, %d exits, %d classes, %d layers\n", what, (long long)x->n,
         x->n_exits, x->n_classes, x->n_layers);
  if (x->provenance[0] != '\0') printf("provenance: %s\n", x->provenance);
  if (x->identity != 0) printf("network: %s, %016" PRIx64 "\n", x->network, x->identity);
  if (x->backend[0] != '\0') printf("computed by: backend %s\n", x->backend);
  for (int i = 0; i < x->n_link_cuts; i++)
    printf("%s in front of layer %d", i == 0 ? "values rounded" : ",", x->link_cuts[i]);
  if (x->n_link_cuts > 0) printf(", to %s\n", x->link_values);
  for (int e = 0; e < x->n_exits; e++) {
    printf("exit %d  after layer %d, temperature %.4f", e, x->attach[e], (double)x->temperature[e]);
    print_figure("accuracy", t->quality[e].accuracy);
    print_figure("mean confidence", t->quality[e].confidence);
    print_figure("ECE", t->quality[e].ece);
    printf("\n");
  }
  const ee_answer_kinds *k = &t->kinds;
  if (k->labelled == 0) return;
  printf(
      "of %lld labelled samples: %lld right at every exit, %lld right from a later exit on, %lld "
      "never right, %lld right and then wrong\n",
      (long long)k->labelled, (long long)k->all_correct, (long long)k->good,
      (long long)k->all_wrong, (long long)k->bad);
}

static void add_exits(cJSON *all, const exits_told *t) {
  cJSON *temperatures = cJSON_AddArrayToObject(all, "temperature");
  cJSON *accuracy     = cJSON_AddArrayToObject(all, "accuracy");
  cJSON *confidence   = cJSON_AddArrayToObject(all, "mean_confidence");
  cJSON *ece          = cJSON_AddArrayToObject(all, "ece");
  for (int e = 0; e < t->info->n_exits; e++) {
    cJSON_AddItemToArray(temperatures, cJSON_CreateNumber((double)t->info->temperature[e]));
    cJSON_AddItemToArray(accuracy, cJSON_CreateNumber(t->quality[e].accuracy));
    cJSON_AddItemToArray(confidence, cJSON_CreateNumber(t->quality[e].confidence));
    cJSON_AddItemToArray(ece, cJSON_CreateNumber(t->quality[e].ece));
  }
}

static ee_status print_json(const exits_told *t) {
  const ee_exits_info *x   = t->info;
  cJSON               *all = cJSON_CreateObject();
  char                 identity[32];
  cJSON_AddStringToObject(all, "format", "edgeexit-exits");
  cJSON_AddNumberToObject(all, "samples", (double)x->n);
  cJSON_AddNumberToObject(all, "exits", x->n_exits);
  cJSON_AddNumberToObject(all, "classes", x->n_classes);
  cJSON_AddNumberToObject(all, "layers", x->n_layers);
  cJSON_AddBoolToObject(all, "logits", x->has_logits);
  cJSON_AddBoolToObject(all, "confidences", x->has_logits || x->has_confidence);
  cJSON_AddStringToObject(all, "provenance", x->provenance);
  snprintf(identity, sizeof identity, "%016" PRIx64, x->identity);
  cJSON_AddStringToObject(all, "network", x->network);
  cJSON_AddStringToObject(all, "network_identity", x->identity != 0 ? identity : "");
  cJSON_AddStringToObject(all, "backend", x->backend);
  cJSON_AddItemToObject(all, "attach", cJSON_CreateIntArray(x->attach, x->n_exits));
  cJSON_AddStringToObject(all, "link_values", x->link_values);
  cJSON *cuts = cJSON_AddArrayToObject(all, "link_cuts");
  for (int i = 0; i < x->n_link_cuts; i++)
    cJSON_AddItemToArray(cuts, cJSON_CreateNumber(x->link_cuts[i]));
  add_exits(all, t);
  cJSON *kinds = cJSON_AddObjectToObject(all, "answers");
  cJSON_AddNumberToObject(kinds, "labelled", (double)t->kinds.labelled);
  cJSON_AddNumberToObject(kinds, "all_correct", (double)t->kinds.all_correct);
  cJSON_AddNumberToObject(kinds, "good", (double)t->kinds.good);
  cJSON_AddNumberToObject(kinds, "all_wrong", (double)t->kinds.all_wrong);
  cJSON_AddNumberToObject(kinds, "bad", (double)t->kinds.bad);
  return ee_json_print(all);
}

static ee_status judge(const char *path, exits_told *t) {
  ee_exit_table *table = NULL;
  t->quality           = calloc((size_t)t->info->n_exits, sizeof *t->quality);
  if (t->quality == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", t->info->n_exits);
  EE_TRY(ee_exits_load(path, &table));
  ee_status status = ee_exit_table_judge(table, t->quality, &t->kinds);
  ee_exit_table_destroy(&table);
  return status;
}

ee_status ee_info_exits(const char *path, bool json) {
  ee_exits_file *file = NULL;
  EE_TRY(ee_exits_open(path, &file));
  exits_told told   = {.info = ee_exits_file_info(file)};
  ee_status  status = judge(path, &told);
  if (status == EE_OK && json) status = print_json(&told);
  if (status == EE_OK && !json) print_text(&told);
  free(told.quality);
  ee_exits_close(&file);
  return status;
}
