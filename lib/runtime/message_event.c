/* SPDX-License-Identifier: Apache-2.0 */
#include "message_event.h"

void ee_message_tell(const ee_message_end *end, const void *message, size_t bytes, int64_t now) {
  if (end->sink == NULL || end->sink->event == NULL) return;
  const ee_message_header *h     = message;
  const uint64_t          *id    = (const uint64_t *)(const void *)(h + 1);
  ee_event                 event = {.rank       = end->rank,
                                    .kind       = (int32_t)end->kind,
                                    .start      = h->sent,
                                    .end        = h->sent > now ? h->sent : now,
                                    .first_id   = h->n > 0 ? id[0] : h->watermark,
                                    .samples    = h->n,
                                    .plan_epoch = h->plan_epoch,
                                    .bytes      = (int64_t)bytes,
                                    .peer       = end->peer,
                                    .layer      = end->layer};
  end->sink->event(end->sink->self, &event);
}
