/* SPDX-License-Identifier: Apache-2.0 */
/* Saying which device's process has died. */
#define _POSIX_C_SOURCE 200809L
#include "dead_rank.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "launch.h"

/* A rank of this node, and what to say if it is gone. */
typedef struct neighbour {
  int   rank;
  pid_t process;
  char  state_path[32];  // of Linux
  char  sentence[256];   // but for the trace
} neighbour;

static neighbour            *neighbours;  // shape [n_neighbours], by rank
static int                   n_neighbours;
static volatile sig_atomic_t watching;
static bool                  by_lifeline;
static char                  trace_path[512];  // empty: none is written

static void prepare(neighbour *n, int rank, int process) {
  char host[256] = "this host";
  gethostname(host, sizeof host - 1);
  n->rank    = rank;
  n->process = (pid_t)process;
  snprintf(n->state_path, sizeof n->state_path, "/proc/%d/stat", process);
  snprintf(n->sentence, sizeof n->sentence,
           "edgeexit: device %d (process %d on %.64s) died, and with it the run", rank, process,
           host);
}

/* Put @p text behind the first @p at bytes of @p line, as far as there is room; how many there are.
 */
static size_t append(char *line, size_t size, size_t at, const char *text) {
  size_t n = strlen(text);
  if (n > size - at) n = size - at;
  memcpy(line + at, text, n);
  return at + n;
}

/* The sentence, and where the trace is, if there is one by now.  Safe in a signal handler. */
static void say(const char *sentence) {
  char   line[1024];
  size_t n = append(line, sizeof line, 0, sentence);
  if (trace_path[0] != '\0' && access(trace_path, F_OK) == 0) {
    n = append(line, sizeof line, n, "; what was answered until then is in ");
    n = append(line, sizeof line, n, trace_path);
  }
  n = append(line, sizeof line, n, "\n");
  if (write(STDERR_FILENO, line, n) < 0) return;
}

ee_status ee_dead_rank_watch(MPI_Comm comm, bool lifeline, const char *trace) {
  int      mine[2] = {0, (int)getpid()}, size;
  MPI_Comm node;
  if (ee_clock_is_simulated()) return EE_OK;  // all ranks are in one process
  EE_MPI(MPI_Comm_rank(comm, &mine[0]));
  EE_MPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, mine[0], MPI_INFO_NULL, &node));
  EE_MPI(MPI_Comm_size(node, &size));
  int(*all)[2]     = calloc((size_t)size, sizeof *all);
  neighbours       = calloc((size_t)size, sizeof *neighbours);
  bool      got    = all != NULL && neighbours != NULL;
  ee_status status = got ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for the processes of %d ranks", size);
  status           = ee_agree(comm, status, 0);
  if (status == EE_OK) EE_MPI(MPI_Allgather(mine, 2, MPI_INT, all, 2, MPI_INT, node));
  for (int i = 0; i < size && status == EE_OK; i++) {
    prepare(&neighbours[i], all[i][0], all[i][1]);
  }
  free(all);
  EE_MPI(MPI_Comm_free(&node));
  n_neighbours = size;
  watching     = status == EE_OK;
  by_lifeline  = lifeline;
  snprintf(trace_path, sizeof trace_path, "%s", trace != NULL ? trace : "");
  if (!watching) ee_dead_rank_forget();
  return status;
}

/* Whether Linux says that the process is dead, though nobody has waited for it yet: the letter
 * behind its name in parentheses. */
static bool is_zombie(const neighbour *n) {
  char text[256] = "";
  int  file      = open(n->state_path, O_RDONLY);
  if (file < 0) return false;
  ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  const char *name_end = got > 0 ? strrchr(text, ')') : NULL;
  return name_end != NULL && (strncmp(name_end, ") Z", 3) == 0 || strncmp(name_end, ") X", 3) == 0);
}

static bool is_gone(const neighbour *n) {
  return (kill(n->process, 0) != 0 && errno == ESRCH) || is_zombie(n);
}

void ee_dead_rank_tell(void) {
  int was = errno, first = 0;
  while (watching && first < n_neighbours && is_gone(&neighbours[first])) first++;
  bool mine =
      watching && !by_lifeline && first < n_neighbours && neighbours[first].process == getpid();
  for (int i = 0; mine && i < n_neighbours; i++) {
    if (is_gone(&neighbours[i])) say(neighbours[i].sentence);
  }
  errno = was;
}

/* Whether no rank before this one will speak. */
static bool is_speaker(int dead) {
  int i = 0;
  while (watching && i < n_neighbours && neighbours[i].process != getpid() &&
         (neighbours[i].rank == dead || is_gone(&neighbours[i]))) {
    i++;
  }
  return !watching || (i < n_neighbours && neighbours[i].process == getpid());
}

void ee_dead_rank_last_words(int rank) {
  struct timespec moment = {.tv_nsec = 300000000};
  const char     *known  = NULL;
  for (int i = 0; watching && i < n_neighbours; i++) {
    if (neighbours[i].rank == rank) known = neighbours[i].sentence;
  }
  if (is_speaker(rank)) {
    char sentence[64];
    snprintf(sentence, sizeof sentence, "edgeexit: device %d died, and with it the run", rank);
    say(known != NULL ? known : sentence);
    ee_launch_tell(1);
  }
  nanosleep(&moment, NULL);
}

void ee_dead_rank_kill(int rank) {
  for (int i = 0; watching && i < n_neighbours; i++) {
    if (neighbours[i].rank == rank && !is_gone(&neighbours[i]))
      kill(neighbours[i].process, SIGKILL);
  }
}

void ee_dead_rank_forget(void) {
  watching = 0;
  free(neighbours);
  neighbours   = NULL;
  n_neighbours = 0;
}
