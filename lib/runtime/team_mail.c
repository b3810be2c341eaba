/* SPDX-License-Identifier: Apache-2.0 */
/* What units made, to the ranks that read it:
 *
 *   header | id | piece 0 | piece 1 | ... */
#include <string.h>

#include "message_event.h"
#include "team_state.h"

static uint64_t *id_of(void *message) {
  return (uint64_t *)(void *)((unsigned char *)message + sizeof(ee_message_header));
}

/* Where sample @p id is kept that came over the edge. */
static unsigned char *stored_of(const ee_team *t, const team_edge *e, uint64_t id) {
  size_t place = (size_t)(id % (uint64_t)t->options.window);
  return (unsigned char *)(e->stored + place * e->stride);
}

bool ee_team_can_give(const team_formation *f, int u) {
  for (int i = 0; i < f->n_edges; i++) {
    const team_edge *e = &f->edge[i];
    if (e->from == u && e->outbox != NULL && ee_outbox_slot(e->outbox) == NULL) return false;
  }
  return true;
}

static void fill(const ee_team *t, const team_edge *e, int u, uint64_t id, unsigned char *to) {
  const ee_unit    *unit = u >= 0 ? &t->units->unit[u] : NULL;
  ee_message_header h    = {.magic = EE_MESSAGE_MAGIC, .n = 1, .watermark = id};
  memcpy(to, &h, sizeof h);
  *id_of(to) = id;
  for (int i = 0; i < e->n; i++) {
    const team_piece *p    = &e->piece[i];
    const float      *from = ee_team_value(t, u, p->value);
    if (from == NULL) continue;  // with outcomes nothing is computed
    ee_team_copy(t, p->value, p->rows, from, ee_team_rows(t, unit, p->value),
                 (float *)(void *)(to + p->at), p->rows);
  }
}

void ee_team_give(ee_team *t, team_formation *f, int u, uint64_t id, const bool *without,
                  int64_t now) {
  for (int i = 0; i < f->n_edges; i++) {
    team_edge *e = &f->edge[i];
    if (e->from != u || t->peer[e->to_rank].lost) continue;
    if (without != NULL && without[e->to_rank]) continue;
    if (e->outbox != NULL) {
      fill(t, e, u, id, ee_outbox_slot(e->outbox));
      ee_outbox_post(e->outbox, e->bytes, now);
      t->totals.bytes_sent += (int64_t)e->bytes;
    } else {
      team_sample *s = ee_team_sample(t, id);
      if (s == NULL) continue;
      fill(t, e, u, id, stored_of(t, e, id));
      s->here[i] = true;
    }
  }
}

static ee_status check(const ee_team *t, const team_edge *e, const ee_arrival *a) {
  const ee_message_header *h = a->buffer;
  if (a->bytes == e->bytes && h->magic == EE_MESSAGE_MAGIC &&
      *id_of(a->buffer) < t->setup.n_samples) {
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_PEER, "rank %d sent %zu bytes that are no values of unit %d; expected %zu",
                 e->from_rank, a->bytes, e->from, e->bytes);
}

static void note_arrival(ee_team *t, const team_edge *e, const ee_arrival *a, int64_t now) {
  ee_message_end end = {t->setup.sink, EE_EVENT_RECEIVE, t->wire.rank, e->from_rank, e->from};
  t->totals.bytes_received += (int64_t)a->bytes;
  ee_message_tell(&end, a->buffer, a->bytes, now);
}

/* Messages of an edge, as far as their samples are known here; those of a sample that is over, or
 * that this rank has no part in, are dropped. */
static ee_status take_edge(ee_team *t, team_formation *f, int i, int64_t now, bool *busy) {
  team_edge *e = &f->edge[i];
  ee_arrival a;
  while (ee_inbox_head(e->inbox, now, &a)) {
    EE_TRY(check(t, e, &a));
    uint64_t id = *id_of(a.buffer);
    if (id >= t->known) return EE_OK;
    team_sample *s = ee_team_sample(t, id);
    if (s != NULL) {
      memcpy(stored_of(t, e, id), a.buffer, e->bytes);
      s->here[i] = true;
    }
    note_arrival(t, e, &a, now);
    ee_inbox_release(e->inbox, now);
    *busy = true;
  }
  return EE_OK;
}

static ee_status take_formation(ee_team *t, team_formation *f, int64_t now, bool *busy) {
  for (int i = 0; i < f->n_edges; i++) {
    team_edge *e = &f->edge[i];
    if (e->outbox != NULL) *busy |= ee_outbox_poll(e->outbox, now);
    if (e->inbox == NULL) continue;
    EE_TRY(take_edge(t, f, i, now, busy));
    ee_inbox_poll(e->inbox, now);
  }
  return EE_OK;
}

ee_status ee_team_take(ee_team *t, int64_t now, bool *busy) {
  for (int k = 0; ee_team_formation_at(t, k) != NULL; k++) {
    EE_TRY(take_formation(t, ee_team_formation_at(t, k), now, busy));
  }
  return EE_OK;
}
