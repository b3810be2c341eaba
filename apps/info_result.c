/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit info: the arrays that `edgeexit policy -o` wrote. */
#include <stdio.h>

#include "ee/result_file.h"
#include "info_parts.h"
#include "json.h"

#define VALUES_SHOWN 6

static void print_array(const ee_result_array *a) {
  char shape[32];
  int  values = a->m > 0 ? a->m : a->n;
  if (a->m > 0)
    snprintf(shape, sizeof shape, "[%d, %d]", a->n, a->m);
  else
    snprintf(shape, sizeof shape, "[%d]", a->n);
  printf("%-32s %-12s", a->name, shape);
  for (int i = 0; i < values && i < VALUES_SHOWN && a->n > 0; i++) printf(" %.6g", a->x[i]);
  bool more = values > VALUES_SHOWN || (a->m > 0 && a->n > 1);
  printf("%s\n", more && a->n > 0 ? " ..." : "");
}

static void print_text(const ee_result *r) {
  printf("result on exit table %s, policy %s%s%s\n", r->exits, r->policy,
         r->sweep[0] != '\0' ? ", swept over " : "", r->sweep);
  printf("\n%-32s %-12s values\n", "array", "shape");
  for (int i = 0; i < r->n_arrays; i++) print_array(&r->array[i]);
}

static cJSON *array_json(const ee_result_array *a) {
  if (a->m == 0 && a->n > 0) return cJSON_CreateDoubleArray(a->x, a->n);
  cJSON *rows = cJSON_CreateArray();
  for (int i = 0; i < a->n; i++)
    cJSON_AddItemToArray(rows, cJSON_CreateDoubleArray(a->x + (size_t)i * (size_t)a->m, a->m));
  return rows;
}

static ee_status print_json(const ee_result *r) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "format", "edgeexit-result");
  cJSON_AddStringToObject(all, "exits", r->exits);
  cJSON_AddStringToObject(all, "policy", r->policy);
  cJSON_AddStringToObject(all, "sweep", r->sweep);
  cJSON *arrays = cJSON_AddObjectToObject(all, "arrays");
  for (int i = 0; i < r->n_arrays; i++)
    cJSON_AddItemToObject(arrays, r->array[i].name, array_json(&r->array[i]));
  return ee_json_print(all);
}

ee_status ee_info_result(const char *path, bool json) {
  ee_result *result;
  ee_status  status = ee_result_load(path, &result);
  if (status == EE_OK && json) status = print_json(result);
  if (status == EE_OK && !json) print_text(result);
  ee_result_free(&result);
  return status;
}
