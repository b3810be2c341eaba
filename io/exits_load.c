/* SPDX-License-Identifier: Apache-2.0 */
/* A whole exit table file in memory, with calibrated probabilities. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ee/exits_file.h"

#define ROWS_AT_ONCE 256

static void set_costs(const ee_exits_info *info, ee_exit_table *table) {
  double flops = 0.0;
  for (int e = 0, layer = 0; e < info->n_exits; e++) {
    for (; layer <= info->attach[e]; layer++) flops += info->layer_flops[layer];
    flops += info->head_flops[e];
    table->layers[e] = info->attach[e] + 1;
    table->flops[e]  = flops;
  }
}

/* A class may be impossible (-inf), but not certain or unknown.  @p logits: of row @p i. */
static ee_status check_logits(const char *path, const ee_exits_info *info, int64_t i,
                              const float *logits) {
  int k = info->n_classes;
  for (int64_t j = 0; j < (int64_t)info->n_exits * k; j++) {
    if (!isnan(logits[j]) && logits[j] < INFINITY) continue;
    return EE_FAIL(EE_ERR_FORMAT, "%s: row %lld, exit %d: the logit of class %d is %g", path,
                   (long long)i, (int)(j / k), (int)(j % k), (double)logits[j]);
  }
  return EE_OK;
}

static ee_status read_logits(const char *path, ee_exits_file *file, const ee_exits_info *info,
                             float *logits, ee_exit_table *table) {
  int64_t per_row = (int64_t)info->n_exits * info->n_classes;
  for (int64_t i = 0; i < info->n; i += ROWS_AT_ONCE) {
    int64_t n = info->n - i < ROWS_AT_ONCE ? info->n - i : ROWS_AT_ONCE;
    EE_TRY(ee_exits_read(file, i, n, logits, table->label + i));
    for (int64_t k = 0; k < n; k++) {
      EE_TRY(check_logits(path, info, i + k, logits + k * per_row));
      ee_exit_table_set_logits(table, i + k, logits + k * per_row, info->temperature);
    }
  }
  return EE_OK;
}

static ee_status fill(const char *path, ee_exits_file *file, const ee_exits_info *info,
                      ee_exit_table *table) {
  set_costs(info, table);
  if (info->has_score) EE_TRY(ee_exits_read_scores(file, 0, info->n, table->score));
  if (!info->has_logits) {
    EE_TRY(ee_exits_read(file, 0, info->n, NULL, table->label));
    return ee_exits_read_answers(file, 0, info->n, table->confidence, table->prediction);
  }
  size_t    per_row = (size_t)info->n_exits * (size_t)info->n_classes;
  float    *logits  = calloc(ROWS_AT_ONCE * per_row, sizeof *logits);
  ee_status status  = logits != NULL ? read_logits(path, file, info, logits, table)
                                     : EE_FAIL(EE_ERR_NOMEM, "for logits of %d exits and %d classes",
                                               info->n_exits, info->n_classes);
  free(logits);
  return status;
}

/* The check's sentence with the path in front. */
static ee_status check(const char *path, const ee_exit_table *table) {
  char      why[EE_MESSAGE_BYTES];
  ee_status status = ee_exit_table_check(table);
  if (status == EE_OK) return EE_OK;
  snprintf(why, sizeof why, "%s", ee_status_message());
  return EE_FAIL(EE_ERR_FORMAT, "%s: %s", path, why);
}

static ee_status load(const char *path, ee_exits_file *file, ee_exit_table **table) {
  const ee_exits_info *info  = ee_exits_file_info(file);
  ee_exit_table_parts  parts = {.confidence  = info->has_logits || info->has_confidence,
                                .probability = info->has_logits,
                                .score       = info->has_score};
  EE_TRY(ee_exit_table_create(info->n, info->n_exits, info->n_classes, parts, table));
  ee_status status = fill(path, file, info, *table);
  if (status == EE_OK) status = check(path, *table);
  if (status != EE_OK) ee_exit_table_destroy(table);
  return status;
}

ee_status ee_exits_load(const char *path, ee_exit_table **table) {
  ee_exits_file *file;
  *table = NULL;
  EE_TRY(ee_exits_open(path, &file));
  ee_status status = load(path, file, table);
  ee_exits_close(&file);
  return status;
}
