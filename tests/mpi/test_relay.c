/* SPDX-License-Identifier: Apache-2.0 */
/* Events of all ranks of a node reach its writer: each once, in the order of its rank. */
#include "ee/trace_relay.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"
#include "ee/rng.h"
#include "ee_test.h"

enum { MOST_RANKS = 6 };

/* What a writer got. */
typedef struct book {
  int64_t events[MOST_RANKS];  // of each rank, by its number in the world
  int     out_of_order, answers, epochs, polls;
} book;

static void write_event(void *self, const ee_event *event) {
  book *b = self;
  b->out_of_order += event->bytes != b->events[event->rank];
  b->events[event->rank]++;
}

static void write_answer(void *self, const ee_answer *answer, const float *logits, int n_classes) {
  book *b = self;
  b->answers += answer->id == 5 && logits[n_classes - 1] == 2.0f;
}

static void write_epoch(void *self, const ee_epoch_record *record) {
  ((book *)self)->epochs += record->epoch == 9;
}

static void write_poll(void *self) {
  ((book *)self)->polls++;
}

static ee_trace_sink writer_of(book *b) {
  *b = (book){.answers = 0};
  return (ee_trace_sink){.self   = b,
                         .event  = write_event,
                         .answer = write_answer,
                         .epoch  = write_epoch,
                         .poll   = write_poll};
}

/* The k-th event of this rank. */
static void tell(const ee_trace_sink *sink, int rank, int64_t k) {
  ee_event event = {.rank = rank, .bytes = k};
  sink->event(sink->self, &event);
}

static int64_t events_of(int rank) {
  ee_rng rng = ee_rng_at(12, (uint64_t)rank);
  return (int64_t)ee_rng_below(&rng, 5000);
}

/* Every rank tells its events, polls now and then, and closes. */
static void tell_all(MPI_Comm node, book *b) {
  ee_trace_relay *relay  = NULL;
  ee_trace_sink   writer = writer_of(b);
  int             rank, node_rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_rank(node, &node_rank);
  CU_ASSERT_EQUAL_FATAL(ee_trace_relay_open(node, node_rank == 0 ? &writer : NULL, &relay), EE_OK);
  const ee_trace_sink *sink = ee_trace_relay_sink(relay);
  ee_rng               rng  = ee_rng_at(13, (uint64_t)rank);
  for (int64_t k = 0; k < events_of(rank); k++) {
    tell(sink, rank, k);
    if (ee_rng_below(&rng, 40) == 0) sink->poll(sink->self);
    if (ee_rng_below(&rng, 900) == 0) ee_clock_sleep(100000);
  }
  ee_trace_relay_close(&relay);
  CU_ASSERT_PTR_NULL(relay);
}

/* Nodes of `ranks` ranks; 0: as the machine has them, which is one. */
static void check_nodes(int ranks) {
  char     text[16];
  book     b;
  MPI_Comm node;
  int      rank, size, index, n_nodes;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  snprintf(text, sizeof text, "%d", ranks);
  setenv("EE_RANKS_PER_NODE", text, 1);
  if (ranks == 0) unsetenv("EE_RANKS_PER_NODE");
  int per = ranks > 0 ? ranks : size;
  ee_trace_nodes(MPI_COMM_WORLD, &node, &index, &n_nodes);
  CU_ASSERT_EQUAL(index, rank / per);
  CU_ASSERT_EQUAL(n_nodes, (size + per - 1) / per);
  tell_all(node, &b);
  CU_ASSERT_EQUAL(b.out_of_order, 0);
  for (int r = 0; r < size; r++) {
    bool mine = rank % per == 0 && r / per == index;
    CU_ASSERT_EQUAL(b.events[r], mine ? events_of(r) : 0);
  }
  MPI_Comm_free(&node);
  unsetenv("EE_RANKS_PER_NODE");
}

static void every_event_arrives_once_and_in_order(void) {
  check_nodes(0);
}

static void every_node_has_its_own_writer(void) {
  check_nodes(1);
  check_nodes(2);
  check_nodes(4);
}

/* More than the writer has posted receives for, while it waits in a collective: nobody may wait
 * for it, and nothing may be lost. */
