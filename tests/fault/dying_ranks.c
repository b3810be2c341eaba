/* SPDX-License-Identifier: Apache-2.0 */
/* dying_ranks HOW SEED: ranks die, and the others notice; started with
 * OMPI_MCA_orte_enable_recovery=1.
 *
 *   tolerated  some die at any time; the others agree on who lives, and go on together
 *   traced     the same, after they have sent more events of a trace than rank 0 has room for
 *   strict     one dies before all tolerate it, while the others are in a collective call: all end
 *   settled    one dies after all agreed on who lives, likewise
 *
 * The lowest rank that lives says "N live" at its end, and who has died as its last words. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ee/agree.h"
#include "ee/lifeline.h"
#include "ee/rng.h"
#include "ee/trace_relay.h"

enum { EVENTS = 10000 };

static int rank, size;

static void say_last_words(int dead) {
  printf("rank %d has died, says rank %d\n", dead, rank);
  fflush(stdout);
}

static void sleep_ms(double ms) {
  struct timespec t = {.tv_sec = (time_t)(ms / 1e3)};
  t.tv_nsec         = (long)((ms - (double)t.tv_sec * 1e3) * 1e6);
  nanosleep(&t, NULL);
}

/* Who dies, the same on all ranks: some, or all, but never rank 0. */
static int draw_victims(uint64_t seed, bool *dies) {
  ee_rng rng = ee_rng_at(1, seed);
  int    n   = 0;
  for (int r = 1; r < size; r++) {
    dies[r] = ee_rng_uniform(&rng) < 0.6;
    n += dies[r];
  }
  if (n > 0 || size == 1) return n;
  dies[size - 1] = true;
  return 1;
}

static void die(void) {
  raise(SIGKILL);
}

/* Until all @p n deaths are known here, without asking anybody. */
static void wait_for_deaths(ee_lifeline *lifeline, int n) {
  while (ee_lifeline_lost(lifeline, n - 1) < 0 && n > 0) sleep_ms(1.0);
}

/* A number that differs where the lists of the dead do. */
static int key_of(ee_lifeline *lifeline) {
  int key = 7;
  for (int i = 0; ee_lifeline_lost(lifeline, i) >= 0; i++) {
    key = (key * 31 + ee_lifeline_lost(lifeline, i)) % 1000003;
  }
  return key;
}

/* The living do something together, as they are or over @p living. */
static bool check_living(ee_lifeline *lifeline, MPI_Comm living, const bool *dies) {
  int  n, one = 1, sum = 0;
  bool fine = ee_agree(living, EE_OK, key_of(lifeline)) == EE_OK;
  MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, living);
  MPI_Comm_size(living, &n);
  for (int i = 0; ee_lifeline_lost(lifeline, i) >= 0; i++) {
    fine = fine && dies[ee_lifeline_lost(lifeline, i)];
  }
  return fine && sum == n;
}

static int64_t n_events;

static void count_event(void *self, const ee_event *event) {
  (void)self;
  (void)event;
  n_events++;
}

static ee_trace_relay *open_relay(void) {
  ee_trace_sink   writer = {.event = count_event};
  ee_trace_relay *relay  = NULL;
  if (ee_trace_relay_open(MPI_COMM_WORLD, &writer, &relay) != EE_OK) abort();
  return relay;
}

/* Nobody takes them before the ranks die: those that MPI sends in parts stay half sent. */
static void send_events(ee_trace_relay *relay) {
  const ee_trace_sink *sink  = ee_trace_relay_sink(relay);
  ee_event             event = {.rank = rank};
  for (int i = 0; i < EVENTS; i++) sink->event(sink->self, &event);
}

/* What the living have sent arrives, whatever the dead have. */
static bool close_relay(ee_trace_relay *relay, ee_lifeline *lifeline, int n_living) {
  for (int i = 0; ee_lifeline_lost(lifeline, i) >= 0; i++) {
    ee_trace_relay_lose(relay, ee_lifeline_lost(lifeline, i));
  }
  ee_trace_relay_close(&relay);
  return rank != 0 || n_events >= (int64_t)n_living * EVENTS;
}

static int run_tolerated(ee_lifeline *lifeline, uint64_t seed, bool traced) {
  bool           *dies = calloc((size_t)size, sizeof *dies);
  ee_rng          rng  = ee_rng_at(2 + (uint64_t)rank, seed);
  int             n    = draw_victims(seed, dies);
  MPI_Comm        living;
  ee_trace_relay *relay = traced ? open_relay() : NULL;
  ee_lifeline_tolerate(lifeline);
  sleep_ms(50.0 + 50.0 * ee_rng_uniform(&rng));  // so that all tolerate it
  if (traced) send_events(relay);
  if (dies[rank]) die();
  wait_for_deaths(lifeline, seed % 2 == 0 ? n : 0);
  if (seed % 2 == 1) sleep_ms(300.0);
  ee_lifeline_settle(lifeline, MPI_COMM_WORLD, &living);
  bool fine = check_living(lifeline, living, dies);
  MPI_Comm_size(living, &n);
  if (traced) fine &= close_relay(relay, lifeline, n);
  if (rank == 0) printf("%d live%s\n", n, fine ? "" : ", and do not agree");
  fflush(stdout);
  free(dies);
  ee_lifeline_close(&lifeline);
  _exit(0);
}

/* Nobody comes back from here. */
static int run_strict(ee_lifeline *lifeline, bool settled) {
  if (settled) ee_lifeline_tolerate(lifeline);
  if (settled) ee_lifeline_settle(lifeline, MPI_COMM_WORLD, NULL);
  if (rank == size - 1) {
    sleep_ms(100.0);
    die();
  }
  MPI_Barrier(MPI_COMM_WORLD);
  printf("rank %d came back\n", rank);
  return 0;
}

int main(int argc, char **argv) {
  ee_lifeline *lifeline = NULL;
  if (argc != 3) return 2;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (!ee_lifeline_is_needed()) return 2;
  if (ee_lifeline_open(MPI_COMM_WORLD, say_last_words, &lifeline) != EE_OK) {
    printf("%s\n", ee_status_message());
    return 1;
  }
  bool traced = strcmp(argv[1], "traced") == 0;
  if (traced || strcmp(argv[1], "tolerated") == 0) {
    return run_tolerated(lifeline, strtoull(argv[2], NULL, 10), traced);
  }
  return run_strict(lifeline, strcmp(argv[1], "settled") == 0);
}
