/* SPDX-License-Identifier: Apache-2.0 */
/* Trying a file in a child process: HDF5 crashes on some damaged ones, and a trace cannot be sealed
 * while it grows. */
#include "trace_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPU_SECONDS 60
#define WALL_SECONDS 600

/* What the child tells before it ends. */
typedef struct verdict {
  ee_status status;
  char      sentence[EE_MESSAGE_BYTES];
} verdict;

static void limit_child(void) {
  struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, none = {0, 0};
  setrlimit(RLIMIT_CPU, &cpu);
  setrlimit(RLIMIT_CORE, &none);
  alarm(WALL_SECONDS);
  int quiet = open("/dev/null", O_WRONLY);
  if (quiet >= 0) dup2(quiet, STDERR_FILENO);
}

static _Noreturn void run_child(const char *path, ee_status (*read)(const char *path), int out) {
  limit_child();
  verdict told = {.status = read(path)};
  strncpy(told.sentence, ee_status_message(), sizeof told.sentence - 1);
  ssize_t written = write(out, &told, sizeof told);  // below PIPE_BUF: whole or not at all
  _exit(written == (ssize_t)sizeof told ? 0 : 1);
}

static ee_status judge(const char *path, int ended, ssize_t got, const verdict *told) {
  if (WIFSIGNALED(ended)) {
    return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: HDF5 cannot read it (signal %d)", path,
                   WTERMSIG(ended));
  }
  if (got != (ssize_t)sizeof *told || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
    return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: HDF5 cannot read it", path);
  }
  return told->status == EE_OK ? EE_OK : EE_FAIL(told->status, "%s", told->sentence);
}

static ssize_t read_verdict(int in, verdict *told) {
  ssize_t got;
  do {
    got = read(in, told, sizeof *told);
  } while (got < 0 && errno == EINTR);
  told->sentence[sizeof told->sentence - 1] = '\0';
  return got;
}

ee_status ee_trace_probe(const char *path, ee_status (*read)(const char *path)) {
  int ends[2];
  if (pipe(ends) != 0) return EE_FAIL(EE_ERR_NOMEM, "%s: no pipe: %s", path, strerror(errno));
  pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return EE_FAIL(EE_ERR_NOMEM, "%s: no process to try it in: %s", path, strerror(errno));
  }
  if (child == 0) run_child(path, read, ends[1]);

  close(ends[1]);
  verdict told = {.status = EE_OK};
  ssize_t got  = read_verdict(ends[0], &told);
  close(ends[0]);
  int   ended = 0;
  pid_t done;
  do {
    done = waitpid(child, &ended, 0);
  } while (done < 0 && errno == EINTR);
  // A host program that ignores SIGCHLD leaves no exit status; the child's word is then enough.
  return judge(path, done == child ? ended : 0, got, &told);
}
