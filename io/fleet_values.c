/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_values.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ee_quantity ee_fleet_flops      = {ee_units_flops, 1e3, 1e18, " FLOP/s"};
const ee_quantity ee_fleet_relative   = {ee_units_number, 1e-6, 1e6, ""};
const ee_quantity ee_fleet_factor     = {ee_units_number, 1e-9, 1e6, ""};
const ee_quantity ee_fleet_memory     = {ee_units_bytes, 1.0, 1e15, " B"};
const ee_quantity ee_fleet_watts      = {ee_units_number, 1e-6, 1e9, " W"};
const ee_quantity ee_fleet_idle_watts = {ee_units_number, 0.0, 1e9, " W"};
const ee_quantity ee_fleet_bandwidth  = {ee_units_bandwidth, 1.0, 1e13, " B/s"};
const ee_quantity ee_fleet_latency    = {ee_units_duration, 0.0, 3600.0, " s"};
const ee_quantity ee_fleet_time       = {ee_units_time, 0.0, 1e9, " s"};
const ee_quantity ee_fleet_count      = {ee_units_number, 1.0, EE_FLEET_MOST_DEVICES, ""};

static ee_status wrong_number(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                              const char *text, const char *problem, const ee_unit *units) {
  char   list[160] = "";
  size_t used      = 0;
  for (const ee_unit *unit = units; unit->suffix != NULL && used < sizeof list; unit++) {
    used += (size_t)snprintf(list + used, sizeof list - used, " %s",
                             unit->suffix[0] != '\0' ? unit->suffix : "(none)");
  }
  return ee_yaml_fail(yaml, node, place, "is '%.40s', which %s; units:%s", text, problem, list);
}

ee_status ee_fleet_read_quantity(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                                 const ee_yaml_key *key, void *target) {
  const ee_quantity *wanted = key->detail;
  const char        *text   = ee_yaml_text(yaml, node, place);
  if (text == NULL) return EE_ERR_FORMAT;

  double      value   = 0.0;
  const char *problem = ee_units_parse(text, wanted->units, &value);
  if (problem != NULL) return wrong_number(yaml, node, place, text, problem, wanted->units);
  if (!(value >= wanted->least && value <= wanted->most)) {
    return ee_yaml_fail(yaml, node, place, "is '%.40s'; expected %g to %g%s", text, wanted->least,
                        wanted->most, wanted->unit);
  }
  *(double *)target = value;
  return EE_OK;
}

ee_status ee_fleet_read_schedule(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                                 const ee_yaml_key *key, void *target) {
  ee_schedule *schedule = target;
  size_t       n        = 0;
  EE_TRY(ee_yaml_list(yaml, node, place, &n));
  if (n == 0 || n > INT32_MAX) return ee_yaml_fail(yaml, node, place, "is empty");
  schedule->change = calloc(n, sizeof *schedule->change);
  if (schedule->change == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu changes of %s", n, place);
  schedule->n = (int)n;  // from here on whoever owns the schedule frees it

  for (size_t i = 0; i < n; i++) {
    const yaml_node_t *item = ee_yaml_item(yaml, node, i);
    char               item_place[EE_YAML_PLACE + 32];
    snprintf(item_place, sizeof item_place, "%s[%zu]", place, i);
    EE_TRY(ee_yaml_mapping(yaml, item, item_place, key->detail, &schedule->change[i]));
    if (i > 0 && schedule->change[i].at <= schedule->change[i - 1].at) {
      return ee_yaml_fail(yaml, item, item_place, "is not later than the change before it");
    }
  }
  return EE_OK;
}

ee_status ee_schedule_copy(const ee_schedule *from, ee_schedule *to) {
  *to = (ee_schedule){0, NULL};
  if (from->n == 0) return EE_OK;
  size_t bytes = (size_t)from->n * sizeof *from->change;
  to->change   = malloc(bytes);
  if (to->change == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d changes", from->n);
  memcpy(to->change, from->change, bytes);
  to->n = from->n;
  return EE_OK;
}
