/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet file as a whole, and its links. */
#include "ee/fleet_file.h"

#include <stdlib.h>
#include <string.h>

#include "fleet_devices.h"
#include "fleet_trace.h"
#include "fleet_values.h"
#include "yaml_reader.h"

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

static const ee_yaml_key bandwidth_change_keys[] = {
    {"at", ee_fleet_read_quantity, offsetof(ee_change, at), true, &ee_fleet_time},
    {"bandwidth", ee_fleet_read_quantity, offsetof(ee_change, value), true, &ee_fleet_bandwidth},
    {0},
};
static const ee_yaml_key default_link_keys[] = {
    {"bandwidth", ee_fleet_read_quantity, offsetof(link_text, bandwidth), false,
     &ee_fleet_bandwidth},
    {"latency", ee_fleet_read_quantity, offsetof(link_text, latency), false, &ee_fleet_latency},
    {"changes", ee_fleet_read_schedule, offsetof(link_text, changes), false, bandwidth_change_keys},
    {"trace", ee_fleet_read_trace, offsetof(link_text, trace), false, NULL},
    {0},
};
static const ee_yaml_key pair_keys[] = {
    {"from", ee_yaml_read_name, offsetof(link_text, from), true, NULL},
    {"to", ee_yaml_read_name, offsetof(link_text, to), true, NULL},
    {"bandwidth", ee_fleet_read_quantity, offsetof(link_text, bandwidth), false,
     &ee_fleet_bandwidth},
    {"latency", ee_fleet_read_quantity, offsetof(link_text, latency), false, &ee_fleet_latency},
    {"changes", ee_fleet_read_schedule, offsetof(link_text, changes), false, bandwidth_change_keys},
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

/* Make `link` what `text` says; what it does not say stays.  A new bandwidth ends the changes of
 * the one before. */
static ee_status apply_link(const link_text *text, ee_link_spec *link) {
  if (text->latency >= 0.0) link->latency = text->latency;
  if (text->bandwidth >= 0.0) link->bandwidth = text->bandwidth;
  if (text->bandwidth < 0.0 && text->changes.n == 0 && text->trace == NULL) return EE_OK;

  link->trace = text->trace;
  free(link->bandwidth_changes.change);
  return ee_schedule_copy(&text->changes, &link->bandwidth_changes);
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
  int from = ee_fleet_device_by_name(fleet, fleet->n_devices, text->from);
  int to   = ee_fleet_device_by_name(fleet, fleet->n_devices, text->to);
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
  EE_TRY(ee_fleet_read_devices(yaml, parts.devices, fleet));
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
