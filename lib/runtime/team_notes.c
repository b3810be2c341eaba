/* SPDX-License-Identifier: Apache-2.0 */
/* What ranks tell each other of a sample: that it begins, goes on, leaves, misses lanes or is over.
 */
#include <string.h>

#include "team_state.h"

bool ee_team_can_tell_rank(const ee_team *t, int rank) {
  ee_outbox *outbox = t->line[rank].outbox;
  return outbox == NULL || ee_outbox_slot(outbox) != NULL;
}

bool ee_team_can_tell(const ee_team *t, int n) {
  for (int r = 0; r < t->wire.size; r++) {
    ee_outbox *outbox = t->line[r].outbox;
    if (outbox == NULL) continue;
    if (ee_outbox_slot(outbox) == NULL || ee_outbox_slot_ahead(outbox, n - 1) == NULL) return false;
  }
  return true;
}

void ee_team_leave(ee_team *t, team_sample *s, int exit) {
  s->left = exit;
  if (t->move.left != NULL) t->move.left[exit]++;
  ee_team_close_sample(t, s);
}

static void note_closed(ee_team *t, int rank, const team_note *note) {
  team_peer *p = &t->peer[rank];
  if (note->id > p->closed) p->closed = note->id;
  p->busy = note->busy;
  p->work = note->work;
}

/* Rank 0: who has one of these lanes is behind. */
static void note_missed(ee_team *t, uint64_t lanes) {
  for (int r = 0; r < t->wire.size; r++) {
    team_peer *p = &t->peer[r];
    if (!p->optional || p->lost || (p->lanes & lanes) == 0) continue;
    p->behind  = true;
    p->unasked = true;
  }
}

/* A note of a sample that is not open here is of one that this rank has no part in, or no more. */
static void heed_sample(ee_team *t, const team_note *note) {
  team_sample *s = ee_team_sample(t, note->id);
  if (t->wire.rank == 0 && note->word == TEAM_MISSES) note_missed(t, note->lanes);
  if (s == NULL || s->left >= 0) return;
  s->absent |= note->lanes;
  if (note->word == TEAM_MISSES) return;
  s->offloaded = note->offloaded;
  if (note->state != s->state) memcpy(s->state, note->state, t->state_bytes);
  if (note->word == TEAM_LEAVES) {
    ee_team_leave(t, s, note->exit);
  } else if (s->passed <= note->exit) {
    s->passed = note->exit + 1;
  }
}

static void heed(ee_team *t, int from, const team_note *note) {
  switch ((team_word)note->word) {
    case TEAM_BEGINS:
      ee_team_begin_sample(t, note);
      break;
    case TEAM_PASSES:
      ee_team_pass_sample(t, note);
      break;
    case TEAM_READY:
      t->peer[from].behind = t->peer[from].lost;
      break;
    case TEAM_CLOSED:
      note_closed(t, from, note);
      break;
    case TEAM_PLACES:
    case TEAM_MOVES:
    case TEAM_LOADED:
    case TEAM_LEFT_OLD:
    case TEAM_FORGETS:
    case TEAM_DROPS:
      ee_team_move_heed(t, from, note);
      break;
    case TEAM_ENDS:
      t->ended = true;
      t->known = UINT64_MAX;
      break;
    case TEAM_DONE:
      t->peer[from].done = true;
      break;
    case TEAM_OVER:
      t->over = true;
      break;
    default:
      heed_sample(t, note);
  }
}

void ee_team_tell(ee_team *t, int rank, const team_note *note, int64_t now) {
  if (rank == t->wire.rank) {
    heed(t, rank, note);
    return;
  }
  ee_outbox *outbox = t->line[rank].outbox;
  if (outbox == NULL) return;  // it was lost
  team_note *told = ee_outbox_slot(outbox);
  *told           = *note;
  told->state     = NULL;
  memset(told + 1, 0, t->state_bytes);
  if (note->state != NULL) memcpy(told + 1, note->state, t->state_bytes);
  ee_outbox_post(outbox, ee_team_note_bytes(t), now);
}

void ee_team_tell_all(ee_team *t, const team_note *note, int64_t now) {
  for (int r = 0; r < t->wire.size; r++) {
    ee_team_tell(t, r, note, now);
  }
}

static ee_status check(const ee_team *t, int peer, const ee_arrival *a) {
  const team_note *note = a->buffer;
  bool fine = a->bytes == ee_team_note_bytes(t) && note->header.magic == EE_MESSAGE_MAGIC &&
              note->word >= 0 && note->word <= TEAM_OVER && note->exit >= 0 &&
              note->exit < t->setup.model->n_exits && note->unit >= 0 && note->unit <= t->units->n;
  if (fine) return EE_OK;
  return EE_FAIL(EE_ERR_PEER, "rank %d sent %zu bytes that are no note", peer, a->bytes);
}

/* What becomes of a sample can be known elsewhere before this rank hears that it begins: it waits.
 */
static bool is_early(const ee_team *t, const team_note *note) {
  bool of_sample =
      note->word == TEAM_GOES_ON || note->word == TEAM_LEAVES || note->word == TEAM_MISSES;
  return of_sample && note->id >= t->known;
}

static ee_status listen_to(ee_team *t, int peer, int64_t now, bool *busy) {
  ee_inbox  *inbox = t->line[peer].inbox;
  ee_arrival a;
  while (ee_inbox_head(inbox, now, &a)) {
    EE_TRY(check(t, peer, &a));
    team_note note = *(const team_note *)a.buffer;
    if (is_early(t, &note)) return EE_OK;
    memcpy(t->heard, (const team_note *)a.buffer + 1, t->state_bytes);
    note.state = t->heard;
    ee_inbox_release(inbox, now);
    heed(t, peer, &note);
    *busy = true;
  }
  return EE_OK;
}

ee_status ee_team_listen(ee_team *t, int64_t now, bool *busy) {
  for (int r = 0; r < t->wire.size; r++) {
    team_line *l = &t->line[r];
    if (l->outbox != NULL) *busy |= ee_outbox_poll(l->outbox, now);
    if (l->inbox == NULL) continue;
    EE_TRY(listen_to(t, r, now, busy));
    ee_inbox_poll(l->inbox, now);
  }
  return EE_OK;
}

static bool tell_source(ee_team *t, team_word word, int64_t now) {
  if (!ee_team_can_tell_rank(t, 0)) return false;
  team_note note = {.header = {.magic = EE_MESSAGE_MAGIC},
                    .word   = word,
                    .id     = t->closed,
                    .busy   = t->totals.busy,
                    .work   = t->work_done};
  ee_team_tell(t, 0, &note, now);
  return true;
}

/* Whether samples that pass by could begin here again. */
static bool is_ready_again(const ee_team *t, int64_t now) {
  return t->passed_by && !t->ended && t->held.sample == NULL && !ee_team_any_open(t) &&
         ee_team_is_there(t, now);
}

void ee_team_report(ee_team *t, int64_t now, bool *busy) {
  if (t->told != t->closed && tell_source(t, TEAM_CLOSED, now)) {
    t->told = t->closed;
    *busy   = true;
  }
  if (is_ready_again(t, now) && tell_source(t, TEAM_READY, now)) {
    t->passed_by = false;
    *busy        = true;
  }
}
