/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a fleet file and how they become an ee_fleet. */
#include "ee/fleet_file.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_trace.h"
#include "fleet_units.h"
#include "yaml_reader.h"

#define MAX_DEVICES 4096  // links are kept for each pair

/* The parts of a file, before they are looked into: links name devices, which may come later. */
typedef struct fleet_parts {
  char               name[64];
  const yaml_node_t *devices, *links;
} fleet_parts;

typedef struct link_parts {
  const yaml_node_t *standard, *pairs;
} link_parts;

/* A link as written; bandwidth and latency are negative where nothing is said. */
typedef struct link_text {
  char              from[64], to[64];
  bool              one_way;
  double            bandwidth, latency;
  ee_schedule       changes;
  ee_network_trace *trace;
} link_text;

/* A device as written, or as many as `count` says. */
typedef struct device_text {
  ee_device_spec spec;
  int            count;  // 0: not said, one
} device_text;

/* What a key's number may be. */
typedef struct quantity {
  const ee_unit *units;
  bool           zero;  // whether 0 is allowed
} quantity;

static const quantity positive_flops     = {ee_units_flops, false};
static const quantity positive_number    = {ee_units_number, false};
static const quantity number_or_zero     = {ee_units_number, true};
static const quantity positive_bytes     = {ee_units_bytes, false};
static const quantity positive_bandwidth = {ee_units_bandwidth, false};
static const quantity duration_or_zero   = {ee_units_duration, true};
static const quantity time_or_zero       = {ee_units_time, true};

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

static ee_status read_quantity(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                               const ee_yaml_key *key, void *target) {
  const quantity *wanted = key->detail;
  const char     *text   = ee_yaml_text(yaml, node, place);
  if (text == NULL) return EE_ERR_FORMAT;

  double      value   = 0.0;
  const char *problem = ee_units_parse(text, wanted->units, &value);
  if (problem != NULL) return wrong_number(yaml, node, place, text, problem, wanted->units);
  if (value < 0.0 || (value == 0.0 && !wanted->zero)) {
    return ee_yaml_fail(yaml, node, place, "is '%.40s'; expected a number %s 0", text,
                        wanted->zero ? ">=" : ">");
  }
  *(double *)target = value;
  return EE_OK;
}

