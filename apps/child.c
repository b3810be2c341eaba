/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700  // sigaction
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "ee/clock.h"

#define SAME_NS 500000000  // the same signal again within this time is one that came twice

static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT};
#define N_PASSED (sizeof passed / sizeof passed[0])

static volatile pid_t        child;  // whom signals are passed on to
static volatile sig_atomic_t last;   // signal that asked to end, of those that were passed on
static volatile int64_t      last_ns;

/* Who stops a group, such as timeout(1), may send a signal to its first process and then to the
 * group, with SIGCONT in between; mpirun would take the second one for impatience. */
static void pass_on(int number) {
  int     was  = errno;
  bool    ends = number == SIGINT || number == SIGTERM || number == SIGHUP;
  int64_t now  = ee_clock_ns();
  bool    same = ends && number == last && now - last_ns <= SAME_NS;
  if (child > 0 && !same) kill(child, number);
  if (ends) {
    last    = number;
    last_ns = now;
  }
  if (number == SIGTSTP) raise(SIGSTOP);
  errno = was;
}

/* A group of its own: what is sent to ours comes to it once, through us.  Such a group must not
 * read from the terminal. */
static void become(char *const *args, pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
#else
  (void)parent;
#endif
  setpgid(0, 0);
  int nothing = open("/dev/null", O_RDONLY);
  if (nothing > STDIN_FILENO) dup2(nothing, STDIN_FILENO);
  if (nothing > STDERR_FILENO) close(nothing);
  execvp(args[0], args);
  fprintf(stderr, "edgeexit: %s cannot be started: %s\n", args[0], strerror(errno));
  _exit(1);
}

bool ee_child_was_asked_to_end(void) {
  return last != 0;
}

ee_status ee_child_run(char *const *args, int *state) {
  struct sigaction pass = {.sa_handler = pass_on}, before[N_PASSED];
  pid_t            self = getpid();
  child                 = 0;
  last                  = 0;
  for (size_t i = 0; i < N_PASSED; i++) sigaction(passed[i], &pass, &before[i]);
  pid_t pid = fork();
  int   why = errno;
  if (pid == 0) {
    for (size_t i = 0; i < N_PASSED; i++) sigaction(passed[i], &before[i], NULL);
    become(args, self);
  }
  child = pid;
  while (pid > 0 && waitpid(pid, state, 0) < 0 && errno == EINTR) continue;
  child = 0;
  for (size_t i = 0; i < N_PASSED; i++) sigaction(passed[i], &before[i], NULL);
  if (pid > 0) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "%s cannot be started: %s", args[0], strerror(why));
}
