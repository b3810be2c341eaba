/* SPDX-License-Identifier: Apache-2.0 */
/* The sending end of a link: buffers in a ring, one credit per message that may be under way. */
#include <stdlib.h>

#include "ee/agree.h"
#include "link.h"

struct ee_outbox {
  const ee_wire *wire;
  int            peer, tag, slots;
  int            credits;         // messages that may still be posted
  int            next;            // slot to fill next
  int            credit_message;  // credits that come back; MPI writes it
  MPI_Request    credit_request;
  MPI_Request   *send;    // shape [slots]
  unsigned char *buffer;  // shape [slots, slot_bytes]
  size_t         slot_bytes;
  size_t        *bytes;  // shape [slots], of the message in each slot
  ee_sent_fn     sent;   // NULL: nobody listens
  void          *sent_context;
};

size_t ee_outbox_bytes(int slots, size_t slot_bytes) {
  return (size_t)slots * ((slot_bytes + 63) / 64 * 64);
}

static void expect_credit(ee_outbox *outbox) {
  EE_MPI(MPI_Irecv(&outbox->credit_message, 1, MPI_INT, outbox->peer, outbox->tag,
                   outbox->wire->credit, &outbox->credit_request));
}

ee_status ee_outbox_open(const ee_wire *wire, int peer, int plan_epoch, int slots,
                         size_t slot_bytes, ee_outbox **outbox) {
  *outbox        = NULL;
  size_t     all = ee_outbox_bytes(slots, slot_bytes);
  ee_outbox *o   = calloc(1, sizeof *o);
  if (o != NULL) {
    *o = (ee_outbox){.wire       = wire,
                     .peer       = peer,
                     .tag        = ee_link_tag(plan_epoch),
                     .slots      = slots,
                     .credits    = slots,
                     .send       = malloc((size_t)slots * sizeof *o->send),
                     .buffer     = malloc(all),
                     .bytes      = calloc((size_t)slots, sizeof *o->bytes),
                     .slot_bytes = all / (size_t)slots};
  }
  if (o == NULL || o->send == NULL || o->buffer == NULL || o->bytes == NULL) {
    if (o != NULL) free(o->send), free(o->buffer), free(o->bytes);
    free(o);
    return EE_FAIL(EE_ERR_NOMEM, "for %d send slots of %zu bytes to rank %d", slots, slot_bytes,
                   peer);
  }
  for (int i = 0; i < slots; i++) o->send[i] = MPI_REQUEST_NULL;
  expect_credit(o);
  *outbox = o;
  return EE_OK;
}

void ee_outbox_listen(ee_outbox *outbox, ee_sent_fn sent, void *context) {
  outbox->sent         = sent;
  outbox->sent_context = context;
}

void *ee_outbox_slot_ahead(ee_outbox *outbox, int ahead) {
  if (ahead >= outbox->credits) return NULL;
  for (int k = 0; k <= ahead; k++) {
    if (outbox->send[(outbox->next + k) % outbox->slots] != MPI_REQUEST_NULL) return NULL;
  }
  int slot = (outbox->next + ahead) % outbox->slots;
  return outbox->buffer + (size_t)slot * outbox->slot_bytes;
}

void *ee_outbox_slot(ee_outbox *outbox) {
  return ee_outbox_slot_ahead(outbox, 0);
}

void ee_outbox_post(ee_outbox *outbox, size_t bytes) {
  unsigned char *slot = outbox->buffer + (size_t)outbox->next * outbox->slot_bytes;
  EE_MPI(MPI_Isend(slot, (int)bytes, MPI_BYTE, outbox->peer, outbox->tag, outbox->wire->data,
                   &outbox->send[outbox->next]));
  outbox->bytes[outbox->next] = bytes;
  outbox->next                = (outbox->next + 1) % outbox->slots;
  outbox->credits--;
}

static void tell_sent(const ee_outbox *outbox, int slot) {
  if (outbox->sent == NULL) return;
  outbox->sent(outbox->sent_context, outbox->peer,
               outbox->buffer + (size_t)slot * outbox->slot_bytes, outbox->bytes[slot]);
}

bool ee_outbox_poll(ee_outbox *outbox) {
  int done  = 0;
  int moved = 0;
  EE_MPI(MPI_Test(&outbox->credit_request, &done, MPI_STATUS_IGNORE));
  if (done) {
    outbox->credits += outbox->credit_message;
    expect_credit(outbox);
    moved = 1;
  }
  for (int i = 0; i < outbox->slots; i++) {
    if (outbox->send[i] == MPI_REQUEST_NULL) continue;
    EE_MPI(MPI_Test(&outbox->send[i], &done, MPI_STATUS_IGNORE));
    if (done) tell_sent(outbox, i);
    moved |= done;
  }
  return moved;
}

bool ee_outbox_sent(ee_outbox *outbox) {
  int done;
  EE_MPI(MPI_Testall(outbox->slots, outbox->send, &done, MPI_STATUSES_IGNORE));
  return done;
}

bool ee_outbox_settled(const ee_outbox *outbox) {
  return outbox->credits == outbox->slots;
}

int ee_outbox_peer(const ee_outbox *outbox) {
  return outbox->peer;
}

void ee_outbox_close(ee_outbox **outbox) {
  ee_outbox *o = *outbox;
  if (o == NULL) return;
  ee_wire_cancel(&o->credit_request);
  for (int i = 0; i < o->slots; i++) {
    if (o->send[i] == MPI_REQUEST_NULL) continue;
    EE_MPI(MPI_Wait(&o->send[i], MPI_STATUS_IGNORE));  // which the peer has taken
    tell_sent(o, i);
  }
  free(o->send);
  free(o->buffer);
  free(o->bytes);
  free(o);
  *outbox = NULL;
}
