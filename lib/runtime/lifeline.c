/* SPDX-License-Identifier: Apache-2.0 */
/* Who lives.  Words of four bytes go between rank 0 and the others; a thread on each side takes
 * them, and sees when the other end is gone. */
#define _POSIX_C_SOURCE 200809L
#include "ee/lifeline.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "lifeline_connect.h"

#define NAP 100000  // [ns]

enum { LOOK_MS = 200 };  // how soon the thread of rank 0 sees that nobody is left

/* Words of rank 0; one from 0 on is a rank that has died. */
enum { SETTLED = -1, CLOSED = -2, ENDS = -3 };

/* Words to rank 0. */
enum { TOLERATES = 1, SETTLES, CLOSES };

/* What ranks do in step. */
enum { STRICT, TOLERANT, CLOSING };

struct ee_lifeline {
  int rank, size;
  void (*last_words)(int rank);
  int            *socket;  // shape [size], as in lifeline_connect.h
  struct pollfd  *poll;    // shape [size], scratch of rank 0's thread
  pthread_t       watcher;
  pthread_mutex_t lock;     // of all below
  pthread_cond_t  changed;  // of `closed`
  int            *lost;     // shape [size], ranks in the order of their deaths
  int             n_lost;
  int             phase;                 // of this rank
  int             n_willing, n_closing;  // rank 0: others that tolerate, that close
  int             n_heard, n_settled;    // settlements that rank 0 told, that this one came to
  bool            closed;
};

bool ee_lifeline_is_needed(void) {
  const char *text = getenv("OMPI_MCA_orte_enable_recovery");
  return !ee_clock_is_simulated() && text != NULL && strchr("1tTyY", text[0]) != NULL &&
         text[0] != '\0';
}

static void say(int socket, int32_t word) {
  // Who cannot be told is about to be found dead.
  if (socket >= 0 && send(socket, &word, sizeof word, MSG_NOSIGNAL) < 0) return;
}

static void say_to_all(const ee_lifeline *l, int32_t word) {
  for (int r = 1; r < l->size; r++) say(l->socket[r], word);
}

static _Noreturn void end_process(const ee_lifeline *l, int dead) {
  if (l->last_words != NULL) l->last_words(dead);
  if (l->rank == 0) say_to_all(l, ENDS);
  _exit(1);
}

static int n_others(const ee_lifeline *l) {
  return l->size - 1 - l->n_lost;
}

/* Rank 0: the last one has come. */
static void close_if_all_came(ee_lifeline *l) {
  if (l->phase != CLOSING || l->closed || l->n_closing < n_others(l)) return;
  say_to_all(l, CLOSED);
  l->closed = true;
  pthread_cond_broadcast(&l->changed);
}

/* Rank 0: the connection to rank @p r has ended. */
static void lose(ee_lifeline *l, int r) {
  close(l->socket[r]);
  l->socket[r] = -1;
  if (l->closed) return;
  if (l->phase != TOLERANT || l->n_willing < n_others(l)) {
    end_process(l, r);
  }
  l->lost[l->n_lost++] = r;
  l->n_willing--;
  say_to_all(l, r);
}

static void heed_rank(ee_lifeline *l, int r) {
  int32_t word;
  if (recv(l->socket[r], &word, sizeof word, MSG_WAITALL) != (ssize_t)sizeof word) {
    lose(l, r);
  } else if (word == TOLERATES) {
    l->n_willing++;
  } else if (word == SETTLES) {
    l->n_willing--;
  } else {
    l->n_closing++;
    close_if_all_came(l);
  }
}

/* Rank 0's thread. */
static void *watch_ranks(void *self) {
  ee_lifeline *l    = self;
  bool         ends = false;
  while (!ends) {
    for (int r = 0; r < l->size; r++) {
      l->poll[r] = (struct pollfd){.fd = l->socket[r], .events = POLLIN};
    }
    int n = poll(l->poll, (nfds_t)l->size, LOOK_MS);
    pthread_mutex_lock(&l->lock);
    for (int r = 1; r < l->size && n > 0 && !l->closed; r++) {
      if (l->poll[r].revents != 0) heed_rank(l, r);
    }
    ends = l->closed;
    pthread_mutex_unlock(&l->lock);
  }
  return NULL;
}

static bool is_closed(ee_lifeline *l) {
  pthread_mutex_lock(&l->lock);
  bool closed = l->closed;
  pthread_mutex_unlock(&l->lock);
  return closed;
}

/* Whether there are more words to come. */
static bool heed_rank_0(ee_lifeline *l, bool heard, int32_t word) {
  if (!heard && is_closed(l)) return false;
  if (!heard) end_process(l, 0);
  if (word == ENDS) _exit(1);  // rank 0 has said why
  pthread_mutex_lock(&l->lock);
  if (word >= 0 && word < l->size) l->lost[l->n_lost++] = word;
  l->n_heard += word == SETTLED;
  l->closed |= word == CLOSED;
  pthread_cond_broadcast(&l->changed);
  pthread_mutex_unlock(&l->lock);
  return word != CLOSED;
}

/* The thread of any other rank. */
static void *watch_rank_0(void *self) {
  ee_lifeline *l     = self;
  int32_t      word  = 0;
  bool         heard = true;
  do {
    heard = recv(l->socket[0], &word, sizeof word, MSG_WAITALL) == (ssize_t)sizeof word;
  } while (heed_rank_0(l, heard, word));
  return NULL;
}

static void destroy(ee_lifeline *l) {
  for (int r = 0; l->socket != NULL && r < l->size; r++) {
    if (l->socket[r] >= 0) close(l->socket[r]);
  }
  pthread_mutex_destroy(&l->lock);
  pthread_cond_destroy(&l->changed);
  free(l->socket);
  free(l->poll);
  free(l->lost);
  free(l);
}

