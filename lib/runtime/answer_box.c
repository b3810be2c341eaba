/* SPDX-License-Identifier: Apache-2.0 */
/* The sending end of answers: n, when it was sent, records, logits. */
#include <stdlib.h>

#include "answer_layout.h"
#include "answers.h"
#include "ee/agree.h"

struct ee_answer_box {
  const ee_wire *wire;
  int            slots, next, batch_limit, n_classes;
  bool           with_logits;
  MPI_Request   *send;    // shape [slots]
  unsigned char *buffer;  // shape [slots, slot_bytes]
  size_t         slot_bytes;
};

ee_status ee_answer_box_open(const ee_wire *wire, int slots, int batch_limit, int n_classes,
                             bool with_logits, ee_answer_box **box) {
  *box               = NULL;
  ee_answer_box *b   = calloc(1, sizeof *b);
  size_t         one = ee_answer_bytes(batch_limit, n_classes, with_logits);
  if (b != NULL) {
    *b = (ee_answer_box){.wire        = wire,
                         .slots       = slots,
                         .batch_limit = batch_limit,
                         .n_classes   = n_classes,
                         .with_logits = with_logits,
                         .send        = malloc((size_t)slots * sizeof *b->send),
                         .buffer      = calloc((size_t)slots, one),
                         .slot_bytes  = one};
  }
  for (int i = 0; i < slots && b != NULL && b->send != NULL; i++) b->send[i] = MPI_REQUEST_NULL;
  if (b == NULL || b->send == NULL || b->buffer == NULL) {
    ee_answer_box_close(&b);
    return EE_FAIL(EE_ERR_NOMEM, "for %d slots of answers", slots);
  }
  *box = b;
  return EE_OK;
}

static void *slot_of(const ee_answer_box *box) {
  return box->buffer + (size_t)box->next * box->slot_bytes;
}

bool ee_answer_box_slot(ee_answer_box *box, ee_answer_batch *batch) {
  if (box->send[box->next] != MPI_REQUEST_NULL) return false;
  ee_answer_head *head = slot_of(box);
  batch->n             = &head->n;
  batch->record        = ee_answer_records(head);
  batch->logits        = box->with_logits ? ee_answer_logits(head, box->batch_limit) : NULL;
  return true;
}

/* Records were filled with room for a whole batch; close the gap in front of the logits. */
static size_t close_up(const ee_answer_box *box, ee_answer_head *head) {
  if (box->with_logits) {
    const float *from = ee_answer_logits(head, box->batch_limit);
    float       *to   = ee_answer_logits(head, head->n);
    for (size_t i = 0; i < (size_t)head->n * (size_t)box->n_classes; i++) to[i] = from[i];
  }
  return ee_answer_bytes(head->n, box->n_classes, box->with_logits);
}

void ee_answer_box_post(ee_answer_box *box, int64_t now) {
  ee_answer_head *head = slot_of(box);
  if (head->n == 0) return;
  head->sent   = now;
  size_t bytes = close_up(box, head);
  EE_MPI(MPI_Isend(head, (int)bytes, MPI_BYTE, 0, EE_TAG_ANSWER, box->wire->results,
                   &box->send[box->next]));
  box->next = (box->next + 1) % box->slots;
}

bool ee_answer_box_poll(ee_answer_box *box) {
  bool all = true;
  for (int i = 0; i < box->slots; i++) {
    if (box->send[i] == MPI_REQUEST_NULL) continue;
    int done = 0;
    EE_MPI(MPI_Test(&box->send[i], &done, MPI_STATUS_IGNORE));
    if (done) {
      ((ee_answer_head *)(void *)(box->buffer + (size_t)i * box->slot_bytes))->n = 0;
    } else {
      all = false;
    }
  }
  return all;
}

void ee_answer_box_await(ee_answer_box *box, ee_waiter *waiter) {
  for (int k = 0; k < box->slots; k++) {  // the next slot's message is the oldest
    MPI_Request *send = &box->send[(box->next + k) % box->slots];
    if (*send == MPI_REQUEST_NULL) continue;
    ee_waiter_add(waiter, send, NULL);
    return;
  }
}

void ee_answer_box_abandon(ee_answer_box **box) {
  ee_answer_box *b    = *box;
  bool           over = true;
  *box                = NULL;
  if (b == NULL) return;
  for (int i = 0; i < b->slots; i++) over &= ee_wire_abandon(&b->send[i], false);
  if (!over) return;
  free(b->send);
  free(b->buffer);
  free(b);
}

void ee_answer_box_close(ee_answer_box **box) {
  ee_answer_box *b = *box;
  if (b == NULL) return;
  for (int i = 0; i < b->slots && b->send != NULL; i++) {
    EE_MPI(MPI_Wait(&b->send[i], MPI_STATUS_IGNORE));  // which the collector has taken
  }
  free(b->send);
  free(b->buffer);
  free(b);
  *box = NULL;
}
