/* SPDX-License-Identifier: Apache-2.0 */
/* Prints bands as one JSON object. */
#include <math.h>

#include "json.h"
#include "plan_bands.h"
#include "plan_text.h"

static void add_ranges(const ee_band_plan *plan, cJSON *to) {
  cJSON *list = cJSON_AddArrayToObject(to, "ranges");
  for (int k = 0; k < plan->n_ranges; k++) {
    const int64_t *row  = plan->row + (size_t)k * ((size_t)plan->n_devices + 1);
    cJSON         *one  = ee_json_item(list);
    cJSON         *rows = NULL;
    cJSON_AddNumberToObject(one, "first_layer", plan->cut[k]);
    cJSON_AddNumberToObject(one, "last_layer", plan->cut[k + 1] - 1);
    rows = cJSON_AddArrayToObject(one, "rows");
    for (int d = 0; d < plan->n_devices; d++) {
      cJSON_AddItemToArray(rows, cJSON_CreateNumber((double)(row[d + 1] - row[d])));
    }
  }
}

static void add_chain(const ee_plan *plan, const ee_forecast *f, cJSON *to) {
  char   text[512];
  cJSON *one = NULL;
  if (plan == NULL) {
    cJSON_AddNullToObject(to, "chain");
    return;
  }
  one = cJSON_AddObjectToObject(to, "chain");
  ee_json_number(one, "latency_s", f->latency);
  ee_json_number(one, "period_s", f->period);
  ee_json_number(one, "throughput_per_s", 1.0 / f->period);
  cJSON_AddStringToObject(one, "plan", ee_plan_text(plan, text, sizeof text));
}

static void add_memory(const ee_band_choice *b, cJSON *to) {
  cJSON *list = cJSON_AddArrayToObject(to, "memory_bytes");
  for (int d = 0; d < b->plan->n_devices; d++) {
    cJSON_AddItemToArray(list, cJSON_CreateNumber((double)ee_unit_room_bytes(b->room[d])));
  }
}

static void add_promise(const ee_plan_question *q, const ee_band_promise *p, int devices,
                        cJSON *to) {
  const ee_band_choice *b = &p->bands;
  cJSON_AddNumberToObject(to, "devices", devices);
  cJSON_AddNumberToObject(to, "devices_used", ee_band_devices_used(b));
  ee_json_number(to, "latency_s", b->latency);
  cJSON_AddItemToObject(to, "exit_latency_s",
                        cJSON_CreateDoubleArray(b->seconds, q->setup->model->n_exits));
  ee_json_number(to, "period_s", b->load.period);
  ee_json_number(to, "throughput_per_s", 1.0 / b->load.period);
  ee_json_number(to, "bytes_sent", b->load.bytes);
  ee_json_number(to, "computed_twice", ee_band_twice(b->plan));
  cJSON_AddBoolToObject(to, "borders_apart", b->apart);
  cJSON_AddNumberToObject(to, "units", b->units->n);
  add_memory(b, to);
  cJSON_AddBoolToObject(to, "fits", b->crowded < 0);
  add_ranges(b->plan, to);
  cJSON_AddNumberToObject(to, "device_behind", b->plan->last);
  add_chain(p->chain, &p->forecast, to);
}

static void add_alone(const ee_plan_question *q, const ee_band_promises *all, cJSON *to) {
  char   name[64];
  cJSON *one = NULL;
  if (all->alone < 0) {
    cJSON_AddNullToObject(to, "alone");
    return;
  }
  one = cJSON_AddObjectToObject(to, "alone");
  cJSON_AddStringToObject(one, "device", ee_plan_device_name(q, all->alone, name, sizeof name));
  ee_json_number(one, "latency_s", all->alone_latency);
  ee_json_number(one, "period_s", all->alone_period);
}

ee_status ee_band_promises_print_json(const ee_plan_question *q, const ee_band_promises *all) {
  static const char *const winner[] = {"alone", "chain", "bands", "none"};
  char                     text[1024];
  cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "bands");
  cJSON_AddStringToObject(json, "planner", q->options->planner);
  for (int i = 0; i < all->n; i++) add_promise(q, &all->of[i], i + 1, ee_json_item(list));
  cJSON *best = cJSON_AddObjectToObject(json, "best");
  cJSON_AddStringToObject(best, "for_latency", winner[all->winner]);
  cJSON_AddNumberToObject(best, "devices", all->enough);
  add_alone(q, all, best);
  add_chain(all->chain, &all->forecast, best);
  cJSON_AddStringToObject(json, "verdict", ee_band_verdict(q, all, text, sizeof text));
  return ee_json_print(json);
}
