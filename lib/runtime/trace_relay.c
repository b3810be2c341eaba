/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/trace_relay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "wire.h"

#define RELAY_EVENTS 512     // events per message
#define RELAY_AT_ONCE 8      // messages that the writer takes in one turn
#define RELAY_AGE 100000000  // an event waits no longer than this for company [ns]
#define RELAY_TAG 1
#define NAP 20000  // [ns]

/* One message of events; they form a queue, the newest of which is being filled. */
typedef struct parcel {
  struct parcel *next;
  int            n;
  MPI_Request    send;  // MPI_REQUEST_NULL while it is being filled
  ee_event       event[RELAY_EVENTS];
} parcel;

struct ee_trace_relay {
  MPI_Comm      comm;
  int           rank, size;
  ee_trace_sink writer, own;  // writer: on rank 0 only
  // Sending: a device never waits for the writer, so what is under way may grow.
  parcel *first, *last;  // last: being filled
  int64_t oldest;        // when the first event of `last` came in [ns]
  // Receiving, on rank 0: one for each rank, since what a rank sends when it dies may stay half
  // received for ever.
  ee_event    *in;        // shape [size, RELAY_EVENTS]
  MPI_Request *receive;   // shape [size]
  bool         held;      // MPI may still write to `in`
  int          open;      // ranks that have not said their last word
  bool         orphaned;  // the writer is dead
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

  // Writers count themselves; MPI_Exscan would do, but SimGrid's takes a message for each two
  // ranks.
  MPI_Comm writers;
  int      place[2] = {0, 0};
  EE_MPI(MPI_Comm_split(comm, node_rank == 0 ? 0 : MPI_UNDEFINED, rank, &writers));
  if (node_rank == 0) {
    EE_MPI(MPI_Comm_rank(writers, &place[0]));
    EE_MPI(MPI_Comm_size(writers, &place[1]));
    EE_MPI(MPI_Comm_free(&writers));
  }
  EE_MPI(MPI_Bcast(place, 2, MPI_INT, 0, *node));
  *index   = place[0];
  *n_nodes = place[1];
}

static parcel *new_parcel(void) {
  parcel *p = malloc(sizeof *p);
  if (p == NULL) return NULL;
  p->next = NULL;
  p->n    = 0;
  p->send = MPI_REQUEST_NULL;
  return p;
}

/* Free what is through, from the oldest on; wait for it if asked. */
static void free_sent(ee_trace_relay *r, bool wait) {
  while (r->first != r->last) {
    parcel *p    = r->first;
    int     done = 1;
    if (wait) {
      EE_MPI(MPI_Wait(&p->send, MPI_STATUS_IGNORE));
    } else {
      EE_MPI(MPI_Test(&p->send, &done, MPI_STATUS_IGNORE));
    }
    if (!done) return;
    r->first = p->next;
    free(p);
  }
}

/* Send what is filled and begin anew.  Without memory for that the sent events are waited for and
 * their place is used again. */
static void send_filled(ee_trace_relay *r) {
  parcel *p = r->last;
  EE_MPI(
      MPI_Isend(p->event, p->n * (int)sizeof *p->event, MPI_BYTE, 0, RELAY_TAG, r->comm, &p->send));
  p->next = new_parcel();
  if (p->next != NULL) {
    r->last = p->next;
    return;
  }
  free_sent(r, true);
  EE_MPI(MPI_Wait(&p->send, MPI_STATUS_IGNORE));
  p->n = 0;
}

static void relay_event(void *self, const ee_event *event) {
  ee_trace_relay *r = self;
  if (r->last->n == 0) r->oldest = ee_clock_ns();
  r->last->event[r->last->n++] = *event;
  if (r->last->n == RELAY_EVENTS) send_filled(r);
}

static void post(ee_trace_relay *r, int rank) {
  EE_MPI(MPI_Irecv(r->in + (size_t)rank * RELAY_EVENTS, RELAY_EVENTS * (int)sizeof *r->in, MPI_BYTE,
                   rank, RELAY_TAG, r->comm, &r->receive[rank]));
}

static void direct_event(void *self, const ee_event *event) {
  ee_trace_relay *r = self;
  if (r->writer.event != NULL) r->writer.event(r->writer.self, event);
}

