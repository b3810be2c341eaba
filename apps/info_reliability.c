/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit info: the reliability diagrams that `edgeexit calibrate` wrote. */
#include <stdio.h>

#include "ee/reliability_file.h"
#include "info_parts.h"
#include "json.h"

/* Samples of exit @p e, all bins; @p after is 0 before and 1 after calibration. */
static int64_t samples(const ee_reliability_data *d, int e, int after) {
  const int64_t *count = d->count + (2 * (int64_t)e + after) * d->n_bins;
  int64_t        sum   = 0;
  for (int b = 0; b < d->n_bins; b++) sum += count[b];
  return sum;
}

static void print_text(const ee_reliability_data *d) {
  printf("reliability diagrams of %d exits in %d bins\n", d->n_exits, d->n_bins);
  if (d->provenance[0] != '\0') printf("provenance: %s\n", d->provenance);
  printf("\nexit  samples  temperature before     after  ECE before   after\n");
  for (int e = 0; e < d->n_exits; e++) {
    printf("%4d %8lld %19.4f %9.4f %11.4f %7.4f\n", e, (long long)samples(d, e, 1),
           d->temperature[2 * e], d->temperature[2 * e + 1], d->ece[2 * e], d->ece[2 * e + 1]);
  }
  printf("\nexit  confidence  accuracy   samples, after calibration\n");
  for (int e = 0; e < d->n_exits; e++) {
    int64_t at = (2 * (int64_t)e + 1) * d->n_bins;
    for (int64_t b = at; b < at + d->n_bins; b++) {
      if (d->count[b] == 0) continue;
      printf("%4d %11.4f %9.4f %9lld\n", e, d->confidence[b], d->accuracy[b],
             (long long)d->count[b]);
    }
  }
}

static cJSON *diagram_json(const ee_reliability_data *d, int e, int after) {
  int64_t at    = (2 * (int64_t)e + after) * d->n_bins;
  cJSON  *one   = cJSON_CreateObject();
  cJSON  *count = cJSON_CreateArray();
  cJSON_AddNumberToObject(one, "temperature", d->temperature[2 * e + after]);
  cJSON_AddNumberToObject(one, "ece", d->ece[2 * e + after]);
  for (int b = 0; b < d->n_bins; b++)
    cJSON_AddItemToArray(count, cJSON_CreateNumber((double)d->count[at + b]));
  cJSON_AddItemToObject(one, "count", count);
  cJSON_AddItemToObject(one, "confidence", cJSON_CreateDoubleArray(d->confidence + at, d->n_bins));
  cJSON_AddItemToObject(one, "accuracy", cJSON_CreateDoubleArray(d->accuracy + at, d->n_bins));
  return one;
}

static ee_status print_json(const ee_reliability_data *d) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "format", "edgeexit-reliability");
  cJSON_AddStringToObject(all, "provenance", d->provenance);
  cJSON_AddNumberToObject(all, "bins", d->n_bins);
  cJSON *exits = cJSON_AddArrayToObject(all, "exits");
  for (int e = 0; e < d->n_exits; e++) {
    cJSON *one = ee_json_item(exits);
    cJSON_AddNumberToObject(one, "samples", (double)samples(d, e, 1));
    cJSON_AddItemToObject(one, "before", diagram_json(d, e, 0));
    cJSON_AddItemToObject(one, "after", diagram_json(d, e, 1));
  }
  return ee_json_print(all);
}

ee_status ee_info_reliability(const char *path, bool json) {
  ee_reliability_file *file;
  ee_status            status = ee_reliability_open(path, &file);
  if (status == EE_OK && json) status = print_json(ee_reliability_file_data(file));
  if (status == EE_OK && !json) print_text(ee_reliability_file_data(file));
  ee_reliability_close(&file);
  return status;
}
