/* SPDX-License-Identifier: Apache-2.0 */
#include "team_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/team.h"

ee_team_wish ee_team_wish_none(void) {
  ee_team_options o = ee_team_defaults();
  return (ee_team_wish){
      .bands = ee_band_options_none(), .window = o.window, .ahead = o.ahead, .late = o.late};
}

bool ee_team_is_wished(const ee_team_wish *wish) {
  return wish->branches != NULL || wish->bands.heights != NULL;
}

bool ee_team_is_placed(const ee_team_wish *wish) {
  return wish->branches != NULL &&
         (strcmp(wish->branches, "latency") == 0 || strcmp(wish->branches, "period") == 0);
}

const char *ee_team_wish_name(const ee_team_wish *wish) {
  return wish->branches != NULL ? "--branches" : "--bands";
}

ee_status ee_team_wish_check(const ee_team_wish *wish) {
  bool bands = wish->bands.heights != NULL;
  EE_TRY(ee_band_options_check(&wish->bands, bands));
  if (bands && wish->branches != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--bands and --branches are two ways; give one of them");
  }
  if (!bands || isinf(wish->late)) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "--late is for --branches: no rows of a picture can be left out");
}

int ee_team_add_options(ee_team_wish *wish, ee_option *to) {
  const ee_option option[] = {
      {"branches", 0, EE_OPTION_TEXT, &wish->branches, "latency|period|A/B/...@F",
       "branches side by side, placed for that, or on A, B, ...; joined on F", 0, 0},
      ee_band_heights_option(&wish->bands),
      ee_band_borders_option(&wish->bands),
      ee_band_fuse_option(&wish->bands),
      {"window", 0, EE_OPTION_INT, &wish->window, "N",
       "with --branches or --bands: samples that a device may have begun; default 8", 1, 4096},
      {"ahead", 0, EE_OPTION_INT, &wish->ahead, "N",
       "stages computed before it is known that the sample gets there; default 2", 0, 1000},
      {"late", 0, EE_OPTION_DOUBLE, &wish->late, "S",
       "longest wait for a branch that others are ahead of, and one whose process dies is left "
       "out; "
       "default: for ever [s]",
       0, 1e9},
  };
  memcpy(to, option, sizeof option);
  return (int)(sizeof option / sizeof option[0]);
}

/* What is being read. */
typedef struct reader {
  const char *text, *at;
  int         n_devices;
  ee_units   *units;
} reader;

static ee_status wrong(const reader *r) {
  return EE_FAIL(
      EE_ERR_USAGE,
      "--branches is %s; expected 'latency', 'period', or a device from 0 to %d for each "
      "of the %d branches, A/B/..., and perhaps @F: who joins them",
      r->text, r->n_devices - 1, r->units->n_lanes);
}

static bool read_device(reader *r, int *device) {
  char *end;
  long  d = strtol(r->at, &end, 10);
  if (end == r->at || d < 0 || d >= r->n_devices) return false;
  *device = (int)d;
  r->at   = end;
  return true;
}

/* Units of @p lane but for the first @p but.  Returns whether there are any. */
static bool give(reader *r, int lane, int but, int device) {
  int n = 0;
  for (int u = 0; u < r->units->n; u++) {
    ee_unit *unit = &r->units->unit[u];
    if (unit->lane == lane && n++ >= but) unit->device = device;
  }
  return n > but;
}

/* "2,3": a device for each unit, the last one for all that follow. */
static bool read_lane(reader *r, int lane) {
  int device, n = 0;
  do {
    if (n > 0) r->at++;
    if (!read_device(r, &device) || !give(r, lane, n++, device)) return false;
  } while (*r->at == ',');
  return true;
}

ee_status ee_team_place(const char *text, int n_devices, ee_units *units) {
  reader r = {text, text, n_devices, units};
  give(&r, -1, 0, 0);
  for (int lane = 0; lane < units->n_lanes; lane++) {
    if (lane > 0 && *r.at++ != '/') return wrong(&r);
    if (!read_lane(&r, lane)) return wrong(&r);
  }
  if (*r.at == '@') {
    r.at++;
    if (!read_lane(&r, -1)) return wrong(&r);
  }
  if (*r.at != '\0') return wrong(&r);
  return EE_OK;
}

/* Devices of one branch, or of what joins them (-1), as short as can be. */
static int lane_text(const ee_units *units, int lane, char *text, int size) {
  int at = 0, last = -1, pending = 0;
  for (int u = 0; u < units->n && at < size; u++) {
    const ee_unit *unit = &units->unit[u];
    if (unit->lane != lane) continue;
    if (unit->device == last) {
      pending++;
      continue;
    }
    for (; pending > 0 && at < size; pending--) {
      at += snprintf(text + at, (size_t)(size - at), ",%d", last);
    }
    if (at < size) {
      at += snprintf(text + at, (size_t)(size - at), last < 0 ? "%d" : ",%d", unit->device);
    }
    last = unit->device;
  }
  return at < size ? at : size - 1;
}

const char *ee_team_text(const ee_units *units, char *text, int size) {
  int at = 0;
  for (int lane = 0; lane < units->n_lanes && at < size - 1; lane++) {
    if (lane > 0) at += snprintf(text + at, (size_t)(size - at), "/");
    if (at < size - 1) at += lane_text(units, lane, text + at, size - at);
  }
  if (at < size - 1) at += snprintf(text + at, (size_t)(size - at), "@");
  if (at < size - 1) lane_text(units, -1, text + at, size - at);
  return text;
}
