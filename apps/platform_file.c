/* SPDX-License-Identifier: Apache-2.0 */
#include "platform_file.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"

#define UNLIMITED 1e18   // bandwidth of a link without a limit [byte/s]
#define MEMORY 1e10      // of rank 0's messages to itself [byte/s]
#define LEAST 1.0        // the same while nothing crosses [byte/s]
#define TRACE_STEP 0.1   // [s]
#define TRACE_STEPS 1e6  // at most
#define NEAR 16          // devices apart that have one in larger fleets, where n^2 are too many

static ee_status open_file(const char *folder, const char *name, char *path, FILE **file) {
  snprintf(path, PATH_MAX, "%s/%s", folder, name);
  *file = fopen(path, "w");
  if (*file != NULL) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", path, strerror(errno));
}

static ee_status close_file(FILE *file, const char *path) {
  int failed = ferror(file);
  if (fclose(file) == 0 && !failed) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "%s could not be written whole: %s", path, strerror(errno));
}

static double limit_of(double bandwidth) {
  return bandwidth > 0.0 ? bandwidth : UNLIMITED;
}

/* Times and bandwidths, one change a line. */
static ee_status write_changes(const char *folder, const char *name, const ee_schedule *changes) {
  char  path[PATH_MAX];
  FILE *file;
  EE_TRY(open_file(folder, name, path, &file));
  for (int i = 0; i < changes->n; i++) {
    fprintf(file, "%.9f %.17g\n", changes->change[i].at + (double)EE_SIMULATION_BEGINS * 1e-9,
            limit_of(changes->change[i].value));
  }
  return close_file(file, path);
}

/* A recorded network, over and over, in steps of about TRACE_STEP.  The simulator's clock begins
 * EE_SIMULATION_BEGINS before the run's, and its pattern begins with it. */
static ee_status write_trace(const char *folder, const char *name, const ee_network_trace *trace) {
  char   path[PATH_MAX];
  FILE  *file;
  double period = trace->at[trace->n];
  int    steps  = (int)fmin(fmax(round(period / TRACE_STEP), 1.0), TRACE_STEPS);
  double step   = period / steps;
  double first  = period - fmod((double)EE_SIMULATION_BEGINS * 1e-9, period);
  EE_TRY(open_file(folder, name, path, &file));
  for (int i = 0; i < steps; i++) {
    double bits = ee_network_bits_until(trace, first + (i + 1) * step) -
                  ee_network_bits_until(trace, first + i * step);
    fprintf(file, "%.9f %.17g\n", i * step, fmax(bits / 8.0 / step, LEAST));
  }
  fprintf(file, "LOOPAFTER %.9f\n", step);
  return close_file(file, path);
}

static ee_status write_link(FILE *file, const char *folder, const ee_fleet *fleet, int from,
                            int to) {
  const ee_link_spec *link     = ee_fleet_link(fleet, from, to);
  char                name[64] = "";
  fprintf(file, "<link id=\"d%d-d%d\" bandwidth=\"%.17gBps\" latency=\"%.17gs\"", from, to,
          limit_of(ee_link_bandwidth(link, 0.0)), link->latency);
  if (link->trace != NULL || link->bandwidth_changes.n > 0) {
    snprintf(name, sizeof name, "d%d-d%d.bandwidth", from, to);
    fprintf(file, " bandwidth_file=\"%s\"", name);  // beside the platform
  }
  fprintf(file, "/>\n");
  if (name[0] == '\0') return EE_OK;
  return link->trace != NULL ? write_trace(folder, name, link->trace)
                             : write_changes(folder, name, &link->bandwidth_changes);
}

/* The link between two far devices of a large fleet, which has most pairs' figures. */
static const ee_link_spec *common_link(const ee_fleet *fleet) {
  int n = fleet->n_devices;
  return ee_fleet_link(fleet, n - 1, n > 1 ? n - 2 : 0);
}

static bool same_link(const ee_link_spec *a, const ee_link_spec *b) {
  return a->bandwidth == b->bandwidth && a->latency == b->latency && a->trace == b->trace &&
         a->bandwidth_changes.n == 0 && b->bandwidth_changes.n == 0;
}

/* Whether a pair has a link to itself.  In a large fleet these are the pairs that carry samples,
 * answers or several messages at once: near ones, those of rank 0, and all with figures of their
 * own. */
static bool has_own_link(const ee_fleet *fleet, int from, int to) {
  if (from == to) return false;
  if (fleet->n_devices <= EE_PLATFORM_ALL_PAIRS || from == 0 || to == 0 || abs(from - to) <= NEAR)
    return true;
  return !same_link(ee_fleet_link(fleet, from, to), common_link(fleet));
}

