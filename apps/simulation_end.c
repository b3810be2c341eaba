/* SPDX-License-Identifier: Apache-2.0 */
#include "simulation_end.h"

#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "ee/clock.h"

#define NAMED 4  // ranks that a message names, of all that wait

/** What the log says. */
typedef struct log_says {
  double time;            // of the simulator's last word [s]
  bool   deadlock;        // its ranks waited for each other
  int    waiting;         // ranks that did
  char   who[512];        // the first of them, and for what
  char   complaint[512];  // the first that is no deadlock; "" if there is none
} log_says;

static const char *waited_for(const char *text) {
  if (strstr(text, "Waitany") != NULL) return "any of several messages";
  if (strstr(text, "communication") != NULL) return "a message";
  return strstr(text, "sleep") != NULL ? "a time" : "another rank";
}

/* "Actor 2 (1@d1): waiting for ...": rank 1. */
static void note_waiting(log_says *says, const char *text) {
  int    rank;
  size_t n = strlen(says->who);
  if (sscanf(text, "Actor %*d (%d@", &rank) != 1) return;
  if (says->waiting++ >= NAMED) return;
  snprintf(says->who + n, sizeof says->who - n, "%s rank %d for %s", n > 0 ? "," : ":", rank,
           waited_for(text));
}

static void note_line(log_says *says, char *line) {
  char *priority = strchr(line, '|'), *text = priority != NULL ? strchr(priority + 1, '|') : NULL;
  if (text == NULL) return;
  *text++                   = '\0';
  text[strcspn(text, "\n")] = '\0';
  sscanf(line, "%lf", &says->time);
  if (strstr(text, "Deadlock") != NULL) {
    says->deadlock = true;
  } else if (says->deadlock) {
    note_waiting(says, text);
  } else if (strcmp(priority + 1, "CRITICAL") == 0 && says->complaint[0] == '\0') {
    snprintf(says->complaint, sizeof says->complaint, "%s", text);
  }
}

static void read_log(FILE *log, log_says *says) {
  char line[1024];
  rewind(log);
  while (fgets(line, sizeof line, log) != NULL) note_line(says, line);
}

ee_status ee_simulation_end(FILE *log, int devices, int state, int *code) {
  log_says says = {.time = 0.0};
  read_log(log, &says);
  double seconds = says.time - (double)EE_SIMULATION_BEGINS * 1e-9;  // of the run
  if (seconds < 0.0) seconds = 0.0;
  *code = WIFEXITED(state) ? WEXITSTATUS(state) : 1;
  if (says.complaint[0] != '\0') {
    return EE_FAIL(EE_ERR_PEER, "the simulator ended the run after %.6g s: %s", seconds,
                   says.complaint);
  }
  if (says.deadlock) {
    return EE_FAIL(
        EE_ERR_PEER,
        "the simulation is deadlocked after %.6g s: %d of %d devices wait for what never "
        "comes%s%s",
        seconds, says.waiting, devices, says.who, says.waiting > NAMED ? ", ..." : "");
  }
  if (WIFSIGNALED(state)) {
    return EE_FAIL(EE_ERR_PEER, "signal %d (%s) ended the simulation", WTERMSIG(state),
                   strsignal(WTERMSIG(state)));
  }
  return EE_OK;
}
