/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit plan --front: every trade-off between period and latency. */
#include <stdio.h>

#include "json.h"
#include "plan_print.h"

static void print_text(const ee_front *front) {
  char text[256];
  printf("  period ms  samples/s  unloaded ms  plan (layers @device)\n");
  for (int k = 0; k < front->n; k++) {
    const ee_tradeoff *t = &front->point[k];
    printf("%11.4f %10.1f %12.3f  %s\n", t->period * 1e3, 1.0 / t->period, t->latency * 1e3,
           ee_plan_text(t->plan, text, sizeof text));
  }
}

static ee_status print_json(const ee_front *front) {
  char   text[512];
  cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "front");
  for (int k = 0; k < front->n; k++) {
    const ee_tradeoff *t   = &front->point[k];
    cJSON             *one = ee_json_item(list);
    cJSON_AddNumberToObject(one, "period_s", t->period);
    cJSON_AddNumberToObject(one, "throughput_per_s", 1.0 / t->period);
    cJSON_AddNumberToObject(one, "latency_s", t->latency);
    cJSON_AddStringToObject(one, "plan", ee_plan_text(t->plan, text, sizeof text));
  }
  return ee_json_print(json);
}

static ee_status find_front(const ee_chain *chain, void *front) {
  return ee_partition_front(chain, front);
}

ee_status ee_plan_front_print(const ee_plan_question *q) {
  ee_front *front = NULL;
  EE_TRY(ee_first_chain(q->setup, q->options->devices, q->share, find_front, &front));
  ee_status status = EE_OK;
  if (q->options->json) {
    status = print_json(front);
  } else {
    print_text(front);
  }
  ee_front_destroy(&front);
  return status;
}
