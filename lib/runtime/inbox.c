/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving end of a link: receives posted ahead in a ring, credits that go back. */
#include <stdlib.h>

#include "credit.h"
#include "ee/agree.h"
#include "link.h"
#include "message.h"

struct ee_inbox {
  const ee_wire *wire;
  ee_pacer      *pacer;
  int            peer, tag, slots;
  int            head;            // slot of the oldest message
  bool           here;            // the head message has been received
  int64_t        due;             // when the head message arrives on the paced clock [ns]
  ee_arrival     arrival;         // of the head message
  int            owed;            // credits not yet on their way
  ee_credit      credit_message;  // on its way; MPI reads it
  MPI_Request    credit_request;
  ee_posted     *receive;  // shape [slots]
  unsigned char *buffer;   // shape [slots, slot_bytes]
  size_t         slot_bytes;
};

static void post(ee_inbox *inbox, int slot) {
  EE_MPI(MPI_Irecv(inbox->buffer + (size_t)slot * inbox->slot_bytes, (int)inbox->slot_bytes,
                   MPI_BYTE, inbox->peer, inbox->tag, inbox->wire->data,
                   &inbox->receive[slot].request));
}

ee_status ee_inbox_open(const ee_wire *wire, int peer, int plan_epoch, int slots, size_t slot_bytes,
                        ee_pacer *pacer, ee_inbox **inbox) {
  *inbox        = NULL;
  size_t    all = ee_inbox_bytes(slots, slot_bytes);
  ee_inbox *i   = calloc(1, sizeof *i);
  if (i != NULL) {
    *i = (ee_inbox){.wire           = wire,
                    .pacer          = pacer,
                    .peer           = peer,
                    .tag            = ee_link_tag(plan_epoch),
                    .slots          = slots,
                    .credit_request = MPI_REQUEST_NULL,
                    .receive        = malloc((size_t)slots * sizeof *i->receive),
                    .buffer         = malloc(all),
                    .slot_bytes     = all / (size_t)slots};
  }
  if (i == NULL || i->receive == NULL || i->buffer == NULL) {
    if (i != NULL) free(i->receive), free(i->buffer);
    free(i);
    return EE_FAIL(EE_ERR_NOMEM, "for %d receive slots of %zu bytes from rank %d", slots,
                   slot_bytes, peer);
  }
  for (int slot = 0; slot < slots; slot++) post(i, slot);
  *inbox = i;
  return EE_OK;
}

/* Take note of the head message once it is here, and of when it counts as arrived. */
static bool look_at_head(ee_inbox *inbox) {
  size_t bytes;
  int    peer;
  if (!ee_wire_received(&inbox->receive[inbox->head], inbox->slot_bytes, &peer, &bytes)) {
    return false;
  }
  unsigned char *buffer = inbox->buffer + (size_t)inbox->head * inbox->slot_bytes;
  inbox->arrival        = (ee_arrival){.buffer = buffer, .bytes = bytes};
  inbox->here           = true;
  inbox->due            = 0;
  if (bytes >= sizeof(ee_message_header)) {
    int64_t sent = ((const ee_message_header *)(void *)buffer)->sent;
    inbox->due = ee_pacer_arrival(inbox->pacer, inbox->peer, sent, bytes, &inbox->arrival.occupied);
  }
  return true;
}

bool ee_inbox_head(ee_inbox *inbox, int64_t now, ee_arrival *arrival) {
  if (!inbox->here && !look_at_head(inbox)) return false;
  if (inbox->due > now) return false;
  *arrival = inbox->arrival;
  return true;
}

void ee_inbox_release(ee_inbox *inbox, int64_t now) {
  post(inbox, inbox->head);
  inbox->head = (inbox->head + 1) % inbox->slots;
  inbox->here = false;
  inbox->owed++;
  ee_inbox_poll(inbox, now);
}

bool ee_inbox_poll(ee_inbox *inbox, int64_t now) {
  bool done = ee_waiter_done(&inbox->credit_request);
  if (done && inbox->owed > 0) {
    inbox->credit_message = (ee_credit){.given = now, .count = inbox->owed};
    inbox->owed           = 0;
    EE_MPI(MPI_Isend(&inbox->credit_message, EE_CREDIT_NUMBERS, MPI_INT64_T, inbox->peer,
                     inbox->tag, inbox->wire->credit, &inbox->credit_request));
    return false;
  }
  return done;
}

void ee_inbox_await(ee_inbox *inbox, ee_waiter *waiter) {
  ee_posted *head = &inbox->receive[inbox->head];
  if (inbox->here) {
    ee_waiter_until(waiter, inbox->due);
  } else {
    ee_waiter_add(waiter, &head->request, &head->status);
  }
}

void ee_inbox_await_credits(ee_inbox *inbox, ee_waiter *waiter) {
  ee_waiter_add(waiter, &inbox->credit_request, NULL);
}

int ee_inbox_peer(const ee_inbox *inbox) {
  return inbox->peer;
}

void ee_inbox_abandon(ee_inbox **inbox) {
  ee_inbox *i = *inbox;
  *inbox      = NULL;
  if (i == NULL) return;
  bool over = ee_wire_abandon(&i->credit_request, false);
  for (int slot = 0; slot < i->slots; slot++) {
    over &= ee_wire_abandon(&i->receive[slot].request, true);
  }
  if (!over) return;
  free(i->receive);
  free(i->buffer);
  free(i);
}

void ee_inbox_close(ee_inbox **inbox) {
  ee_inbox *i = *inbox;
  if (i == NULL) return;
  for (int slot = 0; slot < i->slots; slot++) ee_wire_cancel(&i->receive[slot].request);
  // A credit is two numbers: it leaves at once, whether or not the peer still listens.
  if (i->credit_request != MPI_REQUEST_NULL)
    EE_MPI(MPI_Wait(&i->credit_request, MPI_STATUS_IGNORE));
  free(i->receive);
  free(i->buffer);
  free(i);
  *inbox = NULL;
}
