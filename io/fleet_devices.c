/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of a fleet file. */
#include "fleet_devices.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_values.h"

/* A device as written, or as many as `count` says. */
typedef struct device_text {
  ee_device_spec spec;
  int            count;  // 0: not said, one
} device_text;

static const ee_yaml_key speed_change_keys[] = {
    {"at", ee_fleet_read_quantity, offsetof(ee_change, at), true, &ee_fleet_time},
    {"factor", ee_fleet_read_quantity, offsetof(ee_change, value), true, &ee_fleet_factor},
    {0},
};
static const ee_yaml_key watts_keys[] = {
    {"busy", ee_fleet_read_quantity, offsetof(ee_device_spec, watts_busy), true, &ee_fleet_watts},
    {"idle", ee_fleet_read_quantity, offsetof(ee_device_spec, watts_idle), true,
     &ee_fleet_idle_watts},
    {0},
};

static ee_status read_watts(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target) {
  return ee_yaml_mapping(yaml, node, place, key->detail, target);
}

/* From when to when a device is away. */
typedef struct absence {
  double from, to;  // to: negative if it does not come back [s]
} absence;

static const ee_yaml_key absence_keys[] = {
    {"from", ee_fleet_read_quantity, offsetof(absence, from), true, &ee_fleet_time},
    {"to", ee_fleet_read_quantity, offsetof(absence, to), false, &ee_fleet_time},
    {0},
};

static ee_status read_absence(const ee_yaml *yaml, const yaml_node_t *item, const char *place,
                              ee_schedule *away) {
  absence a    = {.to = -1.0};
  double  last = away->n > 0 ? away->change[away->n - 1].at : -1.0;
  bool    open = away->n > 0 && away->change[away->n - 1].value > 0.0;
  EE_TRY(ee_yaml_mapping(yaml, item, place, absence_keys, &a));
  if (open || a.from <= last) {
    return ee_yaml_fail(yaml, item, place, "does not begin behind the end of the one before it");
  }
  if (a.to >= 0.0 && a.to <= a.from) {
    return ee_yaml_fail(yaml, item, place, "ends at %g s, not behind its beginning at %g s", a.to,
                        a.from);
  }
  away->change[away->n++] = (ee_change){.at = a.from, .value = 1.0};
  if (a.to >= 0.0) away->change[away->n++] = (ee_change){.at = a.to, .value = 0.0};
  return EE_OK;
}

