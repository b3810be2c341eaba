/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_json.h"

void ee_memory_add(const ee_memory_need *need, cJSON *to) {
  double weights = (double)need->weights, packed = (double)need->packed;
  cJSON_AddNumberToObject(to, "weight_bytes", weights);
  cJSON_AddNumberToObject(to, "packed_bytes", packed);
  cJSON_AddNumberToObject(to, "arena_bytes", (double)need->arena);
  cJSON_AddNumberToObject(to, "bytes", weights + packed + (double)need->arena);
}
