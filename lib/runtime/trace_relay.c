/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/trace_relay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"
#include "ee/clock.h"

#define RELAY_EVENTS 512     // events per message
#define RELAY_RECEIVES 8     // posted ahead by the writer
#define RELAY_AGE 100000000  // an event waits no longer than this for company [ns]
#define RELAY_TAG 1

struct ee_trace_relay {
  MPI_Comm      comm;
  int           rank, size;
  ee_trace_sink writer, own;  // writer: on rank 0 only
  // Sending: one buffer fills while the other is under way.
  ee_event   *fill, *sent;  // shape [RELAY_EVENTS] each
  int         n;
  int64_t     oldest;  // when the first event of `fill` came in [ns]
  MPI_Request send;
  // Receiving, on rank 0.
  ee_event   *in;  // shape [RELAY_RECEIVES, RELAY_EVENTS]
  MPI_Request receive[RELAY_RECEIVES];
  int         open;  // ranks that have not said their last word
};

void ee_trace_nodes(MPI_Comm comm, MPI_Comm *node, int *index, int *n_nodes) {
  const char *text  = getenv("EE_RANKS_PER_NODE");
  int         ranks = text != NULL ? atoi(text) : 0, rank, node_rank;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  if (ranks > 0) {
    EE_MPI(MPI_Comm_split(comm, rank / ranks, rank, node));
  } else {
    EE_MPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, node));
  }
  EE_MPI(MPI_Comm_rank(*node, &node_rank));
  int writer = node_rank == 0, before = 0;
  EE_MPI(MPI_Exscan(&writer, &before, 1, MPI_INT, MPI_SUM, comm));
  *index = rank == 0 ? 0 : before;
  EE_MPI(MPI_Bcast(index, 1, MPI_INT, 0, *node));
  EE_MPI(MPI_Allreduce(&writer, n_nodes, 1, MPI_INT, MPI_SUM, comm));
}

/* Send the filled buffer, if the one before is gone; an empty one is the last word. */
static void send_buffer(ee_trace_relay *r) {
  ee_event *buffer = r->fill;
  EE_MPI(MPI_Isend(buffer, r->n * (int)sizeof *buffer, MPI_BYTE, 0, RELAY_TAG, r->comm, &r->send));
  r->fill = r->sent;
  r->sent = buffer;
  r->n    = 0;
}

static void wait_send(ee_trace_relay *r) {
  if (r->send != MPI_REQUEST_NULL) EE_MPI(MPI_Wait(&r->send, MPI_STATUS_IGNORE));
}

static void relay_event(void *self, const ee_event *event) {
  ee_trace_relay *r = self;
  if (r->n == 0) r->oldest = ee_clock_ns();
  r->fill[r->n++] = *event;
  if (r->n < RELAY_EVENTS) return;
  wait_send(r);
  send_buffer(r);
}

static void post(ee_trace_relay *r, int slot) {
  EE_MPI(MPI_Irecv(r->in + (size_t)slot * RELAY_EVENTS, RELAY_EVENTS * (int)sizeof *r->in, MPI_BYTE,
                   MPI_ANY_SOURCE, RELAY_TAG, r->comm, &r->receive[slot]));
}

/* Hand over one message of events, if one is here. */
static bool take_message(ee_trace_relay *r) {
  int        slot = MPI_UNDEFINED, done = 0, bytes = 0;
  MPI_Status status;
  EE_MPI(MPI_Testany(RELAY_RECEIVES, r->receive, &slot, &done, &status));
  if (!done || slot == MPI_UNDEFINED) return false;
  EE_MPI(MPI_Get_count(&status, MPI_BYTE, &bytes));
  const ee_event *event = r->in + (size_t)slot * RELAY_EVENTS;
  int             n     = bytes / (int)sizeof *event;
  for (int i = 0; i < n; i++) r->writer.event(r->writer.self, &event[i]);
  if (n == 0) r->open--;
  post(r, slot);
  return true;
}