static void devices_do_not_wait_for_a_writer_that_is_busy(void) {
  enum { EVENTS = 12000 };
  ee_trace_relay *relay = NULL;
  book            b;
  ee_trace_sink   writer = writer_of(&b);
  int             rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  CU_ASSERT_EQUAL_FATAL(ee_trace_relay_open(MPI_COMM_WORLD, rank == 0 ? &writer : NULL, &relay),
                        EE_OK);
  const ee_trace_sink *sink = ee_trace_relay_sink(relay);
  for (int64_t k = 0; k < EVENTS && rank > 0; k++) tell(sink, rank, k);
  MPI_Barrier(MPI_COMM_WORLD);
  for (int i = 0; i < 50; i++) sink->poll(sink->self);
  ee_trace_relay_close(&relay);
  if (rank == 0) CU_ASSERT_EQUAL(b.polls, 50);
  CU_ASSERT_EQUAL(b.out_of_order, 0);
  for (int r = 0; r < size; r++) CU_ASSERT_EQUAL(b.events[r], rank == 0 && r > 0 ? EVENTS : 0);
}

static void old_events_are_sent_without_company(void) {
  ee_trace_relay *relay = NULL;
  book            b;
  ee_trace_sink   writer = writer_of(&b);
  int             rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  CU_ASSERT_EQUAL_FATAL(ee_trace_relay_open(MPI_COMM_WORLD, rank == 0 ? &writer : NULL, &relay),
                        EE_OK);
  const ee_trace_sink *sink = ee_trace_relay_sink(relay);
  MPI_Request          all;
  int64_t              got  = 0;
  int                  done = 0, seen_all = rank != 0;
  if (rank == size - 1) tell(sink, rank, 0);
  for (all = MPI_REQUEST_NULL; !done;) {  // until the writer has it, without anybody closing
    sink->poll(sink->self);
    for (int r = 0; r < size && rank == 0; r++) got += b.events[r];
    seen_all |= got > 0;
    if (seen_all && all == MPI_REQUEST_NULL) MPI_Ibarrier(MPI_COMM_WORLD, &all);
    if (seen_all) MPI_Test(&all, &done, MPI_STATUS_IGNORE);
  }
  CU_ASSERT_TRUE(rank != 0 || got > 0);
  ee_trace_relay_close(&relay);
}

static void answers_and_epochs_pass_straight_through(void) {
  ee_trace_relay *relay = NULL;
  book            b;
  ee_trace_sink   writer = writer_of(&b);
  int             rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  CU_ASSERT_EQUAL_FATAL(ee_trace_relay_open(MPI_COMM_WORLD, rank == 0 ? &writer : NULL, &relay),
                        EE_OK);
  if (rank == 0) {
    const ee_trace_sink *sink      = ee_trace_relay_sink(relay);
    const float          logits[3] = {0.0f, 1.0f, 2.0f};
    sink->answer(sink->self, &(ee_answer){.id = 5}, logits, 3);
    sink->epoch(sink->self, &(ee_epoch_record){.epoch = 9});
    CU_ASSERT_EQUAL(b.answers, 1);
    CU_ASSERT_EQUAL(b.epochs, 1);
  }
  ee_trace_relay_close(&relay);
}

static void a_writer_may_leave_entries_out(void) {
  const ee_trace_sink nothing = {.self = NULL};
  ee_trace_relay     *relay   = NULL;
  int                 rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  CU_ASSERT_EQUAL_FATAL(ee_trace_relay_open(MPI_COMM_WORLD, &nothing, &relay), EE_OK);
  const ee_trace_sink *sink = ee_trace_relay_sink(relay);
  for (int64_t k = 0; k < 1000; k++) tell(sink, rank, k);
  sink->poll(sink->self);
  if (rank == 0) {
    sink->answer(sink->self, &(ee_answer){.id = 5}, NULL, 0);
    sink->epoch(sink->self, &(ee_epoch_record){.epoch = 9});
  }
  ee_trace_relay_close(&relay);
}

static void a_node_without_a_writer_is_an_error_on_all(void) {
  ee_trace_relay *relay = NULL;
  CU_ASSERT_EQUAL(ee_trace_relay_open(MPI_COMM_WORLD, NULL, &relay), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(relay);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_event_arrives_once_and_in_order),
    EE_FACT(every_node_has_its_own_writer),
    EE_FACT(devices_do_not_wait_for_a_writer_that_is_busy),
    EE_FACT(old_events_are_sent_without_company),
    EE_FACT(answers_and_epochs_pass_straight_through),
    EE_FACT(a_writer_may_leave_entries_out),
    EE_FACT(a_node_without_a_writer_is_an_error_on_all),
    {NULL, NULL},
};
