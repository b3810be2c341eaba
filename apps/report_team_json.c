/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a team, for programs: lanes count from 0 on, as in the trace. */
#include "json.h"
#include "report_json.h"
#include "report_team.h"

static void add_lanes(cJSON *to, const char *key, uint64_t lanes) {
  cJSON *list = cJSON_AddArrayToObject(to, key);
  for (int lane = 0; lane < 64; lane++) {
    if (lanes >> lane & 1) cJSON_AddItemToArray(list, cJSON_CreateNumber(lane));
  }
}

void ee_report_add_absences(cJSON *to, const ee_trace_team *team, const ee_report *r) {
  if (team->bands) return;
  cJSON *list = cJSON_AddArrayToObject(to, "present");
  for (int n = 1; n <= r->n_lanes; n++) {
    cJSON *one = ee_json_item(list);
    cJSON_AddNumberToObject(one, "branches", n);
    ee_report_add_answers(one, &r->present[n], r->answered);
  }
  list = cJSON_AddArrayToObject(to, "absences");
  for (int64_t i = 0; i < r->n_absences; i++) {
    cJSON *one = ee_json_item(list);
    add_lanes(one, "absent", r->absence[i].lanes);
    ee_report_add_answers(one, &r->absence[i].answers, r->answered);
  }
}

static void add_units(cJSON *to, const ee_trace_team *team) {
  cJSON *list = cJSON_AddArrayToObject(to, "units");
  for (int u = 0; u < team->n_units; u++) {
    const ee_trace_unit *unit = &team->unit[u];
    cJSON               *one  = ee_json_item(list);
    cJSON_AddStringToObject(one, "name", unit->name);
    cJSON_AddNumberToObject(one, "device", unit->device);
    cJSON_AddNumberToObject(one, "lane", unit->lane);
    cJSON_AddNumberToObject(one, "stage", unit->stage);
    cJSON_AddNumberToObject(one, "exit", unit->exit);
  }
}

void ee_report_add_team(cJSON *all, const ee_trace_team *team, const ee_report *r) {
  char text[4096];
  if (team == NULL) {
    cJSON_AddNullToObject(all, "team");
    return;
  }
  cJSON *to = cJSON_AddObjectToObject(all, "team");
  cJSON_AddStringToObject(to, "lanes", team->bands ? "bands" : "branches");
  cJSON_AddNumberToObject(to, "n_lanes", team->n_lanes);
  if (!team->bands) {
    cJSON_AddStringToObject(to, "placed_first", ee_report_placement(team, text, sizeof text));
  }
  cJSON_AddNumberToObject(to, "moves", r->unit_moves);
  ee_report_add_absences(to, team, r);
  add_units(to, team);
}
