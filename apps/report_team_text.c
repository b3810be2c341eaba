/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a team, for people. */
#include <stdlib.h>
#include <string.h>

#include "report_print.h"
#include "report_team.h"
#include "team_options.h"

enum { MOST_ABSENCES = 16 };  // in one table

static bool any_lacks(const ee_report *r) {
  return r->n_absences > 1 || (r->n_absences == 1 && r->absence[0].lanes != 0);
}

/* Branches as they are counted from 1 on. */
static const char *absent_text(uint64_t lanes, char *text, int size) {
  int at = snprintf(text, (size_t)size, "%s", lanes == 0 ? "none" : "");
  for (int lane = 0; lane < 64; lane++) {
    if (lanes >> lane & 1)
      at += snprintf(text + at, (size_t)(size - at), at > 0 ? ",%d" : "%d", lane + 1);
  }
  return text;
}

void ee_report_print_absences(FILE *out, const ee_trace_team *team, const ee_report *r) {
  char text[256];
  if (team == NULL || !any_lacks(r)) return;
  fprintf(out, "\npresent     answers    share  accuracy\n");
  for (int n = 1; n <= r->n_lanes; n++) {
    snprintf(text, sizeof text, "%d of %d", n, r->n_lanes);
    if (r->present[n].answers > 0) ee_report_print_row(out, text, &r->present[n], r->answered);
  }
  fprintf(out, "\nabsent      answers    share  accuracy\n");
  for (int64_t i = 0; i < r->n_absences && i < MOST_ABSENCES; i++) {
    absent_text(r->absence[i].lanes, text, sizeof text);
    ee_report_print_row(out, text, &r->absence[i].answers, r->answered);
  }
  if (!team->computed) {
    fprintf(out,
            "an exit table stood for computing, which does not tell answers without branches\n");
  }
  if (r->n_absences > MOST_ABSENCES) {
    fprintf(out, "and %lld more sets of branches, which are in the JSON report\n",
            (long long)r->n_absences - MOST_ABSENCES);
  }
}

const char *ee_report_placement(const ee_trace_team *team, char *text, int size) {
  ee_units units = {.n_lanes = team->n_lanes, .n = team->n_units};
  units.unit     = calloc((size_t)units.n + 1, sizeof *units.unit);
  for (int u = 0; units.unit != NULL && u < units.n; u++) {
    units.unit[u].lane   = team->unit[u].lane;
    units.unit[u].device = team->unit[u].device;
  }
  text[0] = '\0';
  if (units.unit != NULL) ee_team_text(&units, text, size);
  free(units.unit);
  return text;
}

void ee_report_print_lanes(FILE *out, const ee_trace_team *team, const ee_report *r) {
  char text[512];
  if (team->bands) {
    fprintf(out, "%-12s %d of rows, side by side\n", "bands", team->n_lanes);
    return;
  }
  fprintf(out, "%-12s %d side by side, at first --branches %s", "branches", team->n_lanes,
          ee_report_placement(team, text, sizeof text));
  if (r->unit_moves > 0)
    fprintf(out, "; %d move%s since", r->unit_moves, r->unit_moves > 1 ? "s" : "");
  fprintf(out, "%s\n", r->answered == 0 || any_lacks(r) ? "" : "; no answer lacks any");
}

/* The number at the end of a name, and how long what stands before it is; -1: there is none. */
static long number_of(const char *name, int *before) {
  size_t n = strlen(name), at = n;
  while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9') at--;
  *before = (int)at;
  return at < n ? strtol(name + at, NULL, 10) : -1;
}

/* Whether @p next is named as @p first is, but with the number behind @p last. */
static bool goes_on(const ee_trace_unit *first, long last, const ee_trace_unit *next) {
  int  a, b;
  long from = number_of(first->name, &a), number = number_of(next->name, &b);
  return from >= 0 && a == b && strncmp(first->name, next->name, (size_t)a) == 0 &&
         number == last + 1;
}

/* Those of a lane on a device: "branch 1 stage 1-4". */
static void print_names(FILE *out, const ee_trace_team *team, int lane, int device, int *n) {
  const ee_trace_unit *first = NULL;
  long                 last  = -1;
  int                  before;
  for (int u = 0; u < team->n_units; u++) {
    const ee_trace_unit *unit = &team->unit[u];
    if (unit->lane != lane || unit->device != device) continue;
    if (first != NULL && goes_on(first, last, unit)) {
      last++;
      continue;
    }
    if (first != NULL && last > number_of(first->name, &before)) fprintf(out, "-%ld", last);
    fprintf(out, "%s%s", (*n)++ > 0 ? ", " : "", unit->name);
    first = unit;
    last  = number_of(unit->name, &before);
  }
  if (first != NULL && last > number_of(first->name, &before)) fprintf(out, "-%ld", last);
}

void ee_report_print_units(FILE *out, const ee_trace_team *team, const ee_report *r) {
  fprintf(out, "\ndevice  units%s\n", r->unit_moves > 0 ? " at first" : "");
  for (int d = 0; d < r->n_devices; d++) {
    int n = 0;
    fprintf(out, "%6d  ", d);
    for (int lane = 0; lane < team->n_lanes; lane++) print_names(out, team, lane, d, &n);
    print_names(out, team, -1, d, &n);
    fprintf(out, "%s\n", n == 0 ? "none" : "");
  }
}
