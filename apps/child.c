/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE  // siginfo_t
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static const int passed[] = {SIGINT, SIGTERM, SIGHUP};
#define N_PASSED (sizeof passed / sizeof passed[0])

static volatile pid_t child;  // whom a signal is passed on to that only we got

/* What the terminal sends, the child got too. */
static void pass_on(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  if (child > 0 && info->si_code <= 0) kill(child, signal_number);
}

static void become(char *const *args, pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
#else
  (void)parent;
#endif
  execvp(args[0], args);
  fprintf(stderr, "edgeexit: %s cannot be started: %s\n", args[0], strerror(errno));
  _exit(1);
}

ee_status ee_child_run(char *const *args, int *state) {
  struct sigaction pass = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO}, before[N_PASSED];
  pid_t            self = getpid();
  child                 = 0;
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