static void relay_poll(void *self) {
  ee_trace_relay *r = self;
  if (r->rank == 0) {
    take_message(r);
    if (r->writer.poll != NULL) r->writer.poll(r->writer.self);
    return;
  }
  int done = 1;
  if (r->send != MPI_REQUEST_NULL) EE_MPI(MPI_Test(&r->send, &done, MPI_STATUS_IGNORE));
  if (done && r->n > 0 && ee_clock_ns() - r->oldest > RELAY_AGE) send_buffer(r);
}

static ee_status allocate(ee_trace_relay *r) {
  size_t n = r->rank == 0 ? RELAY_RECEIVES * RELAY_EVENTS : 2 * RELAY_EVENTS;
  r->in    = calloc(n, sizeof *r->in);
  if (r->in == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu trace events", n);
  r->fill = r->in;
  r->sent = r->in + RELAY_EVENTS;
  return EE_OK;
}

static void open_own_sink(ee_trace_relay *r, const ee_trace_sink *writer) {
  r->own = (ee_trace_sink){.self = r, .event = relay_event, .poll = relay_poll};
  if (r->rank != 0) return;
  r->writer = *writer;  // the writer's own records need no message
  r->open   = r->size - 1;
  for (int slot = 0; slot < RELAY_RECEIVES; slot++) post(r, slot);
}

/* Rank 0's entries: its own records go straight on. */
static void direct_event(void *self, const ee_event *event) {
  ee_trace_relay *r = self;
  r->writer.event(r->writer.self, event);
}

static void direct_answer(void *self, const ee_answer *answer, const float *logits, int n_classes) {
  ee_trace_relay *r = self;
  if (r->writer.answer != NULL) r->writer.answer(r->writer.self, answer, logits, n_classes);
}

static void direct_epoch(void *self, const ee_epoch_record *record) {
  ee_trace_relay *r = self;
  if (r->writer.epoch != NULL) r->writer.epoch(r->writer.self, record);
}

ee_status ee_trace_relay_open(MPI_Comm node, const ee_trace_sink *writer, ee_trace_relay **relay) {
  ee_trace_relay *r      = calloc(1, sizeof *r);
  ee_status       status = r != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for a trace relay");
  if (r != NULL) {
    EE_MPI(MPI_Comm_rank(node, &r->rank));
    EE_MPI(MPI_Comm_size(node, &r->size));
    r->send = MPI_REQUEST_NULL;
    status  = allocate(r);
  }
  status = ee_agree(node, status, 0);
  if (status != EE_OK) {
    if (r != NULL) free(r->in);
    free(r);
    *relay = NULL;
    return status;
  }
  EE_MPI(MPI_Comm_dup(node, &r->comm));
  open_own_sink(r, writer);
  if (r->rank == 0) {
    r->own.event  = direct_event;
    r->own.answer = direct_answer;
    r->own.epoch  = direct_epoch;
  }
  *relay = r;
  return EE_OK;
}

const ee_trace_sink *ee_trace_relay_sink(const ee_trace_relay *relay) {
  return &relay->own;
}

/* The writer listens until everybody has said the last word; then nothing is on its way. */
static void finish_receiving(ee_trace_relay *r) {
  while (r->open > 0) {
    if (!take_message(r)) ee_clock_sleep(20000);
  }
  for (int slot = 0; slot < RELAY_RECEIVES; slot++) {
    EE_MPI(MPI_Cancel(&r->receive[slot]));
    EE_MPI(MPI_Wait(&r->receive[slot], MPI_STATUS_IGNORE));
  }
}

static void finish_sending(ee_trace_relay *r) {
  wait_send(r);
  if (r->n > 0) send_buffer(r);
  wait_send(r);
  send_buffer(r);  // empty
  wait_send(r);
}

void ee_trace_relay_close(ee_trace_relay **relay) {
  ee_trace_relay *r = *relay;
  if (r == NULL) return;
  if (r->rank == 0) {
    finish_receiving(r);
  } else {
    finish_sending(r);
  }
  EE_MPI(MPI_Comm_free(&r->comm));
  free(r->in);
  free(r);
  *relay = NULL;
}
