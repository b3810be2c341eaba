/* SPDX-License-Identifier: Apache-2.0 */
/* Prints plans as one JSON object. */
#include <math.h>

#include "ee/controller.h"
#include "json.h"
#include "plan_print.h"
#include "plan_text.h"

static void add_devices_of(const ee_plan_question *q, const ee_plan *plan, cJSON *to) {
  char   name[64];
  cJSON *list = cJSON_AddArrayToObject(to, "devices_used");
  for (int s = 0; s < plan->n_stages; s++) {
    for (int k = 0; k < ee_plan_width(plan, s); k++) {
      ee_plan_device_name(q, ee_plan_device(plan, s, k), name, sizeof name);
      cJSON_AddItemToArray(list, cJSON_CreateString(name));
    }
  }
}

static void add_links(const ee_promise *p, cJSON *to) {
  cJSON *list = cJSON_AddArrayToObject(to, "link_values");
  for (int s = 1; s < p->plan->n_stages; s++) {
    const char *name = ee_link_values_name(ee_plan_link_values(p, s));
    cJSON_AddItemToArray(list, cJSON_CreateString(name));
  }
  ee_json_number(to, "int8_accuracy_loss", p->link_loss);
}

static void add_promise(const ee_plan_question *q, const ee_promise *p, int devices, cJSON *one) {
  char text[512];
  cJSON_AddNumberToObject(one, "devices", devices);
  if (p->plan == NULL) {
    cJSON_AddNullToObject(one, "plan");
    return;
  }
  const ee_forecast *f    = &p->forecast;
  const char        *kind = f->link ? "link" : p->head >= 0 ? "head" : "device";
  ee_json_number(one, "period_s", f->period);
  ee_json_number(one, "throughput_per_s", 1.0 / f->period);
  ee_json_number(one, "latency_s", f->latency);
  cJSON_AddItemToObject(one, "exit_latency_s",
                        cJSON_CreateDoubleArray(p->latency, q->setup->model->n_exits));
  ee_json_number(one, "lower_bound_s", f->lower_bound);
  ee_json_number(one, "above_bound", f->period / f->lower_bound - 1.0);
  cJSON_AddNumberToObject(one, "planner_s", p->effort);
  cJSON_AddStringToObject(one, "bottleneck", ee_plan_bottleneck(q, p, text, sizeof text));
  cJSON_AddStringToObject(one, "bottleneck_kind", kind);
  cJSON_AddNumberToObject(one, "head_share", p->head_share);
  cJSON_AddItemToObject(one, "memory_bytes", cJSON_CreateDoubleArray(p->bytes, p->plan->n_stages));
  add_devices_of(q, p->plan, one);
  cJSON *widths = cJSON_AddArrayToObject(one, "stage_devices");
  for (int s = 0; s < p->plan->n_stages; s++) {
    cJSON_AddItemToArray(widths, cJSON_CreateNumber(ee_plan_width(p->plan, s)));
  }
  add_links(p, one);
  cJSON_AddStringToObject(one, "plan", ee_plan_text(p->plan, text, sizeof text));
}

static const char *idle_name(ee_idle idle) {
  static const char *const name[] = {"",        "away",  "link",      "memory",
                                     "planner", "spare", "unplanned", "untried"};
  return name[idle];
}

static void add_device(const ee_plan_question *q, const ee_promises *all, int d, cJSON *to) {
  const ee_device_worth *one  = &all->judgement->device[d];
  const ee_promise      *p    = &all->of[all->enough - 1];
  bool                   used = one->stage >= 0;
  char                   text[256];
  cJSON_AddStringToObject(to, "name", ee_plan_device_name(q, d, text, sizeof text));
  cJSON_AddBoolToObject(to, "used", used);
  if (used) {
    const ee_stage *stage = &p->plan->stage[one->stage];
    double          room  = p->memory[d];
    cJSON_AddNumberToObject(to, "first_layer", stage->begin);
    cJSON_AddNumberToObject(to, "last_layer", stage->end - 1);
    ee_json_number(to, "busy_s", one->seconds);
    ee_json_number(to, "memory_bytes", one->bytes);
    ee_json_number(to, "memory_limit_bytes", room > 0.0 ? room : INFINITY);
  } else {
    cJSON_AddStringToObject(to, "idle", idle_name(one->idle));
  }
  ee_json_number(to, used ? "period_without_s" : "period_with_s", one->other_period);
  ee_json_number(to, used ? "latency_without_s" : "latency_with_s", one->other_latency);
}

static void add_warning(const char *warning, void *list) {
  cJSON_AddItemToArray(list, cJSON_CreateString(warning));
}

static void add_best(const ee_plan_question *q, const ee_promises *all, cJSON *to) {
  const ee_judgement *v = all->judgement;
  char                text[512];
  cJSON_AddNumberToObject(to, "devices", all->enough);
  add_devices_of(q, all->plan, to);
  ee_json_number(to, "period_s", v->forecast.period);
  ee_json_number(to, "lower_bound_s", v->forecast.lower_bound);
  if (v->alone >= 0) {
    cJSON_AddStringToObject(to, "alone", ee_plan_device_name(q, v->alone, text, sizeof text));
  } else {
    cJSON_AddNullToObject(to, "alone");
  }
  ee_json_number(to, "alone_period_s", v->alone_period);
  ee_json_number(to, "alone_latency_s", v->alone_latency);
  ee_json_number(to, "times_alone", v->alone_period / v->forecast.period);
  if (all->better == NULL) return;
  cJSON_AddStringToObject(to, "better_planner", all->better->name);
  ee_json_number(to, "better_period_s", all->better_period);
}

ee_status ee_promises_print_json(const ee_plan_question *q, const ee_promises *all) {
  char   text[1024];
  cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "plans");
  cJSON_AddStringToObject(json, "planner", all->planner->name);
  cJSON_AddBoolToObject(json, "heuristic", all->heuristic);
  bool assumed = q->setup->fleet == NULL && q->setup->host_flops <= 0.0;
  ee_json_number(json, "assumed_flops", assumed ? EE_ASSUMED_FLOPS : NAN);
  for (int i = 0; i < all->n; i++) add_promise(q, &all->of[i], i + 1, ee_json_item(list));
  list = cJSON_AddArrayToObject(json, "devices");
  for (int d = 0; d < all->n; d++) add_device(q, all, d, ee_json_item(list));
  add_best(q, all, cJSON_AddObjectToObject(json, "best"));
  ee_plan_warnings(q, all, add_warning, cJSON_AddArrayToObject(json, "warnings"));
  cJSON_AddStringToObject(json, "verdict", ee_plan_verdict(q, all, text, sizeof text));
  return ee_json_print(json);
}
