/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit simulate: writes the fleet as a platform, has SimGrid run the simulated program on it,
 * and cleans up. */
#define _XOPEN_SOURCE 700  // mkdtemp, nftw
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "ee/fleet_file.h"
#include "launch.h"
#include "platform_file.h"
#include "run_options.h"
#include "simulation_end.h"

#ifdef EE_SMPIMAIN

/* Nothing but sleeping and messages takes time, and a link is just what the fleet says: no model of
 * a protocol on top, no traffic of acknowledgements. */
static const char *const settings[] = {
    "--cfg=smpi/privatization:dlopen",
    "--cfg=surf/precision:1e-9",
    "--cfg=smpi/simulate-computation:no",
    "--cfg=smpi/host-speed:1Gf",
    "--cfg=smpi/test:0",
    "--cfg=smpi/iprobe:0",
    "--cfg=smpi/wtime:0",
    // The default ones take a message for each two devices; so do mpich's of these two the first
    // time, in search of devices that share a host.
    "--cfg=smpi/coll-selector:mpich",
    "--cfg=smpi/bcast:binomial_tree",
    "--cfg=smpi/allreduce:rdb",
    "--cfg=smpi/reduce:binomial",
    "--cfg=smpi/async-small-thresh:1048576",
    "--cfg=smpi/send-is-detached-thresh:1048576",
    "--cfg=network/model:CM02",
    "--cfg=network/crosstraffic:0",
    "--cfg=network/TCP-gamma:0",
    "--cfg=network/latency-factor:1",
    "--cfg=network/bandwidth-factor:1",
    "--log=root.thresh:error",
    "--log=ker_engine.thresh:info",  // which ranks a deadlock holds
    ("--log=root.fmt:" EE_SIMULATION_LOG_LINE),
};
#define N_SETTINGS (sizeof settings / sizeof settings[0])

/* Messages on a link follow each other, as on a connection between two processes.  Where pairs have
 * no link to themselves this would hold up messages of others, so there they share. */
static const char one_after_the_other[] = "--cfg=maxmin/concurrency-limit:1";

/* Run SimGrid's launcher with the command line of `edgeexit run`.  Its script smpirun would do
 * the same, but takes arguments apart at blanks. */
static ee_status run_smpimain(const char *folder, FILE *log, int devices, const char *program,
                              int argc, char **argv, int *code) {
  char         platform[PATH_MAX], hosts[PATH_MAX], count[64], words[64];
  const char **args = calloc((size_t)argc + N_SETTINGS + 9, sizeof *args);
  size_t       n    = 0;
  if (args == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a command line");
  snprintf(platform, sizeof platform, "%s/platform.xml", folder);
  snprintf(hosts, sizeof hosts, "--cfg=smpi/hostfile:%s/hosts", folder);
  snprintf(count, sizeof count, "--cfg=smpi/np:%d", devices);
  snprintf(words, sizeof words, "--log=root.app:file:/dev/fd/%d", fileno(log));
  args[n++] = EE_SMPIMAIN;
  args[n++] = program;
  args[n++] = count;
  args[n++] = hosts;
  args[n++] = words;
  for (size_t i = 0; i < N_SETTINGS; i++) args[n++] = settings[i];
  if (devices <= EE_PLATFORM_ALL_PAIRS) args[n++] = one_after_the_other;
  args[n++] = platform;
  args[n++] = "run";
  for (int i = 1; i < argc; i++) args[n++] = argv[i];
  int       state  = 0;
  ee_status status = ee_child_run((char **)(uintptr_t)args, &state);
  free(args);
  return status == EE_OK ? ee_simulation_end(log, devices, state, code) : status;
}

static int remove_entry(const char *path, const struct stat *entry, int kind, struct FTW *walk) {
  (void)entry, (void)kind, (void)walk;
  return remove(path);
}

/* What SimGrid logs is for us. */
static ee_status run_logged(const char *folder, int devices, const char *program, int argc,
                            char **argv, int *code) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/log", folder);
  FILE *log = fopen(path, "w+");
  if (log == NULL) return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", path, strerror(errno));
  ee_status status = run_smpimain(folder, log, devices, program, argc, argv, code);
  fclose(log);
  return status;
}

static ee_status check_devices(const ee_run_options *o, int n_devices) {
  if (o->devices == 0 || o->devices == n_devices) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "--devices is %d, but %s has %d devices, all of which are simulated",
                 o->devices, o->fleet, n_devices);
}

static ee_status simulate(const ee_run_options *o, int argc, char **argv, int *code) {
  char        program[PATH_MAX], folder[PATH_MAX / 2];
  const char *tmp = getenv("TMPDIR");
  ee_fleet   *fleet;
  EE_TRY(ee_launch_beside("edgeexit-simulated", EE_LIBEXEC, program, sizeof program));
  EE_TRY(ee_fleet_load(o->fleet, &fleet));
  snprintf(folder, sizeof folder, "%s/edgeexit-XXXXXX", tmp != NULL ? tmp : "/tmp");
  ee_status status = check_devices(o, fleet->n_devices);
  if (status != EE_OK) {
    ee_fleet_destroy(&fleet);
    return status;
  }
  status = mkdtemp(folder) != NULL
               ? ee_platform_write(folder, fleet)
               : EE_FAIL(EE_ERR_FILE, "no folder can be made as %s: %s", folder, strerror(errno));
  if (status == EE_OK) {
    status = run_logged(folder, fleet->n_devices, program, argc, argv, code);
  }
  nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  ee_fleet_destroy(&fleet);
  return status;
}

#else

static ee_status simulate(const ee_run_options *o, int argc, char **argv, int *code) {
  (void)o, (void)argc, (void)argv, (void)code;
  return EE_FAIL(EE_ERR_UNSUPPORTED,
                 "built without SimGrid; install libsimgrid-dev and build again to simulate");
}

#endif

static ee_status check(const ee_run_options *o) {
  if (o->fleet == NULL || o->outcomes == NULL) {
    return EE_FAIL(EE_ERR_USAGE,
                   "a simulation computes nothing: it needs --fleet FLEET.yaml and --outcomes "
                   "EXITS.h5, as 'edgeexit score' writes them");
  }
  return EE_OK;
}

int ee_app_simulate(int argc, char **argv) {
  ee_run_options o;
  bool           help   = false;
  int            code   = 0;
  ee_status      status = ee_run_options_parse(argc, argv, &o, &help);
  if (help) return ee_app_finish(EE_OK);
  if (status == EE_OK) status = check(&o);
  if (status == EE_OK) status = simulate(&o, argc, argv, &code);
  return status == EE_OK && code != 0 ? code : ee_app_finish(status);
}
