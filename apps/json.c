/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <stdio.h>

ee_status ee_json_print(cJSON *all) {
  char *text = cJSON_PrintUnformatted(all);
  cJSON_Delete(all);
  if (text == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the JSON text");
  puts(text);
  cJSON_free(text);
  return EE_OK;
}

cJSON *ee_json_item(cJSON *list) {
  cJSON *item = cJSON_CreateObject();
  if (cJSON_AddItemToArray(list, item)) return item;
  cJSON_Delete(item);
  return NULL;
}

void ee_json_number(cJSON *to, const char *key, double x) {
  cJSON_AddItemToObject(to, key, isfinite(x) ? cJSON_CreateNumber(x) : cJSON_CreateNull());
}
