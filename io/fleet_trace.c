/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_trace.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/network_trace_file.h"

/* `name` as seen from the folder of the file at `beside`. */
static bool place_beside(const char *beside, const char *name, char *path, size_t size) {
  const char *slash  = strrchr(beside, '/');
  int         folder = name[0] == '/' || slash == NULL ? 0 : (int)(slash - beside) + 1;
  int         length = snprintf(path, size, "%.*s%s", folder, beside, name);
  return length >= 0 && (size_t)length < size;
}

ee_status ee_fleet_read_trace(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                              const ee_yaml_key *key, void *target) {
  ee_network_trace **trace = target;
  char               path[PATH_MAX];
  const char        *name = ee_yaml_text(yaml, node, place);
  (void)key;
  if (name == NULL) return EE_ERR_FORMAT;
  if (name[0] == '\0' || !place_beside(yaml->path, name, path, sizeof path)) {
    return ee_yaml_fail(yaml, node, place, "is '%.40s'; expected the path of a file", name);
  }
  if (yaml->alone) return EE_OK;
  *trace = calloc(1, sizeof **trace);
  if (*trace == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %s", path);
  ee_status status = ee_network_bandwidth_load(path, *trace);
  if (status == EE_OK || status == EE_ERR_NOMEM) return status;
  ee_yaml_fail(yaml, node, place, "is refused: %s", ee_status_message());
  return status;
}

void ee_fleet_free_trace(ee_network_trace **trace) {
  if (*trace != NULL) ee_network_trace_free(*trace);
  free(*trace);
  *trace = NULL;
}
