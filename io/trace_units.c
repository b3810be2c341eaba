/* SPDX-License-Identifier: Apache-2.0 */
/* Who computes which unit, in a trace whose samples are on several devices at once. */
#include "trace_units.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "h5_table.h"

#define UNITS "/run/units"
#define MAX_UNITS (1 << 20)  // more are taken for damage
#define MAX_BRANCHES 64      // one bit each

static const char branches[] = "branches", bands[] = "bands";

static const ee_h5_column columns[] = {
    {"name", EE_H5_TEXT, offsetof(ee_trace_unit, name), EE_NAME_BYTES},
    {"device", EE_H5_I32, offsetof(ee_trace_unit, device), 1},
    {"lane", EE_H5_I32, offsetof(ee_trace_unit, lane), 1},
    {"stage", EE_H5_I32, offsetof(ee_trace_unit, stage), 1},
    {"exit", EE_H5_I32, offsetof(ee_trace_unit, exit), 1},
};
static const ee_h5_layout layout = {columns, (int)(sizeof columns / sizeof columns[0]),
                                    sizeof(ee_trace_unit)};

ee_status ee_trace_units_write(const ee_h5 *h5, const ee_trace_team *team) {
  if (team == NULL) return EE_OK;
  EE_TRY(ee_h5_write_table(h5, UNITS, &layout, team->n_units, team->unit));
  EE_TRY(ee_h5_write_text_attribute(h5, UNITS, "lanes", team->bands ? bands : branches));
  EE_TRY(ee_h5_write_int_attribute(h5, UNITS, "computed", team->computed));
  return ee_h5_write_int_attribute(h5, UNITS, "n_lanes", team->n_lanes);
}

static bool is_within(int32_t value, int low, int high) {
  return value >= low && value <= high;
}

static ee_status check_units(const char *path, const ee_trace_header *header,
                             const ee_trace_team *team) {
  for (int u = 0; u < team->n_units; u++) {
    const ee_trace_unit *unit = &team->unit[u];
    if (is_within(unit->device, 0, header->n_ranks - 1) &&
        is_within(unit->lane, -1, team->n_lanes - 1) &&
        is_within(unit->stage, 0, header->n_exits - 1) &&
        is_within(unit->exit, -1, header->n_exits - 1)) {
      continue;
    }
    return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: row %d of " UNITS " has values that cannot be",
                   path, u);
  }
  return EE_OK;
}

static ee_status read_lanes(const ee_h5 *h5, ee_trace_team *team) {
  char    text[16];
  int64_t n;
  EE_TRY(ee_h5_read_text_attribute(h5, UNITS, "lanes", text, sizeof text));
  team->bands = strcmp(text, bands) == 0;
  if (!team->bands && strcmp(text, branches) != 0) {
    return EE_FAIL(EE_ERR_FORMAT, "%s: lanes of " UNITS " are %s, expected %s or %s", h5->path,
                   text, branches, bands);
  }
  EE_TRY(ee_h5_read_int_attribute(h5, UNITS, "n_lanes", 1, team->bands ? MAX_UNITS : MAX_BRANCHES,
                                  &n));
  team->n_lanes = (int)n;
  EE_TRY(ee_h5_read_int_attribute(h5, UNITS, "computed", 0, 1, &n));
  team->computed = n == 1;
  return EE_OK;
}

ee_status ee_trace_units_read(const ee_h5 *h5, const ee_trace_header *header,
                              ee_trace_team **team) {
  void *rows = NULL;
  *team      = NULL;
  if (!ee_h5_exists(h5, UNITS)) return EE_OK;
  ee_trace_team *t = calloc(1, sizeof *t);
  if (t == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the units of %s", h5->path);
  ee_status status = read_lanes(h5, t);
  if (status == EE_OK) {
    status = ee_h5_read_table(h5, UNITS, &layout, MAX_UNITS, &rows, &t->n_units);
  }
  t->unit = rows;
  if (status == EE_OK) status = check_units(h5->path, header, t);
  if (status != EE_OK) ee_trace_units_free(&t);
  *team = t;
  return status;
}

void ee_trace_units_free(ee_trace_team **team) {
  if (*team != NULL) free((*team)->unit);
  free(*team);
  *team = NULL;
}