/* Hand over a message, if one is here; an empty one is its rank's last word. */
static bool take_message(ee_trace_relay *r) {
  int        done = 0, bytes = 0, rank;
  MPI_Status status;
  EE_MPI(MPI_Testany(r->size, r->receive, &rank, &done, &status));
  if (!done || rank == MPI_UNDEFINED) return false;
  EE_MPI(MPI_Get_count(&status, MPI_BYTE, &bytes));
  const ee_event *event = r->in + (size_t)rank * RELAY_EVENTS;
  int             n     = bytes / (int)sizeof *event;
  for (int i = 0; i < n; i++) direct_event(r, &event[i]);
  if (n == 0) r->open--;
  if (n > 0) post(r, rank);
  return true;
}

static void relay_poll(void *self) {
  ee_trace_relay *r = self;
  if (r->rank == 0) {
    for (int i = 0; i < RELAY_AT_ONCE && take_message(r);) i++;
    if (r->writer.poll != NULL) r->writer.poll(r->writer.self);
    return;
  }
  free_sent(r, false);
  if (r->last->n > 0 && ee_clock_ns() - r->oldest > RELAY_AGE) send_filled(r);
}

static ee_status allocate(ee_trace_relay *r, const ee_trace_sink *writer) {
  if (r->rank == 0) {
    if (writer == NULL) return EE_FAIL(EE_ERR_ARG, "rank 0 of a node has no trace to write to");
    r->in      = calloc((size_t)r->size * RELAY_EVENTS, sizeof *r->in);
    r->receive = calloc((size_t)r->size, sizeof *r->receive);
    for (int i = 0; r->receive != NULL && i < r->size; i++) r->receive[i] = MPI_REQUEST_NULL;
    if (r->receive == NULL) return EE_FAIL(EE_ERR_NOMEM, "for trace events");
  } else {
    r->first = r->last = new_parcel();
  }
  if (r->in == NULL && r->last == NULL) return EE_FAIL(EE_ERR_NOMEM, "for trace events");
  return EE_OK;
}

static void open_own_sink(ee_trace_relay *r, const ee_trace_sink *writer) {
  r->own = (ee_trace_sink){.self = r, .event = relay_event, .poll = relay_poll};
  if (r->rank != 0) return;
  r->writer = *writer;
  r->open   = r->size - 1;
  for (int rank = 1; rank < r->size; rank++) post(r, rank);
}

/* Rank 0's own records need no message. */
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
    status = allocate(r, writer);
  }
  status = ee_agree(node, status, 0);
  if (status != EE_OK) {
    if (r != NULL) free(r->in), free(r->receive), free(r->last);
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
  int64_t nap = NAP;
  while (r->open > 0) {
    if (!take_message(r)) ee_clock_nap(&nap, NAP);
  }
}

/* Nobody takes what is under way; MPI may still hold it, so that it is never freed. */
static void abandon(ee_trace_relay *r) {
  for (parcel *p = r->first; p != r->last; p = p->next) {
    if (p->send != MPI_REQUEST_NULL) EE_MPI(MPI_Request_free(&p->send));
  }
  free(r->last);
}

static void finish_sending(ee_trace_relay *r) {
  if (r->last->n > 0) send_filled(r);
  free_sent(r, true);
  EE_MPI(MPI_Send(NULL, 0, MPI_BYTE, 0, RELAY_TAG, r->comm));  // the last word
  free(r->last);
}

void ee_trace_relay_lose(ee_trace_relay *relay, int rank) {
  relay->orphaned |= rank == 0;
  if (relay->rank != 0) return;
  relay->open--;
  relay->held |= !ee_wire_abandon(&relay->receive[rank], true);
}

void ee_trace_relay_close(ee_trace_relay **relay) {
  ee_trace_relay *r = *relay;
  if (r == NULL) return;
  if (r->rank == 0) {
    finish_receiving(r);
  } else if (r->orphaned) {
    abandon(r);
  } else {
    finish_sending(r);
  }
  EE_MPI(MPI_Comm_free(&r->comm));
  if (!r->held) free(r->in);
  free(r->receive);
  free(r);
  *relay = NULL;
}
