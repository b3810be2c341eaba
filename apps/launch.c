/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700  // realpath
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "ee/clock.h"

static const char *const settings[] = {
#include "mpi_settings.inc"
};

void ee_launch_settings(void) {
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    char        name[128];
    const char *equals = strchr(settings[i], '=');
    snprintf(name, sizeof name, "%.*s", (int)(equals - settings[i]), settings[i]);
    setenv(name, equals + 1, 0);
  }
}

bool ee_launched(void) {
  return ee_clock_is_simulated() || getenv("OMPI_COMM_WORLD_SIZE") != NULL ||
         getenv("PMIX_RANK") != NULL || getenv("PMI_RANK") != NULL;
}

static const char *program_name = "edgeexit";

void ee_launch_remember(const char *argv0) {
  program_name = argv0;
}

/* The path of the running program, which mpirun starts from wherever it likes. */
static void program_path(char *path, size_t size) {
#ifdef __linux__
  ssize_t n = readlink("/proc/self/exe", path, size - 1);
  if (n > 0) {
    path[n] = '\0';
    return;
  }
#endif
  char whole[PATH_MAX];
  bool found = strchr(program_name, '/') != NULL && realpath(program_name, whole) != NULL;
  snprintf(path, size, "%s", found ? whole : program_name);  // without a slash, PATH has it
}

ee_status ee_launch_beside(const char *name, const char *folder, char *path, size_t size) {
  char program[PATH_MAX];
  program_path(program, sizeof program);
  const char *slash = strrchr(program, '/');
  int         n     = slash != NULL ? (int)(slash - program) + 1 : 0;
  snprintf(path, size, "%.*s%s", n, program, name);
  if (access(path, R_OK) == 0) return EE_OK;
  snprintf(path, size, "%.*s%s/%s", n, program, folder, name);
  if (access(path, R_OK) == 0) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "%s cannot be read: %s", path, strerror(errno));
}

/* A rank that a signal ended has said nothing, and mpirun is told to say nothing.  SIGINT's code is
 * that of a run which ended in order, and has said so. */
static ee_status tell_end(int state, const char *trace) {
  int number = WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state) - 128;
  if (number <= 0 || (number == SIGINT && WIFEXITED(state))) return EE_OK;
  return EE_FAIL(EE_ERR_PEER, "signal %d (%s) ended %s, and with it the run%s%s", number,
                 strsignal(number), WIFSIGNALED(state) ? "mpirun" : "a device's process",
                 trace != NULL ? "; what was answered until then is in " : "",
                 trace != NULL ? trace : "");
}

ee_status ee_launch_ranks(int ranks, int n, char *const *args, int *state) {
  char   program[PATH_MAX], count[16];
  char **all = calloc((size_t)n + 5, sizeof *all);
  if (all == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a command line");
  program_path(program, sizeof program);
  snprintf(count, sizeof count, "%d", ranks);

  static char mpirun[] = EE_MPIEXEC, minus_n[] = "-n";
  char *const first[] = {mpirun, minus_n, count, program};
  memcpy(all, first, sizeof first);
  for (int i = 0; i < n; i++) all[4 + i] = args[i];
  ee_launch_settings();
  ee_status status = ee_child_run(all, state);
  free(all);
  return status;
}

#define CODE_FILE "EE_EXIT_CODE_FILE"
#define RECOVERY "OMPI_MCA_orte_enable_recovery"

void ee_launch_tell(int code) {
  const char  digits[] = {(char)('0' + code / 100 % 10), (char)('0' + code / 10 % 10),
                          (char)('0' + code % 10), '\n'};
  const char *path     = getenv(CODE_FILE);
  int         file     = path != NULL ? open(path, O_WRONLY) : -1;
  if (file < 0) return;
  if (write(file, digits, sizeof digits) < 0) errno = 0;  // then nobody has told
  close(file);
}

/* The code that a rank has told; -1 if none did. */
static int told_code(const char *path) {
  int   code = -1;
  FILE *file = fopen(path, "r");
  if (file != NULL && fscanf(file, "%d", &code) != 1) code = -1;
  if (file != NULL) fclose(file);
  return code;
}

/* Where mpirun lets ranks live when another dies, it ends with 0 whatever they end with, so that
 * they tell their code. */
static ee_status launch_told(int devices, int argc, char **argv, int *state, int *code) {
  char        path[PATH_MAX];
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/edgeexit.XXXXXX", folder != NULL ? folder : P_tmpdir);
  int file = mkstemp(path);
  if (file < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be made: %s", path, strerror(errno));
  close(file);
  setenv(CODE_FILE, path, 1);
  ee_status status = ee_launch_ranks(devices, argc, argv, state);
  *code            = told_code(path);
  unlink(path);
  return status;
}

ee_status ee_launch(int devices, bool survives, const char *trace, int argc, char **argv,
                    int *code) {
  int state = 0, told = 0;
  if (devices > EE_LAUNCH_MOST) {
    return EE_FAIL(EE_ERR_USAGE, "%d devices on one host; more than %d are started with mpirun",
                   devices, EE_LAUNCH_MOST);
  }
  setenv(RECOVERY, survives ? "1" : "0", 1);
  EE_TRY(launch_told(devices, argc, argv, &state, &told));
  EE_TRY(tell_end(state, trace));
  if (survives && state == 0 && told < 0) {
    bool kept = trace != NULL && access(trace, F_OK) == 0;
    return EE_FAIL(EE_ERR_PEER, "no rank was left to say how the run ended%s%s",
                   kept ? "; what was answered until then is in " : "", kept ? trace : "");
  }
  *code = WEXITSTATUS(state) != 0 ? WEXITSTATUS(state) : told > 0 ? told : 0;
  if (*code != 0 && ee_child_was_asked_to_end()) *code = ee_app_exit_code(EE_ERR_INTERRUPTED);
  return EE_OK;
}
