/* SPDX-License-Identifier: Apache-2.0 */
/* The sending end of a link: buffers in a ring, one credit per message that may be under way. */
#include <stdlib.h>

#include "credit.h"
#include "ee/agree.h"
#include "link.h"
#include "message.h"

struct ee_outbox {
  const ee_wire  *wire;
  const ee_pacer *pacer;
  int             peer, tag, slots;
  int             credits;            // messages that may be sent now
  int             next, n_waiting;    // buffer to fill next; those before it that wait for credit
  int             first_due, n_back;  // credits that are back but not yet due, in a ring
  int64_t         taken;              // credits that are back so far
  int64_t        *due;                // shape [slots], when on the paced clock [ns]
  ee_credit       credit_message;     // that comes back; MPI writes it
  MPI_Request     credit_request;
  int             n_buffers;  // one more than slots, if there are several
  MPI_Request    *send;       // shape [n_buffers]
  size_t         *bytes;      // shape [n_buffers], of the message in each
  unsigned char  *buffer;     // shape [n_buffers, slot_bytes]
  size_t          slot_bytes;
  ee_sent_fn      sent;  // NULL: nobody listens
  void           *sent_context;
};

static void expect_credit(ee_outbox *outbox) {
  EE_MPI(MPI_Irecv(&outbox->credit_message, EE_CREDIT_NUMBERS, MPI_INT64_T, outbox->peer,
                   outbox->tag, outbox->wire->credit, &outbox->credit_request));
}

static void free_arrays(ee_outbox *o) {
  free(o->send);
  free(o->buffer);
  free(o->bytes);
  free(o->due);
}

static bool allocate(ee_outbox *o, size_t all) {
  size_t n      = (size_t)o->n_buffers;
  o->slot_bytes = all / n;
  o->send       = malloc(n * sizeof *o->send);
  o->bytes      = calloc(n, sizeof *o->bytes);
  o->due        = calloc((size_t)o->slots, sizeof *o->due);
  o->buffer     = malloc(all);
  return o->send != NULL && o->buffer != NULL && o->bytes != NULL && o->due != NULL;
}

ee_status ee_outbox_open(const ee_wire *wire, int peer, int plan_epoch, int slots,
                         size_t slot_bytes, const ee_pacer *pacer, ee_outbox **outbox) {
  *outbox      = NULL;
  ee_outbox *o = calloc(1, sizeof *o);
  if (o != NULL) {
    *o = (ee_outbox){.wire      = wire,
                     .pacer     = pacer,
                     .peer      = peer,
                     .tag       = ee_link_tag(plan_epoch),
                     .slots     = slots,
                     .credits   = slots,
                     .n_buffers = ee_outbox_buffers(slots)};
  }
  if (o == NULL || !allocate(o, ee_outbox_bytes(slots, slot_bytes))) {
    if (o != NULL) free_arrays(o);
    free(o);
    return EE_FAIL(EE_ERR_NOMEM, "for %d send slots of %zu bytes to rank %d", slots, slot_bytes,
                   peer);
  }
  for (int i = 0; i < o->n_buffers; i++) o->send[i] = MPI_REQUEST_NULL;
  expect_credit(o);
  *outbox = o;
  return EE_OK;
}

void ee_outbox_listen(ee_outbox *outbox, ee_sent_fn sent, void *context) {
  outbox->sent         = sent;
  outbox->sent_context = context;
}

static unsigned char *buffer_at(const ee_outbox *outbox, int i) {
  return outbox->buffer + (size_t)i * outbox->slot_bytes;
}

void *ee_outbox_slot_ahead(ee_outbox *outbox, int ahead) {
  bool early = outbox->n_buffers > outbox->slots;
  if (outbox->n_waiting + ahead >= (early ? outbox->n_buffers : outbox->credits)) return NULL;
  for (int k = 0; k <= ahead; k++) {
    if (outbox->send[(outbox->next + k) % outbox->n_buffers] != MPI_REQUEST_NULL) return NULL;
  }
  return buffer_at(outbox, (outbox->next + ahead) % outbox->n_buffers);
}

void *ee_outbox_slot(ee_outbox *outbox) {
  return outbox->credits > outbox->n_waiting ? ee_outbox_slot_ahead(outbox, 0) : NULL;
}