/* A list of absences, as changes to 1 and back to 0. */
static ee_status read_away(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                           const ee_yaml_key *key, void *target) {
  ee_schedule *away = target;
  size_t       n    = 0;
  (void)key;
  EE_TRY(ee_yaml_list(yaml, node, place, &n));
  if (n == 0 || n > INT32_MAX / 2) return ee_yaml_fail(yaml, node, place, "is empty");
  away->change = calloc(2 * n, sizeof *away->change);
  if (away->change == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu absences of %s", n, place);
  for (size_t i = 0; i < n; i++) {
    char item_place[EE_YAML_PLACE + 32];
    snprintf(item_place, sizeof item_place, "%s[%zu]", place, i);
    EE_TRY(read_absence(yaml, ee_yaml_item(yaml, node, i), item_place, away));
  }
  return EE_OK;
}

static ee_status read_count(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target) {
  double count = 0.0;
  EE_TRY(ee_fleet_read_quantity(yaml, node, place, key, &count));
  if (count != floor(count)) {
    return ee_yaml_fail(yaml, node, place, "is %g; expected a whole number up to %d", count,
                        EE_FLEET_MOST_DEVICES);
  }
  *(int *)target = (int)count;
  return EE_OK;
}

static const ee_yaml_key device_keys[] = {
    {"name", ee_yaml_read_name, offsetof(device_text, spec.name), true, NULL},
    {"count", read_count, offsetof(device_text, count), false, &ee_fleet_count},
    {"flops", ee_fleet_read_quantity, offsetof(device_text, spec.flops), false, &ee_fleet_flops},
    {"relative", ee_fleet_read_quantity, offsetof(device_text, spec.relative), false,
     &ee_fleet_relative},
    {"memory", ee_fleet_read_quantity, offsetof(device_text, spec.memory), false, &ee_fleet_memory},
    {"watts", read_watts, offsetof(device_text, spec), false, watts_keys},
    {"speed", ee_fleet_read_schedule, offsetof(device_text, spec.speed), false, speed_change_keys},
    {"away", read_away, offsetof(device_text, spec.away), false, NULL},
    {0},
};

int ee_fleet_device_by_name(const ee_fleet *fleet, int n, const char *name) {
  for (int d = 0; d < n; d++) {
    if (strcmp(fleet->device[d].name, name) == 0) return d;
  }
  return -1;
}

/* Put device `k` of those that `text` stands for at place `d`. */
static ee_status place_device(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                              const device_text *text, int k, ee_fleet *fleet, int d) {
  ee_device_spec *device = &fleet->device[d];
  *device                = text->spec;
  device->speed = device->away = (ee_schedule){0, NULL};
  EE_TRY(ee_schedule_copy(&text->spec.speed, &device->speed));
  EE_TRY(ee_schedule_copy(&text->spec.away, &device->away));
  if (text->count > 0) {
    int length = snprintf(device->name, sizeof device->name, "%.58s%d", text->spec.name, k);
    if (strlen(text->spec.name) > 58 || length >= (int)sizeof device->name) {
      return ee_yaml_fail(yaml, node, place, "has a name of more than 58 bytes, and a count");
    }
  }
  int same = ee_fleet_device_by_name(fleet, d, device->name);
  if (same < 0) return EE_OK;
  return ee_yaml_fail(yaml, node, place, "has the name %s of device %d", device->name, same);
}

static ee_status read_device(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                             device_text *text) {
  EE_TRY(ee_yaml_mapping(yaml, node, place, device_keys, text));
  if ((text->spec.flops > 0.0) != (text->spec.relative > 0.0)) return EE_OK;
  return ee_yaml_fail(yaml, node, place, "(%s) needs exactly one of flops and relative",
                      text->spec.name);
}

/* Read item `i` of the list; place its devices from *next on, or, without a fleet, count them. */
static ee_status read_item(const ee_yaml *yaml, const yaml_node_t *list, size_t i, ee_fleet *fleet,
                           int *next) {
  const yaml_node_t *node = ee_yaml_item(yaml, list, i);
  device_text        text = {.count = 0};
  char               place[32];
  snprintf(place, sizeof place, "devices[%zu]", i);
  ee_status status = read_device(yaml, node, place, &text);
  int       count  = text.count > 0 ? text.count : 1;
  for (int k = 0; k < count && status == EE_OK && fleet != NULL; k++) {
    status = place_device(yaml, node, place, &text, k, fleet, *next + k);
  }
  free(text.spec.speed.change);
  free(text.spec.away.change);
  if (status == EE_OK && *next > EE_FLEET_MOST_DEVICES - count) {
    status = ee_yaml_fail(yaml, node, place, "makes more than %d devices, the most allowed",
                          EE_FLEET_MOST_DEVICES);
  }
  *next += count;
  return status;
}

ee_status ee_fleet_read_devices(const ee_yaml *yaml, const yaml_node_t *list, ee_fleet **fleet) {
  size_t n   = 0;
  int    all = 0, placed = 0;
  EE_TRY(ee_yaml_list(yaml, list, "devices", &n));
  if (n == 0) return ee_yaml_fail(yaml, list, "devices", "is empty; a fleet needs a device");
  if (n > EE_FLEET_MOST_DEVICES) {
    return ee_yaml_fail(yaml, list, "devices", "has %zu items; at most %d are allowed", n,
                        EE_FLEET_MOST_DEVICES);
  }
  for (size_t i = 0; i < n; i++) EE_TRY(read_item(yaml, list, i, NULL, &all));
  EE_TRY(ee_fleet_create(all, fleet));
  for (size_t i = 0; i < n; i++) EE_TRY(read_item(yaml, list, i, *fleet, &placed));
  return EE_OK;
}