static ee_lifeline *create(MPI_Comm comm) {
  ee_lifeline *l = calloc(1, sizeof *l);
  if (l == NULL) return NULL;
  EE_MPI(MPI_Comm_rank(comm, &l->rank));
  EE_MPI(MPI_Comm_size(comm, &l->size));
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->changed, NULL);
  size_t n  = (size_t)l->size;
  l->socket = malloc(n * sizeof *l->socket);
  l->poll   = calloc(n, sizeof *l->poll);
  l->lost   = calloc(n, sizeof *l->lost);
  for (size_t r = 0; l->socket != NULL && r < n; r++) l->socket[r] = -1;
  if (l->socket != NULL && l->poll != NULL && l->lost != NULL) return l;
  destroy(l);
  return NULL;
}

/* Whatever comes, or ends, from now on means nothing. */
static void stop_watching(ee_lifeline *l) {
  pthread_mutex_lock(&l->lock);
  l->closed = true;
  for (int r = 0; r < l->size; r++) {
    if (l->socket[r] >= 0) shutdown(l->socket[r], SHUT_RDWR);  // wakes the thread
  }
  pthread_mutex_unlock(&l->lock);
  pthread_join(l->watcher, NULL);
}

/* All ranks watch, or none does. */
static ee_status start_watching(MPI_Comm comm, ee_lifeline *l) {
  int       code = pthread_create(&l->watcher, NULL, l->rank == 0 ? watch_ranks : watch_rank_0, l);
  ee_status mine = code == 0 ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for a thread: %s", strerror(code));
  ee_status status = ee_agree(comm, mine, 0);
  if (status != EE_OK && mine == EE_OK) stop_watching(l);
  return status;
}

ee_status ee_lifeline_open(MPI_Comm comm, void (*last_words)(int rank), ee_lifeline **lifeline) {
  ee_lifeline *l      = create(comm);
  ee_status    status = l != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for connections of ranks");
  *lifeline           = NULL;
  status              = ee_agree(comm, status, 0);
  if (status == EE_OK) status = ee_lifeline_connect(comm, l->socket);
  if (status == EE_OK) {
    l->last_words = last_words;
    status        = start_watching(comm, l);
  }
  if (status == EE_OK) {
    *lifeline = l;
  } else if (l != NULL) {
    destroy(l);
  }
  return status;
}

/* Say where this rank is. */
static void enter(ee_lifeline *l, int phase, int32_t word) {
  l->phase = phase;
  if (l->rank != 0) say(l->socket[0], word);
}

void ee_lifeline_tolerate(ee_lifeline *lifeline) {
  if (lifeline == NULL) return;
  pthread_mutex_lock(&lifeline->lock);
  enter(lifeline, TOLERANT, TOLERATES);
  pthread_mutex_unlock(&lifeline->lock);
}

int ee_lifeline_lost(ee_lifeline *lifeline, int i) {
  int rank = -1;
  if (lifeline == NULL) return rank;
  pthread_mutex_lock(&lifeline->lock);
  if (i < lifeline->n_lost) rank = lifeline->lost[i];
  pthread_mutex_unlock(&lifeline->lock);
  return rank;
}

void ee_lifeline_expel(ee_lifeline *lifeline, int rank) {
  ee_lifeline *l = lifeline;
  if (l == NULL || l->rank != 0 || rank == 0) return;
  pthread_mutex_lock(&l->lock);
  if (l->phase == TOLERANT && l->n_willing == n_others(l) && l->socket[rank] >= 0) {
    say(l->socket[rank], ENDS);
    shutdown(l->socket[rank], SHUT_RDWR);  // which the thread finds ended
  }
  pthread_mutex_unlock(&l->lock);
}

/* A communicator of the living, once it is settled who they are. */
static MPI_Comm comm_of_living(const ee_lifeline *l, MPI_Comm comm) {
  MPI_Group all, some;
  MPI_Comm  living;
  EE_MPI(MPI_Comm_group(comm, &all));
  EE_MPI(MPI_Group_excl(all, l->n_lost, l->lost, &some));
  EE_MPI(MPI_Comm_create_group(comm, some, 0, &living));
  EE_MPI(MPI_Group_free(&all));
  EE_MPI(MPI_Group_free(&some));
  return living;
}

/* What rank 0 waits for in its loop may still be in this rank's send queues. */
static void let_mpi_work(ee_lifeline *l, MPI_Comm comm) {
  int     here;
  int64_t nap = NAP;
  pthread_mutex_unlock(&l->lock);
  EE_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &here, MPI_STATUS_IGNORE));
  ee_clock_nap(&nap, NAP);
  pthread_mutex_lock(&l->lock);
}

void ee_lifeline_settle(ee_lifeline *lifeline, MPI_Comm comm, MPI_Comm *living) {
  ee_lifeline *l = lifeline;
  if (living != NULL) *living = comm;
  if (l == NULL) return;
  pthread_mutex_lock(&l->lock);
  if (l->rank == 0) {
    l->n_heard++;
    say_to_all(l, SETTLED);
  }
  while (l->n_heard == l->n_settled) let_mpi_work(l, comm);
  l->n_settled++;
  enter(l, STRICT, SETTLES);
  pthread_mutex_unlock(&l->lock);
  if (living != NULL && l->n_lost > 0) *living = comm_of_living(l, comm);
}

void ee_lifeline_close(ee_lifeline **lifeline) {
  ee_lifeline *l = *lifeline;
  *lifeline      = NULL;
  if (l == NULL) return;
  pthread_mutex_lock(&l->lock);
  enter(l, CLOSING, CLOSES);
  if (l->rank == 0) close_if_all_came(l);
  while (!l->closed) pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
  stop_watching(l);
  destroy(l);
}