/* Send what waits, oldest first, as far as credits go.  Returns whether anything was sent. */
static bool send_waiting(ee_outbox *outbox, int64_t now) {
  bool any = outbox->n_waiting > 0 && outbox->credits > 0;
  while (outbox->n_waiting > 0 && outbox->credits > 0) {
    int    i     = (outbox->next - outbox->n_waiting + outbox->n_buffers) % outbox->n_buffers;
    void  *slot  = buffer_at(outbox, i);
    size_t bytes = outbox->bytes[i];
    if (bytes >= sizeof(ee_message_header)) ((ee_message_header *)slot)->sent = now;
    EE_MPI(MPI_Isend(slot, (int)bytes, MPI_BYTE, outbox->peer, outbox->tag, outbox->wire->data,
                     &outbox->send[i]));
    outbox->n_waiting--;
    outbox->credits--;
  }
  return any;
}

void ee_outbox_post(ee_outbox *outbox, size_t bytes, int64_t now) {
  outbox->bytes[outbox->next] = bytes;
  outbox->next                = (outbox->next + 1) % outbox->n_buffers;
  outbox->n_waiting++;
  send_waiting(outbox, now);
}

static void tell_sent(const ee_outbox *outbox, int slot) {
  if (outbox->sent == NULL) return;
  outbox->sent(outbox->sent_context, outbox->peer, buffer_at(outbox, slot), outbox->bytes[slot]);
}

/* Take in the credits that have come; on the paced clock they are due later. */
static bool take_credits(ee_outbox *outbox) {
  if (!ee_waiter_done(&outbox->credit_request)) return false;
  int64_t due = ee_pacer_credit(outbox->pacer, outbox->peer, outbox->credit_message.given);
  for (int64_t k = 0; k < outbox->credit_message.count && outbox->n_back < outbox->slots; k++) {
    outbox->due[(outbox->first_due + outbox->n_back++) % outbox->slots] = due;
  }
  outbox->taken += outbox->credit_message.count;
  expect_credit(outbox);
  return true;
}

static void use_credits(ee_outbox *outbox, int64_t now) {
  while (outbox->n_back > 0 && outbox->due[outbox->first_due] <= now) {
    outbox->first_due = (outbox->first_due + 1) % outbox->slots;
    outbox->n_back--;
    outbox->credits++;
  }
}

bool ee_outbox_poll(ee_outbox *outbox, int64_t now) {
  bool moved = take_credits(outbox);
  use_credits(outbox, now);
  for (int i = 0; i < outbox->n_buffers; i++) {
    int done = 0;
    if (outbox->send[i] == MPI_REQUEST_NULL) continue;
    EE_MPI(MPI_Test(&outbox->send[i], &done, MPI_STATUS_IGNORE));
    if (done) tell_sent(outbox, i);
    moved |= done;
  }
  return send_waiting(outbox, now) || moved;
}

bool ee_outbox_sent(ee_outbox *outbox) {
  int done;
  EE_MPI(MPI_Testall(outbox->n_buffers, outbox->send, &done, MPI_STATUSES_IGNORE));
  return done;
}

/* A send is through before its credit is back, and until then it is in nobody's way. */
void ee_outbox_await(ee_outbox *outbox, ee_waiter *waiter) {
  ee_waiter_add(waiter, &outbox->credit_request, NULL);
  if (outbox->n_back > 0) ee_waiter_until(waiter, outbox->due[outbox->first_due]);
}

bool ee_outbox_settled(const ee_outbox *outbox) {
  return outbox->credits == outbox->slots && outbox->n_waiting == 0;
}

int64_t ee_outbox_taken(const ee_outbox *outbox) {
  return outbox->taken;
}

int ee_outbox_peer(const ee_outbox *outbox) {
  return outbox->peer;
}

void ee_outbox_abandon(ee_outbox **outbox) {
  ee_outbox *o = *outbox;
  *outbox      = NULL;
  if (o == NULL) return;
  bool over = ee_wire_abandon(&o->credit_request, true);
  for (int i = 0; i < o->n_buffers; i++) over &= ee_wire_abandon(&o->send[i], false);
  if (!over) return;
  free_arrays(o);
  free(o);
}

void ee_outbox_close(ee_outbox **outbox) {
  ee_outbox *o = *outbox;
  if (o == NULL) return;
  ee_wire_cancel(&o->credit_request);
  for (int i = 0; i < o->n_buffers; i++) {
    if (o->send[i] == MPI_REQUEST_NULL) continue;
    EE_MPI(MPI_Wait(&o->send[i], MPI_STATUS_IGNORE));  // which the peer has taken
    tell_sent(o, i);
  }
  free_arrays(o);
  free(o);
  *outbox = NULL;
}