/* A list of changes by time; key->detail has the keys of one change. */
static ee_status read_schedule(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
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

static const ee_yaml_key speed_change_keys[] = {
    {"at", read_quantity, offsetof(ee_change, at), true, &time_or_zero},
    {"factor", read_quantity, offsetof(ee_change, value), true, &positive_number},
    {0},
};
static const ee_yaml_key bandwidth_change_keys[] = {
    {"at", read_quantity, offsetof(ee_change, at), true, &time_or_zero},
    {"bandwidth", read_quantity, offsetof(ee_change, value), true, &positive_bandwidth},
    {0},
};
static const ee_yaml_key watts_keys[] = {
    {"busy", read_quantity, offsetof(ee_device_spec, watts_busy), true, &positive_number},
    {"idle", read_quantity, offsetof(ee_device_spec, watts_idle), true, &number_or_zero},
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
    {"from", read_quantity, offsetof(absence, from), true, &time_or_zero},
    {"to", read_quantity, offsetof(absence, to), false, &time_or_zero},
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
  EE_TRY(read_quantity(yaml, node, place, key, &count));
  if (count != floor(count) || count > MAX_DEVICES) {
    return ee_yaml_fail(yaml, node, place, "is %g; expected a whole number up to %d", count,
                        MAX_DEVICES);
  }
  *(int *)target = (int)count;
  return EE_OK;
}

static const ee_yaml_key device_keys[] = {
    {"name", ee_yaml_read_name, offsetof(device_text, spec.name), true, NULL},
    {"count", read_count, offsetof(device_text, count), false, &positive_number},
    {"flops", read_quantity, offsetof(device_text, spec.flops), false, &positive_flops},
    {"relative", read_quantity, offsetof(device_text, spec.relative), false, &positive_number},
    {"memory", read_quantity, offsetof(device_text, spec.memory), false, &positive_bytes},
    {"watts", read_watts, offsetof(device_text, spec), false, watts_keys},
    {"speed", read_schedule, offsetof(device_text, spec.speed), false, speed_change_keys},
    {"away", read_away, offsetof(device_text, spec.away), false, NULL},
    {0},
};
static const ee_yaml_key default_link_keys[] = {
    {"bandwidth", read_quantity, offsetof(link_text, bandwidth), false, &positive_bandwidth},
    {"latency", read_quantity, offsetof(link_text, latency), false, &duration_or_zero},
    {"changes", read_schedule, offsetof(link_text, changes), false, bandwidth_change_keys},
    {"trace", ee_fleet_read_trace, offsetof(link_text, trace), false, NULL},
    {0},
};
static const ee_yaml_key pair_keys[] = {
    {"from", ee_yaml_read_name, offsetof(link_text, from), true, NULL},
    {"to", ee_yaml_read_name, offsetof(link_text, to), true, NULL},
    {"bandwidth", read_quantity, offsetof(link_text, bandwidth), false, &positive_bandwidth},
    {"latency", read_quantity, offsetof(link_text, latency), false, &duration_or_zero},
    {"changes", read_schedule, offsetof(link_text, changes), false, bandwidth_change_keys},
    {"trace", ee_fleet_read_trace, offsetof(link_text, trace), false, NULL},
    {"one_way", ee_yaml_read_flag, offsetof(link_text, one_way), false, NULL},
    {0},
};
static const ee_yaml_key links_keys[] = {
    {"default", ee_yaml_read_node, offsetof(link_parts, standard), false, NULL},
    {"pairs", ee_yaml_read_node, offsetof(link_parts, pairs), false, NULL},
    {0},
};
static const ee_yaml_key fleet_keys[] = {
    {"name", ee_yaml_read_name, offsetof(fleet_parts, name), false, NULL},
    {"devices", ee_yaml_read_node, offsetof(fleet_parts, devices), true, NULL},
    {"links", ee_yaml_read_node, offsetof(fleet_parts, links), false, NULL},
    {0},
};

/* Index of the device `name` among the first `n`; -1 if there is none. */
static int device_by_name(const ee_fleet *fleet, int n, const char *name) {
  for (int d = 0; d < n; d++) {
    if (strcmp(fleet->device[d].name, name) == 0) return d;
  }
  return -1;
}

static ee_status copy_schedule(const ee_schedule *from, ee_schedule *to) {
  *to = (ee_schedule){0, NULL};
  if (from->n == 0) return EE_OK;
  size_t bytes = (size_t)from->n * sizeof *from->change;
  to->change   = malloc(bytes);
  if (to->change == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d changes", from->n);
  memcpy(to->change, from->change, bytes);
  to->n = from->n;
  return EE_OK;
}

/* Put device `k` of those that `text` stands for at place `d`. */
static ee_status place_device(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                              const device_text *text, int k, ee_fleet *fleet, int d) {
  ee_device_spec *device = &fleet->device[d];
  *device                = text->spec;
  device->speed = device->away = (ee_schedule){0, NULL};
  EE_TRY(copy_schedule(&text->spec.speed, &device->speed));
  EE_TRY(copy_schedule(&text->spec.away, &device->away));
  if (text->count > 0) {
    int length = snprintf(device->name, sizeof device->name, "%.58s%d", text->spec.name, k);
    if (strlen(text->spec.name) > 58 || length >= (int)sizeof device->name) {
      return ee_yaml_fail(yaml, node, place, "has a name of more than 58 bytes, and a count");
    }
  }
  int same = device_by_name(fleet, d, device->name);
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
  if (status == EE_OK && *next > MAX_DEVICES - count) {
    status = ee_yaml_fail(yaml, node, place, "makes more than %d devices, the most allowed",
                          MAX_DEVICES);
  }
  *next += count;
  return status;
}

static ee_status read_devices(const ee_yaml *yaml, const yaml_node_t *list, ee_fleet **fleet) {
  size_t n   = 0;
  int    all = 0, placed = 0;
  EE_TRY(ee_yaml_list(yaml, list, "devices", &n));
  if (n == 0) return ee_yaml_fail(yaml, list, "devices", "is empty; a fleet needs a device");
  if (n > MAX_DEVICES) {
    return ee_yaml_fail(yaml, list, "devices", "has %zu items; at most %d are allowed", n,
                        MAX_DEVICES);
  }
  for (size_t i = 0; i < n; i++) EE_TRY(read_item(yaml, list, i, NULL, &all));
  EE_TRY(ee_fleet_create(all, fleet));
  for (size_t i = 0; i < n; i++) EE_TRY(read_item(yaml, list, i, *fleet, &placed));
  return EE_OK;
}

/* Make `link` what `text` says; what it does not say stays.  A new bandwidth ends the changes of
 * the one before. */
static ee_status apply_link(const link_text *text, ee_link_spec *link) {
  if (text->latency >= 0.0) link->latency = text->latency;
  if (text->bandwidth >= 0.0) link->bandwidth = text->bandwidth;
  if (text->bandwidth < 0.0 && text->changes.n == 0 && text->trace == NULL) return EE_OK;

  link->trace = text->trace;
  free(link->bandwidth_changes.change);
  return copy_schedule(&text->changes, &link->bandwidth_changes);
}

/* Read what is said of a link.  The fleet then owns its trace, and the caller its changes; on error
 * nothing is left. */
static ee_status read_link(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                           const ee_yaml_key *keys, ee_fleet *fleet, link_text *text) {
  *text            = (link_text){.bandwidth = -1.0, .latency = -1.0};
  ee_status status = ee_yaml_mapping(yaml, node, place, keys, text);
  if (status == EE_OK && text->trace != NULL && (text->bandwidth >= 0.0 || text->changes.n > 0)) {
    status = ee_yaml_fail(yaml, node, place, "has a trace, and bandwidth or changes as well");
  }
  if (status == EE_OK && text->trace != NULL) status = ee_fleet_add_trace(fleet, text->trace);
  if (status != EE_OK) {
    ee_fleet_free_trace(&text->trace);
    free(text->changes.change);
  }
  return status;
}

static ee_status apply_default(const link_text *text, ee_fleet *fleet) {
  int n = fleet->n_devices;
  for (int from = 0; from < n; from++) {
    for (int to = 0; to < n; to++) {
      if (from != to) EE_TRY(apply_link(text, &fleet->link[(size_t)from * (size_t)n + (size_t)to]));
    }
  }
  return EE_OK;
}

static ee_status read_default(const ee_yaml *yaml, const yaml_node_t *node, ee_fleet *fleet) {
  link_text text;
  EE_TRY(read_link(yaml, node, "links.default", default_link_keys, fleet, &text));
  ee_status status = apply_default(&text, fleet);
  free(text.changes.change);
  return status;
}

/* Set one direction; `set` remembers which were. */
static ee_status apply_direction(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                                 const link_text *text, int from, int to, ee_fleet *fleet,
                                 bool *set) {
  size_t i = (size_t)from * (size_t)fleet->n_devices + (size_t)to;
  if (set[i]) {
    return ee_yaml_fail(yaml, node, place, "gives the link from %s to %s a second time",
                        fleet->device[from].name, fleet->device[to].name);
  }
  set[i] = true;
  return apply_link(text, &fleet->link[i]);
}

static ee_status apply_pair(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const link_text *text, ee_fleet *fleet, bool *set) {
  int from = device_by_name(fleet, fleet->n_devices, text->from);
  int to   = device_by_name(fleet, fleet->n_devices, text->to);
  if (from < 0 || to < 0) {
    return ee_yaml_fail(yaml, node, place, "names the device '%s', which is not in devices",
                        from < 0 ? text->from : text->to);
  }
  if (from == to) return ee_yaml_fail(yaml, node, place, "links %s with itself", text->from);
  EE_TRY(apply_direction(yaml, node, place, text, from, to, fleet, set));
  if (text->one_way) return EE_OK;
  return apply_direction(yaml, node, place, text, to, from, fleet, set);
}

static ee_status read_pair(const ee_yaml *yaml, const yaml_node_t *node, size_t i, ee_fleet *fleet,
                           bool *set) {
  char place[48];
  snprintf(place, sizeof place, "links.pairs[%zu]", i);
  link_text text;
  EE_TRY(read_link(yaml, node, place, pair_keys, fleet, &text));
  ee_status status = apply_pair(yaml, node, place, &text, fleet, set);
  free(text.changes.change);
  return status;
}

static ee_status read_pairs(const ee_yaml *yaml, const yaml_node_t *list, ee_fleet *fleet) {
  size_t n = 0;
  EE_TRY(ee_yaml_list(yaml, list, "links.pairs", &n));
  bool *set = calloc((size_t)fleet->n_devices * (size_t)fleet->n_devices, sizeof *set);
  if (set == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the links of %d devices", fleet->n_devices);

  ee_status status = EE_OK;
  for (size_t i = 0; i < n && status == EE_OK; i++) {
    status = read_pair(yaml, ee_yaml_item(yaml, list, i), i, fleet, set);
  }
  free(set);
  return status;
}

static ee_status read_links(const ee_yaml *yaml, const yaml_node_t *node, ee_fleet *fleet) {
  link_parts parts = {NULL, NULL};
  EE_TRY(ee_yaml_mapping(yaml, node, "links", links_keys, &parts));
  if (parts.standard != NULL) EE_TRY(read_default(yaml, parts.standard, fleet));
  if (parts.pairs != NULL) EE_TRY(read_pairs(yaml, parts.pairs, fleet));
  return EE_OK;
}

static ee_status read_fleet(const ee_yaml *yaml, ee_fleet **fleet) {
  fleet_parts        parts = {.devices = NULL};
  const yaml_node_t *root  = yaml_document_get_root_node((yaml_document_t *)&yaml->document);
  EE_TRY(ee_yaml_mapping(yaml, root, "", fleet_keys, &parts));
  EE_TRY(read_devices(yaml, parts.devices, fleet));
  memcpy((*fleet)->name, parts.name, sizeof parts.name);
  if (parts.links != NULL) EE_TRY(read_links(yaml, parts.links, *fleet));
  return EE_OK;
}

static ee_status read_and_close(ee_yaml *yaml, ee_fleet **fleet) {
  ee_status status = read_fleet(yaml, fleet);
  ee_yaml_close(yaml);
  if (status != EE_OK) ee_fleet_destroy(fleet);
  return status;
}

ee_status ee_fleet_load(const char *path, ee_fleet **fleet) {
  ee_yaml yaml;
  *fleet = NULL;
  EE_TRY(ee_yaml_open(path, &yaml));
  return read_and_close(&yaml, fleet);
}

ee_status ee_fleet_parse(const char *name, const char *text, ee_fleet **fleet) {
  ee_yaml yaml;
  *fleet = NULL;
  EE_TRY(ee_yaml_parse(name, text, &yaml));
  return read_and_close(&yaml, fleet);
}