/* A link of one device whose messages do not slow each other down.  That of another device could be
 * the same one, but then the simulator would look at all messages on it whenever one begins. */
static void write_wide_link(FILE *file, const char *kind, int device, double bandwidth,
                            double latency) {
  fprintf(file,
          "<link id=\"%s%d\" bandwidth=\"%.17gBps\" latency=\"%.17gs\" "
          "sharing_policy=\"FATPIPE\"/>\n",
          kind, device, bandwidth, latency);
}

/* A host from which a device sends itself messages that serve as timers. */
static void write_timer(FILE *file, int device, const char *kind, double rate) {
  char name[32];
  snprintf(name, sizeof name, "%s-self", kind);
  fprintf(file, "<host id=\"d%d-%s\" speed=\"1Gf\"/>\n", device, kind);
  write_wide_link(file, name, device, rate, 0.0);
}

static void write_timer_route(FILE *file, int device, const char *kind) {
  fprintf(file,
          "<bypassRoute src=\"d%d-%s\" dst=\"d%d-%s\"><link_ctn id=\"%s-self%d\"/></bypassRoute>\n",
          device, kind, device, kind, kind, device);
}

static ee_status write_links(FILE *file, const char *folder, const ee_fleet *fleet) {
  const ee_link_spec *common = common_link(fleet);
  double              width  = limit_of(ee_link_bandwidth(common, 0.0));
  for (int d = 0; d < fleet->n_devices; d++) {
    write_wide_link(file, "up", d, width, common->latency);
    write_wide_link(file, "in", d, UNLIMITED, 0.0);
    write_wide_link(file, "self", d, d == 0 ? MEMORY : EE_SIMULATED_SELF_RATE, 0.0);
    write_timer(file, d, "late", EE_SIMULATED_LATE_RATE);
  }
  write_timer(file, 0, "soon", EE_SIMULATED_SELF_RATE);
  for (int from = 0; from < fleet->n_devices; from++) {
    for (int to = 0; to < fleet->n_devices; to++) {
      if (has_own_link(fleet, from, to)) EE_TRY(write_link(file, folder, fleet, from, to));
    }
  }
  return EE_OK;
}

/* Routes are over the wide links of the two devices, but for pairs that have a link to themselves.
 */
static void write_routes(FILE *file, const ee_fleet *fleet) {
  const char *format = "<bypassRoute src=\"d%d\" dst=\"d%d\"><link_ctn id=\"%s\"/></bypassRoute>\n";
  int         n      = fleet->n_devices;
  for (int d = 0; d < n; d++) {
    fprintf(file, "<host_link id=\"d%d\" up=\"up%d\" down=\"in%d\"/>\n", d, d, d);
  }
  write_timer_route(file, 0, "soon");
  for (int from = 0; from < n; from++) {
    char name[64];
    snprintf(name, sizeof name, "self%d", from);
    fprintf(file, format, from, from, name);
    write_timer_route(file, from, "late");
    for (int to = 0; to < n; to++) {
      snprintf(name, sizeof name, "d%d-d%d", from, to);
      if (has_own_link(fleet, from, to)) fprintf(file, format, from, to, name);
    }
  }
}

static ee_status write_zone(FILE *file, const char *folder, const ee_fleet *fleet) {
  for (int d = 0; d < fleet->n_devices; d++) {
    fprintf(file, "<host id=\"d%d\" speed=\"1Gf\"/>\n", d);
  }
  EE_TRY(write_links(file, folder, fleet));
  write_routes(file, fleet);
  return EE_OK;
}

static ee_status write_hosts(const char *folder, int n) {
  char  path[PATH_MAX];
  FILE *file;
  EE_TRY(open_file(folder, "hosts", path, &file));
  for (int d = 0; d < n; d++) fprintf(file, "d%d\n", d);
  return close_file(file, path);
}

ee_status ee_platform_write(const char *folder, const ee_fleet *fleet) {
  char  path[PATH_MAX];
  FILE *file;
  EE_TRY(write_hosts(folder, fleet->n_devices));
  EE_TRY(open_file(folder, "platform.xml", path, &file));
  fprintf(file,
          "<?xml version=\"1.0\"?>\n"
          "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
          "<platform version=\"4.1\">\n<zone id=\"fleet\" routing=\"Cluster\">\n");
  ee_status status = write_zone(file, folder, fleet);
  fprintf(file, "</zone>\n</platform>\n");
  ee_status closed = close_file(file, path);
  return status != EE_OK ? status : closed;
}
