/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the limits of a core, as text and as JSON. */
#include <math.h>
#include <stdio.h>

#include "json.h"
#include "peak.h"

static const char *const place[] = {"l1", "l2", "l3", "memory"};

void ee_limits_print(const ee_limits *limits) {
  printf("core    %s, %s\n", ee_cpu_name(), ee_cpu_level_name(limits->level));
  printf("peak    %.1f GFLOP/s of float32 multiply-adds\n", limits->flops * 1e-9);
  printf("        %.1f of products of 8 bits, with%s VNNI\n", limits->int8_ops * 1e-9,
         ee_cpu_has_vnni(limits->level) ? "" : "out");
  printf("reads  ");
  for (int i = 0; i <= EE_PEAK_CACHES; i++) {
    double rate = ee_limits_rate(limits, i);
    if (rate > 0.0) printf(" %s %.1f GB/s ", place[i], rate * 1e-9);
  }
  printf("\n\n  read kB      GB/s\n");
  for (int k = 0; k < limits->n; k++) {
    printf("%9zu %9.1f\n", limits->read[k].bytes / 1024, limits->read[k].rate * 1e-9);
  }
}

void ee_limits_add(const ee_limits *limits, cJSON *to) {
  cJSON_AddStringToObject(to, "cpu", ee_cpu_name());
  cJSON_AddStringToObject(to, "vectors", ee_cpu_level_name(limits->level));
  cJSON_AddNumberToObject(to, "flops", limits->flops);
  cJSON_AddNumberToObject(to, "int8_ops", limits->int8_ops);
  cJSON_AddBoolToObject(to, "vnni", ee_cpu_has_vnni(limits->level));
  cJSON *rates = cJSON_AddObjectToObject(to, "read_bytes_per_s");
  for (int i = 0; i <= EE_PEAK_CACHES; i++) {
    double rate = ee_limits_rate(limits, i);
    ee_json_number(rates, place[i], rate > 0.0 ? rate : NAN);
  }
  cJSON *reads = cJSON_AddArrayToObject(to, "reads");
  for (int k = 0; k < limits->n; k++) {
    cJSON *one = ee_json_item(reads);
    cJSON_AddNumberToObject(one, "bytes", (double)limits->read[k].bytes);
    cJSON_AddNumberToObject(one, "bytes_per_s", limits->read[k].rate);
  }
}
